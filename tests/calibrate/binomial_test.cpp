// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "calibrate/policy.h"
#include "calibrate/tests.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using testing::expect_error;

// Exact values by rational arithmetic in Python:
//   from fractions import Fraction as F; from math import comb
//   float(sum(comb(n, i) * p**i * (1 - p)**(n - i) for i in range(k + 1)))   # p = F(5, 100) ...
TEST(BinomialPValue, EqualsExactSums) {
  EXPECT_NEAR(binomial_p_value(3, 10, 0.5), 0.171875, 1e-15);
  EXPECT_NEAR(binomial_p_value(0, 59, 0.05), 0.048494525249423236, 1e-14);
  EXPECT_NEAR(binomial_p_value(7, 500, 0.02), 0.21749308087117492, 1e-13);
  EXPECT_NEAR(binomial_p_value(25, 5000, 0.005), 0.5529215865294963, 1e-13);
  EXPECT_NEAR(binomial_p_value(40, 5000, 0.01), 0.084992657886003187, 1e-13);
  EXPECT_NEAR(binomial_p_value(990, 1000, 0.99), 0.54269940782510917, 1e-12);
}

// The same sums with 60 decimal digits (Python's decimal module).
TEST(BinomialPValue, HoldsForAMillionSamples) {
  EXPECT_NEAR(binomial_p_value(4900, 1000000, 0.005), 0.078824830662088674, 1e-10);
  EXPECT_NEAR(binomial_p_value(950, 1000000, 0.001), 0.057745541815455687, 1e-10);
  EXPECT_NEAR(binomial_p_value(0, 1000000, 1e-6), std::exp(1e6 * std::log1p(-1e-6)), 1e-12);
}

TEST(BinomialPValue, IsExactAtTheEnds) {
  EXPECT_EQ(binomial_p_value(0, 0, 0.3), 1.0);
  EXPECT_EQ(binomial_p_value(7, 7, 0.3), 1.0);
  EXPECT_EQ(binomial_p_value(7, 7, 1.0), 1.0);
  EXPECT_EQ(binomial_p_value(0, 7, 0.0), 1.0);
  EXPECT_EQ(binomial_p_value(6, 7, 1.0), 0.0);
  EXPECT_EQ(binomial_p_value(1000000, 1000000, 0.5), 1.0);
}

TEST(BinomialPValue, RefusesCountsAndRatesThatDoNotExist) {
  expect_error(ErrorKind::internal, "binomial test: 8 events of 7, expected 0 to n",
               [] { binomial_p_value(8, 7, 0.5); });
  expect_error(ErrorKind::internal, "binomial test: -1 events of 7, expected 0 to n",
               [] { binomial_p_value(-1, 7, 0.5); });
  expect_error(ErrorKind::internal, "binomial test: rate is 1.5, expected 0 to 1",
               [] { binomial_p_value(1, 7, 1.5); });
  expect_error(ErrorKind::internal, "binomial test: rate is nan, expected 0 to 1",
               [] { binomial_p_value(1, 7, std::numeric_limits<double>::quiet_NaN()); });
}

// (1 - eps)^n <= 0.05, by hand: n = ceil(ln 0.05 / ln(1 - eps)).
TEST(BinomialPValue, NeedsTheKnownNumberOfSamplesWithoutFailure) {
  const struct {
    double bound;
    std::int64_t n;
  } cases[] = {{0.05, 59}, {0.01, 299}, {0.005, 598}, {0.001, 2995}};
  for (const auto& [bound, n] : cases) {
    EXPECT_LE(binomial_p_value(0, n, bound), 0.05) << n;
    EXPECT_GT(binomial_p_value(0, n - 1, bound), 0.05) << n;
    EXPECT_EQ(binomial_samples_needed(0.0, bound, 0.05), n);
  }
}

