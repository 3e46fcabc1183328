// SPDX-License-Identifier: MIT
#include "train/schedule.h"

#include <gtest/gtest.h>

namespace biglittle {
namespace {

TrainOptions with(ScheduleKind kind) {
  TrainOptions options;
  options.schedule = kind;
  options.learning_rate = 1.0;
  options.warmup = 0.2;
  return options;
}

TEST(LearningRate, RisesToThePeakDuringWarmup) {
  // 10 of 50 steps rise; step k is taken at its middle, k + 1/2.
  const TrainOptions options = with(ScheduleKind::one_cycle);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 0, 50), 0.05);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 9, 50), 0.95);
}

TEST(LearningRate, OneCycleFallsAlongALine) {
  const TrainOptions options = with(ScheduleKind::one_cycle);
  // The difference from 1 costs digits.
  EXPECT_NEAR(learning_rate_at(options, 10, 50), 1.0 - 0.5 / 40.0, 1e-14);
  EXPECT_NEAR(learning_rate_at(options, 49, 50), 0.5 / 40.0, 1e-14);
}

TEST(LearningRate, CosineFallsAlongHalfACosine) {
  const TrainOptions options = with(ScheduleKind::cosine);
  // Just before and after the middle of the fall the two rates lie symmetrically around one half.
  const double before = learning_rate_at(options, 29, 50);
  const double after = learning_rate_at(options, 30, 50);
  EXPECT_NEAR(before + after, 1.0, 1e-12);
  EXPECT_GT(before, after);
  // cos(pi 39.5 / 40) = -0.99922904
  EXPECT_NEAR(learning_rate_at(options, 49, 50), 0.5 * (1.0 - 0.99922904), 1e-8);
}

TEST(LearningRate, ConstantStaysAndNeedsNoWarmup) {
  const TrainOptions options = with(ScheduleKind::constant);
  EXPECT_EQ(learning_rate_at(options, 0, 50), 1.0);
  EXPECT_EQ(learning_rate_at(options, 49, 50), 1.0);
}

TEST(LearningRate, WithoutWarmupStartsNearThePeak) {
  TrainOptions options = with(ScheduleKind::one_cycle);
  options.warmup = 0.0;
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 0, 10), 0.95);
}

TEST(EpochsWithin, KeepsAThirtiethAndStaysInItsRange) {
  EXPECT_EQ(epochs_within(300.0, 10.0), 29);
  EXPECT_EQ(epochs_within(300.0, 10.01), 28);
  EXPECT_EQ(epochs_within(30.0, 29.1), 1);
  EXPECT_EQ(epochs_within(30.0, 400.0), 1);  // an epoch is the least there is
  EXPECT_EQ(epochs_within(-5.0, 1.0), 1);    // the budget is spent already
  EXPECT_EQ(epochs_within(30.0, 1e-9), 100000);
  EXPECT_EQ(epochs_within(30.0, 0.0), 100000);
}

}  // namespace
}  // namespace biglittle
