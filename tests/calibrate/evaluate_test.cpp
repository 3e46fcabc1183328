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
  policy.threshold = 10;
  return policy;
}

/// Eleven samples: local are 0, 1, 2 and 7.
Scores eleven() {
  return scores_of({{20, kLittleBag, kBag, kBag},
                    {20, kLittleBag, kShirt, kBag},  // big alone would be wrong
                    {15, kLittleBoot, kBag, kBag},   // big alone would be right
                    {5, kLittleBag, kBag, kBag},
                    {5, kLittleBoot, kShirt, kShirt},
                    {30, kOther, kShirt, kShirt},
                    {30, kOther, kBoot, kBoot},
                    {12, kLittleBoot, kBoot, kBoot},
                    {0, kLittleBoot, kShirt, kBoot},  // a tie
                    {40, kOther, kBag, kShirt},
                    {3, kLittleBag, kBoot, kBag}});
}

SystemReport report_of_eleven() {
  const Scores test = eleven();
  std::vector<std::int64_t> float_class = test.little_class;
  float_class[2] = kLittleBag;  // float is right where int8 is wrong
  return evaluate_system(test, float_class, at_ten(), bag_and_boot(), kClasses);
}

TEST(EvaluateSystem, CountsWhoIsRight) {
  const SystemReport report = report_of_eleven();
  EXPECT_EQ(report.n, 11);
  EXPECT_EQ(report.big.count, 7);           // 0 2 3 4 5 6 7
  EXPECT_EQ(report.little_int8.count, 8);   // 0 1 3 5 7 8 9 10
  EXPECT_EQ(report.little_float.count, 9);  // and 2
  EXPECT_EQ(report.agreement.count, 10);
  EXPECT_EQ(report.system.count, 7);  // 0 1 3 4 5 6 7
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
    EXPECT_DOUBLE_EQ(row.local_share, expected.local_share);
    EXPECT_EQ(row.priority, expected.priority);
  };
  expect_row(report.classes[0], {"shirt", 3, 2.0 / 3, 2.0 / 3, 0.0, false});
  expect_row(report.classes[1], {"bag", 5, 0.6, 0.6, 0.6, true});
  expect_row(report.classes[2], {"boot", 3, 2.0 / 3, 2.0 / 3, 1.0 / 3, true});
}

TEST(EvaluateSystem, IsBigAloneWhenEverythingEscalates) {
  const Scores test = eleven();
  const SystemReport report =
      evaluate_system(test, test.little_class, EscalationPolicy{}, bag_and_boot(), kClasses);
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
                          "priority_local", "local_correct", "always_little"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
}

TEST(EvaluateSystem, RefusesWhatDoesNotFit) {
  const Scores test = eleven();
  expect_error(ErrorKind::bad_data, "test: 2 answers of the float little network but 11 samples",
               [&] {
                 evaluate_system(test, {0, 1}, at_ten(), bag_and_boot(), kClasses);
               });
  expect_error(ErrorKind::bad_data, "test: 1 class names but the priority map has 3", [&] {
    evaluate_system(test, test.little_class, at_ten(), bag_and_boot(), {"shirt"});
  });
  expect_error(ErrorKind::bad_data, "test: no samples, expected at least one",
               [&] { evaluate_system({}, {}, at_ten(), bag_and_boot(), kClasses); });
}

}  // namespace
}  // namespace biglittle
