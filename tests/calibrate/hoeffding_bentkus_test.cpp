// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "calibrate/tests.h"
#include "core/random.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using testing::expect_error;

// With 40 digits in Python's mpmath; both parts win somewhere:
//   h = a * log(a / b) + (1 - a) * log((1 - a) / (1 - b))            # a = min(total / n, b)
//   tail = sum(binomial(n, i) * b**i * (1 - b)**(n - i) for i in range(ceil(total) + 1))
//   min(exp(-n * h), e * tail, 1)
TEST(HoeffdingBentkusPValue, EqualsBothFormulas) {
  EXPECT_NEAR(hoeffding_bentkus_p_value(3.5, 100, 0.1), 0.047127919509779017, 1e-14);
  EXPECT_NEAR(hoeffding_bentkus_p_value(12.25, 1000, 0.02), 0.16939262257226863, 1e-13);
  EXPECT_NEAR(hoeffding_bentkus_p_value(0.3, 10, 0.5), 0.0037573170613050576, 1e-15);
  EXPECT_NEAR(hoeffding_bentkus_p_value(40, 5000, 0.01), 0.23103399748395882, 1e-13);
  EXPECT_NEAR(hoeffding_bentkus_p_value(6, 20, 0.9), 5.8570230136776205e-10, 1e-22);
}

// Without any cost Hoeffding's part is (1 - bound)^n, the binomial test's p.
TEST(HoeffdingBentkusPValue, EqualsTheBinomialTestWithoutCost) {
  EXPECT_NEAR(hoeffding_bentkus_p_value(0.0, 59, 0.05), binomial_p_value(0, 59, 0.05), 1e-15);
  EXPECT_LE(hoeffding_bentkus_p_value(0.0, 299, 0.01), 0.05);
  EXPECT_GT(hoeffding_bentkus_p_value(0.0, 298, 0.01), 0.05);
}

TEST(HoeffdingBentkusPValue, IsExactAtTheEnds) {
  EXPECT_EQ(hoeffding_bentkus_p_value(0.0, 0, 0.3), 1.0);
  EXPECT_EQ(hoeffding_bentkus_p_value(0.0, 7, 0.0), 1.0);
  EXPECT_EQ(hoeffding_bentkus_p_value(2.5, 500, 0.005), 1.0);  // the mean is the bound
  EXPECT_EQ(hoeffding_bentkus_p_value(300.0, 500, 0.005), 1.0);
  EXPECT_EQ(hoeffding_bentkus_p_value(7.0, 7, 1.0), 1.0);
  EXPECT_EQ(hoeffding_bentkus_p_value(6.5, 7, 1.0), 0.0);
}

TEST(HoeffdingBentkusPValue, RefusesSumsAndBoundsThatDoNotExist) {
  expect_error(ErrorKind::internal, "hoeffding-bentkus test: sum is 7.5, expected 0 to 7",
               [] { hoeffding_bentkus_p_value(7.5, 7, 0.5); });
  expect_error(ErrorKind::internal, "hoeffding-bentkus test: sum is -0.5, expected 0 to 7",
               [] { hoeffding_bentkus_p_value(-0.5, 7, 0.5); });
  expect_error(ErrorKind::internal, "hoeffding-bentkus test: bound is nan, expected 0 to 1",
               [] { hoeffding_bentkus_p_value(0.5, 7, std::numeric_limits<double>::quiet_NaN()); });
}

// Solved by 120 bisections of the mpmath formula above.
TEST(HoeffdingBentkusUpper, EqualsTheSolvedBound) {
  EXPECT_NEAR(hoeffding_bentkus_upper(3.5, 100, 0.05), 0.099178697941602737, 1e-11);
  EXPECT_NEAR(hoeffding_bentkus_upper(0.0, 100, 0.05), 0.029513049607039935, 1e-11);
  EXPECT_NEAR(hoeffding_bentkus_upper(40.0, 5000, 0.05), 0.011075746790135736, 1e-11);
  EXPECT_NEAR(hoeffding_bentkus_upper(12.25, 1000, 0.01), 0.025908414118852045, 1e-11);
  EXPECT_NEAR(hoeffding_bentkus_upper(99.5, 100, 0.05), 0.99999538574206503, 1e-11);
}

TEST(HoeffdingBentkusUpper, PassesItselfAndNothingBelow) {
  const double upper = hoeffding_bentkus_upper(12.25, 1000, 0.05);
  EXPECT_LE(hoeffding_bentkus_p_value(12.25, 1000, upper), 0.05);
  EXPECT_GT(hoeffding_bentkus_p_value(12.25, 1000, upper - 2e-12), 0.05);
}

