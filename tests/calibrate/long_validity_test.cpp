// SPDX-License-Identifier: MIT
// The certificate against known truth with larger samples, and what it is worth.

#include <gtest/gtest.h>

#include "calibrate/coverage.h"
#include "calibrate/validity.h"

namespace biglittle {
namespace {

using namespace testing;

class LongCertificateOf : public ::testing::TestWithParam<Trial> {};

TEST_P(LongCertificateOf, HoldsWhereTheRuleWithoutStatisticsDoesNot) {
  expect_valid(GetParam(), kSampleSizes[1], 300);
  expect_valid(GetParam(), kSampleSizes[2], 50);
}

INSTANTIATE_TEST_SUITE_P(Trials, LongCertificateOf, ::testing::ValuesIn(certificate_trials()),
                         test_name);

class UntoldFieldOf : public ::testing::TestWithParam<Trial> {};

TEST_P(UntoldFieldOf, BreaksThePromiseAboutTheField) {
  const Violations found = simulate(GetParam(), kSampleSizes[2], 50);
  EXPECT_GT(found.certified, 0.2);
}

INSTANTIATE_TEST_SUITE_P(Trials, UntoldFieldOf, ::testing::ValuesIn(untold_field_trials()),
                         test_name);

// A certificate that is never given would also be valid.
TEST(CertificateGiven, WhereTheBoundIsFarAway) {
  for (Trial trial : certificate_trials()) {
    if (trial.name != "net-loss" || trial.shape == Shape::confidently_wrong_at_top) continue;
    trial.options.net_loss *= 4.0;
    const Violations found = simulate(trial, kSampleSizes[1], 100);
    EXPECT_GT(found.given, 0.95) << name_of(trial.shape);
    EXPECT_GT(found.local_share, 0.5) << name_of(trial.shape);
    EXPECT_EQ(found.certified, 0.0) << name_of(trial.shape);
  }
}

void expect_more_than_others(const Trial& trial, std::int64_t n, std::int64_t draws) {
  const Coverage found = compare_coverage(trial, n, draws);
  // Where nearly every draw lets everything stay local, only rounding differs.
  constexpr double kEqual = 5e-4;
  EXPECT_GE(found.certified.local_share, found.bonferroni.local_share - kEqual) << n;
  EXPECT_GE(found.certified.local_share, found.sgr.local_share - kEqual) << n;
  constexpr double kRoundingOfMean = 1e-9;
  EXPECT_LE(found.certified.local_share, found.oracle + kRoundingOfMean) << n;
  for (const RuleCoverage& rule : {found.certified, found.bonferroni, found.sgr}) {
    EXPECT_LE(rule.violations, highest_plausible(trial.options.delta, draws)) << n;
  }
}

TEST(CertificateCoverage, IsAboveThatOfBonferroniAndSgr) {
  for (const Shape shape : {Shape::well_ordered, Shape::flat, Shape::confidently_wrong_at_top}) {
    for (const std::int64_t n : kSampleSizes) {
      SCOPED_TRACE(name_of(shape));
      expect_more_than_others(coverage_trial(shape), n, 200);
    }
  }
}

}  // namespace
}  // namespace biglittle
