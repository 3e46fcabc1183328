// SPDX-License-Identifier: MIT
// The certificate against known truth: how often the chosen threshold breaks the promise.

#include <gtest/gtest.h>

#include "calibrate/world.h"

namespace biglittle {
namespace {

using testing::highest_plausible;
using testing::Shape;
using testing::simulate;
using testing::Violations;
using testing::World;

constexpr std::int64_t kSamples = 2000;
constexpr std::int64_t kDraws = 600;

void expect_valid(Shape shape, double error_rate, const CalibrateOptions& options) {
  const Violations violations = simulate(World(shape, error_rate), kSamples, kDraws, options);
  EXPECT_LE(violations.certified, highest_plausible(options.delta, kDraws));
  EXPECT_GT(violations.naive, 0.2);
}

const CalibrateOptions kNetLoss{.net_loss = 0.005, .miss = 0.0, .grid = 40};
const CalibrateOptions kMiss{.net_loss = 0.0, .miss = 0.02, .grid = 40};
const CalibrateOptions kBoth{.net_loss = 0.02, .miss = 0.02, .grid = 40};

TEST(NetLossCertificate, HoldsWhenMarginsOrderErrorsWell) {
  expect_valid(Shape::well_ordered, 0.021, kNetLoss);
}

TEST(NetLossCertificate, HoldsWhenMarginsSayNothing) { expect_valid(Shape::flat, 0.013, kNetLoss); }

TEST(NetLossCertificate, HoldsWhenTheSurestAnswersAreWrong) {
  expect_valid(Shape::confidently_wrong_at_top, 0.0094, kNetLoss);
}

TEST(MissCertificate, HoldsWhenMarginsOrderErrorsWell) {
  expect_valid(Shape::well_ordered, 0.05, kMiss);
}

TEST(MissCertificate, HoldsWhenMarginsSayNothing) { expect_valid(Shape::flat, 0.03, kMiss); }

TEST(MissCertificate, HoldsWhenTheSurestAnswersAreWrong) {
  expect_valid(Shape::confidently_wrong_at_top, 0.021, kMiss);
}

TEST(JointCertificate, HoldsForBothRisksAtOnce) { expect_valid(Shape::well_ordered, 0.05, kBoth); }

// A certificate that is never given would also be valid.
TEST(NetLossCertificate, IsUsuallyGivenWhereTheBoundIsFarAway) {
  const Violations result = simulate(World(Shape::well_ordered, 0.002), kSamples, 100, kNetLoss);
  EXPECT_GT(result.accepted, 0.95);
  EXPECT_EQ(result.certified, 0.0);
}

}  // namespace
}  // namespace biglittle
