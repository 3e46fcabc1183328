// SPDX-License-Identifier: MIT
// The certificate against known truth with more draws and sizes than the fast test.

#include <gtest/gtest.h>

#include "calibrate/world.h"

namespace biglittle {
namespace {

using testing::highest_plausible;
using testing::Shape;
using testing::simulate;
using testing::Violations;
using testing::World;

struct Case {
  Shape shape;
  double error_rate;
  CalibrateOptions options;
};

void expect_valid(const Case& tested, std::int64_t n, std::int64_t draws) {
  const World world(tested.shape, tested.error_rate);
  const Violations violations = simulate(world, n, draws, tested.options);
  EXPECT_LE(violations.certified, highest_plausible(tested.options.delta, draws)) << n;
  EXPECT_GT(violations.naive, 0.2) << n;
}

const Case kNetLossCases[] = {
    {Shape::well_ordered, 0.021, {.net_loss = 0.005, .miss = 0.0, .grid = 40}},
    {Shape::flat, 0.013, {.net_loss = 0.005, .miss = 0.0, .grid = 40}},
    {Shape::confidently_wrong_at_top, 0.0094, {.net_loss = 0.005, .miss = 0.0, .grid = 40}}};
const Case kMissCases[] = {
    {Shape::well_ordered, 0.05, {.net_loss = 0.0, .miss = 0.02, .grid = 40}},
    {Shape::flat, 0.03, {.net_loss = 0.0, .miss = 0.02, .grid = 40}},
    {Shape::confidently_wrong_at_top, 0.021, {.net_loss = 0.0, .miss = 0.02, .grid = 40}}};

TEST(LongCertificate, HoldsForNetLoss) {
  for (const Case& tested : kNetLossCases) {
    expect_valid(tested, 800, 4000);
    expect_valid(tested, 2000, 2000);
    expect_valid(tested, 8000, 300);
  }
}

TEST(LongCertificate, HoldsForMiss) {
  for (const Case& tested : kMissCases) {
    expect_valid(tested, 800, 4000);
    expect_valid(tested, 2000, 2000);
    expect_valid(tested, 8000, 300);
  }
}

}  // namespace
}  // namespace biglittle
