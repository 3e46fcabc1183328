// SPDX-License-Identifier: MIT
#include "calibrate/evaluate.h"

#include <gtest/gtest.h>

#include "calibrate/rows.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using namespace testing;

const std::vector<std::string> kClasses{"shirt", "bag", "boot"};

PairedDifference difference(std::size_t both, std::size_t first, std::size_t second,
                            std::size_t none) {
  std::vector<bool> one(both + first, true);
  one.resize(both + first + second + none, false);
  std::vector<bool> two(both, true);
  two.resize(both + first, false);
  two.resize(both + first + second, true);
  two.resize(both + first + second + none, false);
  return paired_difference(one, two);
}

// Newcombe 1998 (Statistics in Medicine 17:2635), 50 sputum specimens on two media: both 20, first
// only 12, second only 2, none 16. By hand with z = 1.959964:
//   p1 = 0.64, Wilson 0.501422 to 0.758588; p2 = 0.44, Wilson 0.311604 to 0.576885.
//   20 * 16 - 12 * 2 = 296, less n / 2 = 271; sqrt(32 * 18 * 22 * 28) = 595.664; phi = 0.454955.
//   low: 0.138578^2 - 2 phi 0.138578 * 0.136885 + 0.136885^2 = 0.020681, root 0.143808.
//   high: 0.128396^2 - 2 phi 0.128396 * 0.118588 + 0.118588^2 = 0.016694, root 0.129206.
TEST(PairedDifference, EqualsNewcombesMethodTenByHand) {
  const PairedDifference result = difference(20, 12, 2, 16);
  EXPECT_NEAR(result.value, 0.2, 1e-15);
  EXPECT_NEAR(result.low, 0.2 - 0.143808, 5e-5);
  EXPECT_NEAR(result.high, 0.2 + 0.129206, 5e-5);
}

// The same method in Altman et al. 2000, "Statistics with Confidence", table 6.2: 0.011 to 0.226;
// and in Fagerland, Lydersen, Laake 2014 (airway data), where the correlation is negative after
// nothing is taken off: -0.507 to -0.026.
TEST(PairedDifference, EqualsOtherPublishedExamples) {
  const PairedDifference altman = difference(14, 5, 0, 22);
  EXPECT_NEAR(altman.low, 0.0115, 5e-5);
  EXPECT_NEAR(altman.high, 0.2265, 5e-5);
  const PairedDifference airway = difference(1, 1, 7, 12);
  EXPECT_NEAR(airway.low, -0.507, 5e-4);
  EXPECT_NEAR(airway.high, -0.026, 5e-4);
}

TEST(PairedDifference, TurnsAroundWithItsArguments) {
  const PairedDifference one = difference(60, 9, 3, 28);
  const PairedDifference other = difference(60, 3, 9, 28);
  EXPECT_NEAR(one.low, -other.high, 1e-12);
  EXPECT_NEAR(one.high, -other.low, 1e-12);
}

TEST(PairedDifference, IsDefinedWhenEverythingAgrees) {
  const PairedDifference all_right = difference(100, 0, 0, 0);
  EXPECT_EQ(all_right.value, 0.0);
  EXPECT_LT(all_right.low, 0.0);
  EXPECT_GT(all_right.low, -0.06);
  EXPECT_GT(all_right.high, 0.0);
}

TEST(PairedDifference, RefusesUnequalOrEmptyAnswers) {
  expect_error(ErrorKind::internal,
               "paired difference: 1 and 2 answers, expected equally many and at least one", [] {
                 paired_difference({true}, {true, false});
               });
  expect_error(ErrorKind::internal,
               "paired difference: 0 and 0 answers, expected equally many and at least one",
               [] { paired_difference({}, {}); });
}

EscalationPolicy at_ten() {
  EscalationPolicy policy;
  policy.rule = plain_rule(ScoreKind::margin, bag_and_boot());
  policy.thresholds = {10, 10, kAlwaysEscalate};
  return policy;
}

/// Confident answers `other` stay on the device too.
EscalationPolicy filtering() {
  EscalationPolicy policy = at_ten();
  policy.thresholds[kOther] = 25;
  policy.other = OtherMode::answer;
  return policy;
}

/// Eleven samples: local are 0, 1, 2 and 7, when filtering also 5, 6 and 9.
Answers eleven() {
  return answers_of({{20, 20, kLittleBag, kBag, kBag},
                     {20, 30, kLittleBag, kShirt, kBag},  // big alone would be wrong
                     {15, 15, kLittleBoot, kBag, kBag},   // big alone would be right
                     {5, 9, kLittleBag, kBag, kBag},
                     {5, 5, kLittleBoot, kShirt, kShirt},
                     {30, 30, kOther, kShirt, kShirt},
                     {30, 30, kOther, kBoot, kBoot},
                     {12, 40, kLittleBoot, kBoot, kBoot},
                     {0, 20, kLittleBag, kShirt, kBag},  // a tie
                     {40, 40, kOther, kBag, kShirt},
                     {3, 3, kLittleBag, kBoot, kBag}});
}

