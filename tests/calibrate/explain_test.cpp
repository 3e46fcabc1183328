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
  policy.threshold = 1234;
  policy.certificate.certified = true;
  policy.certificate.n = 5000;
  policy.certificate.risks = std::move(risks);
  return policy;
}

EscalationPolicy refused(std::vector<RiskResult> risks) {
  EscalationPolicy policy = certified(std::move(risks));
  policy.threshold = kAlwaysEscalate;
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

TEST(Explain, KeepsSmallBoundsVisible) {
  RiskResult risk = net_loss();
  risk.bound = 0.00004;
  EXPECT_TRUE(explain(certified({risk})).find("at most 0.004 points") != std::string::npos);
}

}  // namespace
}  // namespace biglittle