// Smallest n with P(Binomial(n, bound) <= ceil(rate n)) <= 0.05, by a linear search with 60 digits.
TEST(BinomialSamplesNeeded, EqualsALinearSearch) {
  EXPECT_EQ(binomial_samples_needed(0.025, 0.05, 0.05), 234);
  EXPECT_EQ(binomial_samples_needed(0.005, 0.01, 0.05), 1182);
  EXPECT_EQ(binomial_samples_needed(0.0025, 0.005, 0.05), 2366);
  EXPECT_EQ(binomial_samples_needed(0.0005, 0.001, 0.05), 11840);
  EXPECT_EQ(binomial_samples_needed(0.001, 0.005, 0.05), 947);
  EXPECT_EQ(binomial_samples_needed(0.004, 0.005, 0.05), 13986);
}

// The table of docs/certificate.md, which a Python program written apart from this one prints.
TEST(BinomialSamplesNeeded, EqualsTheDocumentedTable) {
  const struct {
    double bound;
    std::int64_t none, fifth, half;
  } rows[] = {{0.05, 59, 93, 234},
              {0.02, 149, 236, 590},
              {0.01, 299, 473, 1182},
              {0.005, 598, 947, 2366},
              {0.001, 2995, 4742, 11840}};
  for (const auto& row : rows) {
    EXPECT_EQ(binomial_samples_needed(0.0, row.bound, 0.05), row.none) << row.bound;
    EXPECT_EQ(binomial_samples_needed(row.bound / 5, row.bound, 0.05), row.fifth) << row.bound;
    EXPECT_EQ(binomial_samples_needed(row.bound / 2, row.bound, 0.05), row.half) << row.bound;
  }
}

TEST(BinomialSamplesNeeded, IsEmptyWhenTheRateIsNotBelowTheBound) {
  EXPECT_EQ(binomial_samples_needed(0.01, 0.01, 0.05), std::nullopt);
  EXPECT_EQ(binomial_samples_needed(0.02, 0.01, 0.05), std::nullopt);
  EXPECT_EQ(binomial_samples_needed(0.0099999, 0.01, 0.05), std::nullopt);  // above 10^9
}

// Solved by 120 bisections of the 60-digit sum.
TEST(ClopperPearson, EqualsTheSolvedTail) {
  EXPECT_NEAR(clopper_pearson_upper(3, 1000, 0.05), 0.00773524471847946, 1e-14);
  EXPECT_NEAR(clopper_pearson_upper(0, 100, 0.05), 0.0295130496070399, 1e-14);
  EXPECT_NEAR(clopper_pearson_upper(20, 200, 0.025), 0.150212787867756, 1e-13);
  EXPECT_NEAR(clopper_pearson_lower(20, 200, 0.025), 0.0621593662540661, 1e-13);
  EXPECT_NEAR(clopper_pearson_lower(1, 50, 0.05), 0.00102533986723206, 1e-14);
}

TEST(ClopperPearson, IsExactAtTheEnds) {
  EXPECT_EQ(clopper_pearson_upper(9, 9, 0.05), 1.0);
  EXPECT_EQ(clopper_pearson_lower(0, 9, 0.05), 0.0);
  EXPECT_EQ(clopper_pearson_upper(0, 0, 0.05), 1.0);
  EXPECT_EQ(clopper_pearson_lower(0, 0, 0.05), 0.0);
  EXPECT_NEAR(clopper_pearson_lower(9, 9, 0.05), std::pow(0.05, 1.0 / 9.0), 1e-14);
}

TEST(MakeRate, HasAnExactTwoSidedInterval) {
  const Rate rate = make_rate(20, 200);
  EXPECT_EQ(rate.count, 20);
  EXPECT_EQ(rate.n, 200);
  EXPECT_DOUBLE_EQ(rate.value, 0.1);
  EXPECT_NEAR(rate.low, 0.0621593662540661, 1e-13);
  EXPECT_NEAR(rate.high, 0.150212787867756, 1e-13);
}

TEST(MakeRate, KnowsNothingWithoutSamples) {
  const Rate rate = make_rate(0, 0);
  EXPECT_EQ(rate.value, 0.0);
  EXPECT_EQ(rate.low, 0.0);
  EXPECT_EQ(rate.high, 1.0);
}

}  // namespace
}  // namespace biglittle
