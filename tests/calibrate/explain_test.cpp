// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "calibrate/policy.h"

namespace biglittle {
namespace {

RiskResult net_loss() {
  return {.risk = "net-loss",
          .bound = 0.005,
          .estimate = 0.0008,
          .p_value = 0.001,
          .upper_bound = 0.0021,
          .events = 7,
          .offsets = 3,
          .n = 5000,
          .needed = 900};
}

RiskResult miss_of_bag() {
  return {.risk = "miss:bag",
          .bound = 0.02,
          .estimate = 0.006,
          .p_value = 0.01,
          .upper_bound = 0.0154,
          .events = 3,
          .n = 500,
          .needed = 390};
}

EscalationPolicy certified(std::vector<RiskResult> risks) {
  EscalationPolicy policy;
  policy.thresholds = {1234, 1234, kAlwaysEscalate};
  policy.certificate.certified = true;
  policy.certificate.n = 5000;
  policy.certificate.risks = std::move(risks);
  return policy;
}

EscalationPolicy refused(std::vector<RiskResult> risks) {
  EscalationPolicy policy = certified(std::move(risks));
  policy.thresholds.assign(3, kAlwaysEscalate);
  policy.certificate.certified = false;
  return policy;
}

TEST(Explain, StatesNetLossAsOneSentence) {
  EXPECT_EQ(explain(certified({net_loss()})),
            "With probability at least 95 % over the draw of the 5,000 calibration samples, "
            "answering on the device when the margin is at least 1234 costs at most 0.50 points of "
            "accuracy against asking the big network every time (measured: 0.08 points)");
}

TEST(Explain, CallsANegativeLossAGain) {
  RiskResult risk = net_loss();
  risk.estimate = -0.0003;
  EXPECT_TRUE(explain(certified({risk})).ends_with("(measured: a gain of 0.03 points)"));
}

TEST(Explain, StatesMissesPerClass) {
  EscalationPolicy policy = certified({miss_of_bag()});
  policy.certificate.delta = 0.001;
  EXPECT_EQ(explain(policy),
            "With probability at least 99.9 % over the draw of the 5,000 calibration samples, "
            "answering on the device when the margin is at least 1234 gives a wrong answer on the "
            "device to at most 2.00 % of the inputs of class bag (measured: 3 of 500, 0.60 %)");
}

TEST(Explain, JoinsSeveralRisks) {
  EXPECT_TRUE(explain(certified({net_loss(), miss_of_bag()}))
                  .find("(measured: 0.08 points) and gives a wrong answer") != std::string::npos);
}

TEST(Explain, SaysWhatWouldHelpWhenNothingIsCertified) {
  RiskResult risk = net_loss();
  risk.p_value = 0.3;
  risk.upper_bound = 0.00874;
  risk.n = 500;
  EscalationPolicy policy = refused({risk, miss_of_bag()});
  policy.certificate.n = 500;
  EXPECT_EQ(explain(policy),
            "Not certifiable with probability 95 % on 500 calibration samples: even at the safest "
            "threshold the accuracy lost can only be bounded by 0.88 points where 0.50 was asked "
            "(measured: 0.08 points); at this rate 900 samples would do");
}

TEST(Explain, SaysWhenMoreSamplesWouldNotHelp) {
  RiskResult risk = miss_of_bag();
  risk.p_value = 0.9;
  risk.events = 15;
  risk.estimate = 0.03;
  risk.upper_bound = 0.0458;
  risk.needed.reset();
  EXPECT_EQ(
      explain(refused({risk})),
      "Not certifiable with probability 95 % on 5,000 calibration samples: even at the safest "
      "threshold wrong answers to inputs of class bag can only be bounded by 4.58 % where "
      "2.00 was asked (measured: 15 of 500, 3.00 %); at this rate more samples would not do, "
      "ask for a larger bound or improve the little network");
}

TEST(Explain, SaysThatAnEmptyPolicyEscalatesEverything) {
  EXPECT_EQ(explain(EscalationPolicy{}),
            "Nothing is certified: every input goes to the big network");
}

/// A risk of each kind with the same numbers.
RiskResult risk_named(const std::string& name) {
  return {.risk = name,
          .bound = 0.02,
          .estimate = 0.006,
          .p_value = 0.01,
          .upper_bound = 0.0154,
          .events = 3,
          .n = 500,
          .needed = 390};
}

std::string promise_of(const std::string& name) {
  const std::string text = explain(certified({risk_named(name)}));
  return text.substr(text.find("1234 ") + 5);
}

TEST(Explain, PutsEveryRiskIntoWords) {
  const std::string measured = " (measured: 3 of 500, 0.60 %)";
  EXPECT_EQ(promise_of("harm"),
            "spoils at most 2.00 % of all inputs that the big network would get right" + measured);
  EXPECT_EQ(promise_of("selective"),
            "is wrong for at most 2.00 % of the inputs it answers" + measured);
  EXPECT_EQ(promise_of("dropped:bag"),
            "drops at most 2.00 % of the inputs of class bag as other" + measured);
  EXPECT_EQ(promise_of("agreement"),
            "differs on at most 2.00 % of all inputs from what the big network would have said" +
                measured);
  EXPECT_EQ(promise_of("budget"), "sends at most 2.00 % of all inputs up" + measured);
  EXPECT_EQ(promise_of("cost"),
            "costs at most 0.02 an input by the table of costs (measured: 0.006)");
}

TEST(Explain, SaysWhichAccuracyCountsInFilterMode) {
  EscalationPolicy policy = certified({net_loss()});
  policy.other = OtherMode::answer;
  EXPECT_NE(explain(policy).find(
                "at most 0.50 points of accuracy of telling priority classes and other apart"),
            std::string::npos);
}

TEST(Explain, SaysWhenEachClassHasItsThreshold) {
  EscalationPolicy policy = certified({net_loss()});
  policy.rule.kind = ScoreKind::gate;
  policy.thresholds = {12, 34, kAlwaysEscalate};
  EXPECT_NE(explain(policy).find("when the gate reaches the threshold of the class costs"),
            std::string::npos);
}

TEST(Explain, NamesTheFieldSample) {
  EscalationPolicy policy = certified({net_loss()});
  policy.certificate.field_n = 1700;
  EXPECT_NE(explain(policy).find("5,000 calibration samples (1,700 of them drawn to the mix of "
                                 "classes in the field), answering"),
            std::string::npos);
}

TEST(Explain, SaysWhereTheSearchBeganAndWhichSamplesCount) {
  RiskResult risk = risk_named("selective");
  risk.p_value = 0.04;  // above the level of two starts
  EscalationPolicy policy = refused({risk});
  policy.certificate.starts = {3, 9};
  policy.certificate.conflict = "so and so";
  EXPECT_EQ(explain(policy),
            "Not certifiable with probability 95 % on 5,000 calibration samples: even at the first "
            "threshold that tune promises to be useful the wrong ones among local answers can only "
            "be bounded by 1.54 % where 2.00 was asked (measured: 3 of 500, 0.60 %); at this rate "
            "390 samples answered locally would do; the bounds conflict: so and so");
}

TEST(Explain, KeepsSmallBoundsVisible) {
  RiskResult risk = net_loss();
  risk.bound = 0.00004;
  EXPECT_TRUE(explain(certified({risk})).find("at most 0.004 points") != std::string::npos);
}

}  // namespace
}  // namespace biglittle
