// SPDX-License-Identifier: MIT
#include "calibrate/simultaneous_band.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/random.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using namespace testing;

constexpr std::int64_t kSteps = 30;

/// Each sample becomes local at a step drawn evenly; big is right in 0.9, little in 0.97 of the
/// early ones down to 0.7 of the late ones, apart from each other.
double little_right(std::int64_t step) {
  return 0.97 - 0.27 * static_cast<double>(step) / (kSteps - 1);
}

std::vector<SampleAlongPath> draw(std::int64_t n, Random& random) {
  std::vector<SampleAlongPath> samples;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto step = static_cast<std::int64_t>(random.below(kSteps));
    samples.push_back({step, random.uniform() < 0.9, random.uniform() < little_right(step)});
  }
  return samples;
}

/// Accuracy of the system at step -1 and every step, exactly.
std::vector<double> truth() {
  std::vector<double> accuracy{0.9};
  for (std::int64_t step = 0; step < kSteps; ++step) {
    accuracy.push_back(accuracy.back() + (little_right(step) - 0.9) / kSteps);
  }
  return accuracy;
}

bool holds(const Band& band, const std::vector<double>& accuracy) {
  for (std::size_t i = 0; i < accuracy.size(); ++i) {
    if (accuracy[i] < band.low[i] || accuracy[i] > band.high[i]) return false;
  }
  return true;
}

TEST(SimultaneousBand, HoldsTheWholeTrueCurveAsOftenAsItSays) {
  constexpr std::int64_t kDraws = 400;
  Random random(11);
  const std::vector<double> accuracy = truth();
  BandOptions options;
  options.resamples = 250;
  BandOptions pointwise;
  pointwise.resamples = 0;  // then only 1.96 standard errors at each step
  std::int64_t held = 0;
  std::int64_t held_pointwise = 0;
  double critical = 0.0;
  for (std::int64_t i = 0; i < kDraws; ++i) {
    const std::vector<SampleAlongPath> samples = draw(500, random);
    options.seed = static_cast<std::uint64_t>(i);
    const Band band = simultaneous_band(samples, kSteps, options);
    held += holds(band, accuracy);
    held_pointwise += holds(simultaneous_band(samples, kSteps, pointwise), accuracy);
    critical += band.critical / kDraws;
  }
  // 0.95 and three standard errors of 400 draws: 0.917 to 0.983.
  EXPECT_GE(held, 0.93 * kDraws);
  EXPECT_LE(held, 0.985 * kDraws);
  EXPECT_LT(held_pointwise, 0.92 * kDraws);
  // Bonferroni over 31 points would take 3.15 standard errors.
  EXPECT_GT(critical, 2.1);
  EXPECT_LT(critical, 2.9);
}

// One point alone: the sup-t value is the normal one, and the limits Wilson's. For 80 of 100 with
// z = 1.959964 (R 4.2, prop.test(80, 100, correct = FALSE)): 0.7111708 to 0.8666331.
TEST(SimultaneousBand, IsWilsonsIntervalForASinglePoint) {
  std::vector<SampleAlongPath> samples(100, SampleAlongPath{0, true, true});
  for (std::size_t i = 0; i < 20; ++i) samples[i].before = false;
  BandOptions options;
  options.resamples = 0;
  const Band band = simultaneous_band(samples, 0, options);
  ASSERT_EQ(band.low.size(), 1U);
  EXPECT_NEAR(band.low[0], 0.7111708, 1e-6);
  EXPECT_NEAR(band.high[0], 0.8666331, 1e-6);
}

TEST(SimultaneousBand, DoesNotCloseWhereEverythingIsRight) {
  const std::vector<SampleAlongPath> samples(50, SampleAlongPath{0, true, true});
  const Band band = simultaneous_band(samples, 2, {});
  EXPECT_NEAR(band.critical, 1.959964, 1e-5);
  EXPECT_EQ(band.high[0], 1.0);
  EXPECT_GT(band.low[0], 0.9);
  EXPECT_LT(band.low[0], 0.95);
}

TEST(SimultaneousBand, CountsASampleThatIsNeverLocalAsBigs) {
  const std::vector<SampleAlongPath> samples = {{1, false, true}, {2, true, false}};
  const Band band = simultaneous_band(samples, 2, {});
  ASSERT_EQ(band.low.size(), 3U);
  EXPECT_LT(band.high[1], 1.0);
  EXPECT_EQ(band.high[2], 1.0);  // at step 1 both are right
}

TEST(SimultaneousBand, NeedsASample) {
  expect_error(ErrorKind::internal, "simultaneous band: no samples",
               [] { simultaneous_band({}, 3, {}); });
}

}  // namespace
}  // namespace biglittle
