// SPDX-License-Identifier: MIT
#include "train/optimizer.h"

#include <gtest/gtest.h>

#include <vector>

namespace biglittle {
namespace {

TEST(Sgd, TakesTwoStepsAsWorkedByHand) {
  TrainOptions options;
  options.momentum = 0.5;
  options.weight_decay = 0.1;
  Optimizer optimizer(options, {1, 0});
  std::vector<float> parameters = {1.0f, 1.0f};
  const std::vector<float> gradients = {0.4f, 0.4f};

  // First: g = 0.4 + 0.1 = 0.5 with decay, 0.4 without; v = g; step = g + v / 2.
  optimizer.begin_step(0.2);
  optimizer.update(parameters, gradients, 0, 2);
  EXPECT_NEAR(parameters[0], 1.0 - 0.2 * 0.75, 1e-6);
  EXPECT_NEAR(parameters[1], 1.0 - 0.2 * 0.60, 1e-6);

  // Second: g = 0.4 + 0.085 = 0.485, v = 0.25 + 0.485 = 0.735, step = 0.485 + 0.3675 = 0.8525.
  // Without decay: g = 0.4, v = 0.2 + 0.4 = 0.6, step = 0.7.
  optimizer.begin_step(0.2);
  optimizer.update(parameters, gradients, 0, 2);
  EXPECT_NEAR(parameters[0], 0.85 - 0.2 * 0.8525, 1e-6);
  EXPECT_NEAR(parameters[1], 0.88 - 0.2 * 0.7, 1e-6);
}

TEST(AdamW, TakesTwoStepsAsWorkedByHand) {
  TrainOptions options;
  options.optimizer = OptimizerKind::adamw;
  options.weight_decay = 0.1;
  Optimizer optimizer(options, {1, 0});
  std::vector<float> parameters = {1.0f, 1.0f};

  // First step: both moments are unbiased to g and g^2, so the step is rate * sign(g); decay takes
  // rate * 0.1 of the weight before.
  optimizer.begin_step(0.01);
  optimizer.update(parameters, std::vector<float>{0.5f, -2.0f}, 0, 2);
  EXPECT_NEAR(parameters[0], 1.0 - 0.001 - 0.01, 1e-6);
  EXPECT_NEAR(parameters[1], 1.0 + 0.01, 1e-6);

  // Second step with g = 1 after 0.5: m = 0.9 * 0.05 + 0.1 = 0.145, corrected by 1 - 0.81 = 0.19;
  // v = 0.999 * 0.00025 + 0.001 = 0.00124975, corrected by 1 - 0.998001 = 0.001999.
  // step = 0.763158 / sqrt(0.625188) = 0.965185.
  const double before = parameters[0];
  optimizer.begin_step(0.01);
  optimizer.update(parameters, std::vector<float>{1.0f, 0.0f}, 0, 2);
  EXPECT_NEAR(parameters[0], before * (1.0 - 0.001) - 0.01 * 0.965185, 1e-6);
}

TEST(Optimizer, GivesTheSameResultInSlices) {
  TrainOptions options;
  Optimizer whole(options, {1, 1, 0});
  Optimizer sliced(options, {1, 1, 0});
  std::vector<float> a = {1.0f, 2.0f, 3.0f};
  std::vector<float> b = a;
  const std::vector<float> gradients = {0.1f, -0.2f, 0.3f};
  for (int step = 0; step < 3; ++step) {
    whole.begin_step(0.1);
    whole.update(a, gradients, 0, 3);
    sliced.begin_step(0.1);
    sliced.update(b, gradients, 1, 3);
    sliced.update(b, gradients, 0, 1);
  }
  EXPECT_EQ(a, b);
}

TEST(Optimizer, AveragesWeightsWithAGrowingDecay) {
  TrainOptions options;
  options.momentum = 0.0;
  options.weight_decay = 0.0;
  options.ema = 0.9;
  Optimizer optimizer(options, {0});
  std::vector<float> parameters = {0.0f};
  // Weights 1, then 2: the first average is the first weight, the second keeps (1 + 2) / (10 + 2)
  // of it.
  optimizer.begin_step(1.0);
  optimizer.update(parameters, std::vector<float>{-1.0f}, 0, 1);
  EXPECT_FLOAT_EQ(optimizer.averaged()[0], 1.0f);
  optimizer.begin_step(1.0);
  optimizer.update(parameters, std::vector<float>{-1.0f}, 0, 1);
  EXPECT_FLOAT_EQ(optimizer.averaged()[0], 0.25f * 1.0f + 0.75f * 2.0f);
}

TEST(Optimizer, KeepsNoAverageUnlessAsked) {
  EXPECT_TRUE(Optimizer(TrainOptions{}, {0}).averaged().empty());
}

}  // namespace
}  // namespace biglittle
