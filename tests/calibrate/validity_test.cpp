// SPDX-License-Identifier: MIT
// The certificate against known truth: how often the chosen thresholds break the promise. The
// smallest samples only; long_validity_test.cpp has larger ones, certificate_soak the most draws.

#include "calibrate/validity.h"

#include <gtest/gtest.h>

namespace biglittle {
namespace {

using namespace testing;

constexpr std::int64_t kSamples = kSampleSizes[0];
constexpr std::int64_t kDraws = 150;

class CertificateOf : public ::testing::TestWithParam<Trial> {};

TEST_P(CertificateOf, HoldsWhereTheRuleWithoutStatisticsDoesNot) {
  expect_valid(GetParam(), kSamples, kDraws);
}

// So many draws that a search at twice delta, or one that goes on after a failure, is noticed.
TEST(SharpCertificateOf, HoldsWhereTheRiskIsHardlyAboveItsBound) {
  for (const Trial& trial : certificate_trials()) {
    if (trial.shape != Shape::flat) continue;
    if (trial.name != "agreement" && trial.name != "selective") continue;
    expect_valid(trial, kSampleSizes[1], 2000);
  }
}

INSTANTIATE_TEST_SUITE_P(Trials, CertificateOf, ::testing::ValuesIn(certificate_trials()),
                         test_name);

}  // namespace
}  // namespace biglittle