TEST(HoeffdingBentkusUpper, IsOneWhereNothingIsKnown) {
  EXPECT_EQ(hoeffding_bentkus_upper(0.0, 0, 0.05), 1.0);
  EXPECT_EQ(hoeffding_bentkus_upper(5.0, 5, 0.05), 1.0);
}

// By trying n = 1, 2, 3 ... with the mpmath formula above; Hoeffding's part passes first at 59,
// 1249 and 3 samples, Bentkus's at the others.
TEST(HoeffdingBentkusSamplesNeeded, EqualsALinearSearch) {
  EXPECT_EQ(hoeffding_bentkus_samples_needed(0.0, 0.05, 0.05), 59);
  EXPECT_EQ(hoeffding_bentkus_samples_needed(0.001, 0.005, 0.05), 1249);
  EXPECT_EQ(hoeffding_bentkus_samples_needed(0.3, 0.9, 0.05), 3);
  EXPECT_EQ(hoeffding_bentkus_samples_needed(0.025, 0.05, 0.05), 349);
  EXPECT_EQ(hoeffding_bentkus_samples_needed(0.005, 0.01, 0.05), 1763);
  EXPECT_EQ(hoeffding_bentkus_samples_needed(0.1, 0.2, 0.01), 117);
  EXPECT_EQ(hoeffding_bentkus_samples_needed(0.5, 0.6, 0.001), 290);
}

TEST(HoeffdingBentkusSamplesNeeded, IsEmptyWhenTheMeanIsNotBelowTheBound) {
  EXPECT_EQ(hoeffding_bentkus_samples_needed(0.01, 0.01, 0.05), std::nullopt);
  EXPECT_EQ(hoeffding_bentkus_samples_needed(0.02, 0.01, 0.05), std::nullopt);
  EXPECT_EQ(hoeffding_bentkus_samples_needed(0.0099999, 0.01, 0.05), std::nullopt);  // above 10^9
  EXPECT_EQ(hoeffding_bentkus_samples_needed(0.5, 1.0, 0.05), 1);
}

constexpr double kBound = 0.02;
constexpr double kLevel = 0.05;
constexpr int kDraws = 8000;
constexpr int kSamples = 150;

struct Rejections {
  double exact = 0.0;
  double normal = 0.0;  ///< by z = (bound - mean) / (deviation / sqrt(n)) > 1.645
};

/// How often "mean > bound" is rejected although the mean is the bound.
Rejections reject_at_the_bound(const std::function<double(Random&)>& draw_cost) {
  Rejections share;
  Random random(20);
  for (int trial = 0; trial < kDraws; ++trial) {
    double sum = 0.0;
    double squares = 0.0;
    for (int i = 0; i < kSamples; ++i) {
      const double cost = draw_cost(random);
      sum += cost;
      squares += cost * cost;
    }
    if (hoeffding_bentkus_p_value(sum, kSamples, kBound) <= kLevel) share.exact += 1.0 / kDraws;
    const double mean = sum / kSamples;
    const double error = std::sqrt((squares / kSamples - mean * mean) / kSamples);
    if (kBound - mean > 1.645 * error) share.normal += 1.0 / kDraws;
  }
  return share;
}

void expect_valid(const std::function<double(Random&)>& draw_cost) {
  const double standard_error = std::sqrt(kLevel * (1.0 - kLevel) / kDraws);
  EXPECT_LE(reject_at_the_bound(draw_cost).exact, kLevel + 3.0 * standard_error);
}

TEST(HoeffdingBentkusPValue, HoldsForRareFullCosts) {
  const auto cost = [](Random& random) { return random.uniform() < kBound ? 1.0 : 0.0; };
  expect_valid(cost);
  // (1 - 0.02)^150 = 4.8 % of the draws have no cost and 14.8 % have one: z rejects all of these.
  EXPECT_GT(reject_at_the_bound(cost).normal, 0.15);
}

TEST(HoeffdingBentkusPValue, HoldsForCostsOfManySizes) {
  // 4 % of the samples cost a uniform amount with mean 1/2.
  expect_valid(
      [](Random& random) { return random.uniform() < 2.0 * kBound ? random.uniform() : 0.0; });
}

TEST(HoeffdingBentkusPValue, HoldsForSmallCostsEverywhere) {
  expect_valid([](Random& random) { return 2.0 * kBound * random.uniform(); });
}

}  // namespace
}  // namespace biglittle
