// SPDX-License-Identifier: MIT
// The certificate against known truth: how often the chosen thresholds break the promise. The
// smallest samples only; long_validity_test.cpp has larger ones, certificate_soak the most draws.

#include "calibrate/validity.h"

#include <gtest/gtest.h>

namespace biglittle {
namespace {

using namespace testing;

constexpr std::int64_t kSamples = kSampleSizes[0];
constexpr std::int64_t kDraws = 200;

class CertificateOf : public ::testing::TestWithParam<Trial> {};

TEST_P(CertificateOf, HoldsWhereTheRuleWithoutStatisticsDoesNot) {
  expect_valid(GetParam(), kSamples, kDraws);
}

INSTANTIATE_TEST_SUITE_P(Trials, CertificateOf, ::testing::ValuesIn(certificate_trials()),
                         test_name);

}  // namespace
}  // namespace biglittle