const std::vector<std::int64_t> kFloatClasses{0, 0, 0, 0, 1, 2, 2, 1, 0, 2, 0};

SystemReport report_of_eleven(const EscalationPolicy& policy = at_ten()) {
  const Answers answers = eleven();
  return evaluate_system({answers, answers, kFloatClasses, 0.1}, policy, bag_and_boot(), kClasses);
}

TEST(EvaluateSystem, CountsWhoIsRight) {
  const SystemReport report = report_of_eleven();
  EXPECT_EQ(report.n, 11);
  EXPECT_EQ(report.big.count, 7);           // 0 2 3 4 5 6 7
  EXPECT_EQ(report.little_int8.count, 8);   // 0 1 3 5 7 8 9 10
  EXPECT_EQ(report.little_float.count, 9);  // and 2
  EXPECT_EQ(report.agreement.count, 10);    // float is right in 2, where int8 is wrong
  EXPECT_EQ(report.system.count, 7);        // 0 1 3 4 5 6 7
  EXPECT_EQ(report.system.n, 11);
  EXPECT_DOUBLE_EQ(report.system.value, 7.0 / 11);
}

TEST(EvaluateSystem, ComparesBigAndSystemPairwise) {
  const SystemReport report = report_of_eleven();
  const PairedDifference expected = difference(6, 1, 1, 3);
  EXPECT_DOUBLE_EQ(report.loss.value, 0.0);
  EXPECT_DOUBLE_EQ(report.loss.low, expected.low);
  EXPECT_DOUBLE_EQ(report.loss.high, expected.high);
}

TEST(EvaluateSystem, CountsWhatStaysLocal) {
  const SystemReport report = report_of_eleven();
  EXPECT_EQ(report.local.count, 4);
  EXPECT_EQ(report.local.n, 11);
  EXPECT_EQ(report.priority_local.count, 4);
  EXPECT_EQ(report.priority_local.n, 8);
  EXPECT_EQ(report.local_correct.count, 3);
  EXPECT_EQ(report.local_correct.n, 4);
}

TEST(EvaluateSystem, StatesTheReferences) {
  const SystemReport report = report_of_eleven();
  // Little names a priority class in 8 samples, right in 6; big is right in 2 of the other 3.
  EXPECT_DOUBLE_EQ(report.always_little, 8.0 / 11);
  // 4 of the 8 at random: half of little's 6 and half of big's 5 there, and big's 2 elsewhere.
  EXPECT_DOUBLE_EQ(report.random_escalation, 7.5 / 11);
}

TEST(EvaluateSystem, HasARowForEveryClass) {
  const SystemReport report = report_of_eleven();
  ASSERT_EQ(report.classes.size(), 3U);
  const auto expect_row = [](const ClassRow& row, const ClassRow& expected) {
    EXPECT_EQ(row.name, expected.name);
    EXPECT_EQ(row.n, expected.n);
    EXPECT_DOUBLE_EQ(row.big_accuracy, expected.big_accuracy);
    EXPECT_DOUBLE_EQ(row.system_accuracy, expected.system_accuracy);
    EXPECT_EQ(row.local.count, expected.local.count);
    EXPECT_EQ(row.local.n, expected.local.n);
    EXPECT_EQ(row.dropped.count, expected.dropped.count);
    EXPECT_EQ(row.priority, expected.priority);
  };
  expect_row(report.classes[0], {"shirt", false, 3, 2.0 / 3, 2.0 / 3, make_rate(0, 3), {}});
  expect_row(report.classes[1], {"bag", true, 6, 0.5, 0.5, make_rate(3, 6), {}});
  expect_row(report.classes[2], {"boot", true, 2, 1.0, 1.0, make_rate(1, 2), {}});
}

TEST(EvaluateSystem, CountsAnswersByTrueClass) {
  const Confusion confusion = report_of_eleven().confusion;
  EXPECT_EQ(confusion.names, (std::vector<std::string>{"bag", "boot", "other"}));
  using Counts = std::vector<std::vector<std::int64_t>>;
  EXPECT_EQ(confusion.counts, (Counts{{2, 1, 0, 3}, {0, 1, 0, 1}, {0, 0, 0, 3}}));
  EXPECT_EQ(report_of_eleven(filtering()).confusion.counts,
            (Counts{{2, 1, 0, 3}, {0, 1, 1, 0}, {0, 0, 2, 1}}));
}

TEST(EvaluateSystem, CountsOverLittleClassesInFilterMode) {
  const SystemReport report = report_of_eleven(filtering());
  EXPECT_EQ(report.big.count, 7);     // 0 2 3 4 5 6 7
  EXPECT_EQ(report.system.count, 7);  // 0 1 5 7 9 on the device, 3 and 4 by big
  EXPECT_EQ(report.local.count, 7);
  EXPECT_EQ(report.escalated.count, 4);
  EXPECT_EQ(report.dropped.count, 3);           // 5 6 9
  EXPECT_EQ(report.priority_dropped.count, 1);  // 6
  EXPECT_EQ(report.priority_dropped.n, 8);
  EXPECT_EQ(report.priority_local.count, 5);
  EXPECT_EQ(report.local_correct.count, 5);
  // Little is right in 8 of all 11; 7 of 11 at random stay with it, the rest goes to big.
  EXPECT_DOUBLE_EQ(report.always_little, 8.0 / 11);
  EXPECT_NEAR(report.random_escalation, (7.0 / 11 * 8 + 4.0 / 11 * 7) / 11, 1e-12);
  EXPECT_EQ(report.classes[2].dropped.count, 1);
}

TEST(EvaluateSystem, ForecastsTheDatasMixAndTheFieldsWhereThereIsOne) {
  EscalationPolicy policy = at_ten();
  EXPECT_FALSE(report_of_eleven(policy).field_forecast.has_value());
  policy.certificate.field_shares = {0.0, 0.5, 0.5};
  const SystemReport report = report_of_eleven(policy);
  EXPECT_NEAR(report.data_forecast.of(Fate::answered).value, 1000.0 * 4 / 11, 1e-9);
  ASSERT_TRUE(report.field_forecast.has_value());
  EXPECT_NEAR(report.field_forecast->of(Fate::answered).value, 500.0, 1e-9);
}

TEST(EvaluateSystem, IsBigAloneWhenEverythingEscalates) {
  EscalationPolicy policy = at_ten();
  policy.thresholds.assign(3, kAlwaysEscalate);
  const SystemReport report = report_of_eleven(policy);
  EXPECT_EQ(report.local.count, 0);
  EXPECT_EQ(report.system.count, report.big.count);
  EXPECT_EQ(report.local_correct.n, 0);
  EXPECT_DOUBLE_EQ(report.random_escalation, report.big.value);
}

TEST(EvaluateSystem, WritesEveryFieldAsJson) {
  const Json json = to_json(report_of_eleven());
  EXPECT_EQ(json.at("system").at("count"), 7);
  EXPECT_EQ(json.at("loss").at("value"), 0.0);
  EXPECT_EQ(json.at("classes").at(2).at("name"), "boot");
  EXPECT_EQ(json.at("classes").at(2).at("priority"), true);
  EXPECT_EQ(json.at("random_escalation"), 7.5 / 11);
  for (const char* key : {"n", "big", "little_float", "little_int8", "agreement", "local",
                          "priority_local", "local_correct", "always_little", "escalated",
                          "int8_loss", "confusion", "curve", "temperature", "forecast", "scores"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_EQ(json.at("accuracy_over"), "big classes");
  EXPECT_EQ(json.at("confusion").at("answers").size(), 4);
  EXPECT_EQ(json.at("curve").at("points").at(0).at("right"), 7);
  EXPECT_EQ(json.at("temperature").at("before").at("bins").size(), 15);
  EXPECT_FALSE(json.contains("dropped"));
  EXPECT_TRUE(to_json(report_of_eleven(filtering())).contains("dropped"));
}

TEST(EvaluateSystem, RefusesWhatDoesNotFit) {
  const Answers answers = eleven();
  const auto evaluate = [&](const std::vector<std::int64_t>& little_float,
                            const std::vector<std::string>& classes) {
    evaluate_system({answers, answers, little_float, 0.1}, at_ten(), bag_and_boot(), classes);
  };
  expect_error(ErrorKind::bad_data, "test: 2 answers of the float little network but 11 samples",
               [&] {
                 evaluate({0, 1}, kClasses);
               });
  expect_error(ErrorKind::bad_data, "test: 1 class names but the priority map has 3",
               [&] { evaluate(kFloatClasses, {"shirt"}); });
  const Answers none;
  expect_error(ErrorKind::bad_data, "test: no samples, expected at least one", [&] {
    evaluate_system({none, answers, {}, 0.1}, at_ten(), bag_and_boot(), kClasses);
  });
}

}  // namespace
}  // namespace biglittle
