// SPDX-License-Identifier: MIT
#include "train/libtorch/objective.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace biglittle {
namespace {

// Four big classes: 2 and 0 are priority, 1 and 3 join into "other".
PriorityMap two_of_four() { return {{1, 2, 0, 2}, {"c", "a", "other"}, true}; }

TEST(JoinedLogProbabilities, AddsTheProbabilitiesOfJoinedClasses) {
  const at::Tensor logits =
      at::log(at::tensor({0.1f, 0.2f, 0.3f, 0.4f})).unsqueeze(0) + 5.0;  // [1, 4]
  const at::Tensor joined = joined_log_probabilities(logits, two_of_four()).exp();
  EXPECT_NEAR(joined[0][0].item<double>(), 0.3, 1e-6);
  EXPECT_NEAR(joined[0][1].item<double>(), 0.1, 1e-6);
  EXPECT_NEAR(joined[0][2].item<double>(), 0.6, 1e-6);
}

TEST(LossSum, IsCrossEntropyWithoutATeacher) {
  const at::Tensor logits = at::log(at::tensor({0.25f, 0.75f})).unsqueeze(0);
  const at::Tensor labels = at::tensor(std::vector<std::int64_t>{1});
  EXPECT_NEAR(loss_sum(logits, labels, {}, nullptr, 0.0).item<double>(), -std::log(0.75), 1e-6);
  // Smoothing 0.2: 0.9 of the label, 0.1 of the other class.
  EXPECT_NEAR(loss_sum(logits, labels, {}, nullptr, 0.2).item<double>(),
              -0.9 * std::log(0.75) - 0.1 * std::log(0.25), 1e-6);
}

TEST(LossSum, AddsTheSoftenedDivergenceAsWorkedByHand) {
  // At T = 2 probabilities p become proportional to sqrt(p): teacher 0.9, 0.1 -> 0.75, 0.25;
  // student 0.5, 0.5 stays. KL = 0.75 ln 1.5 + 0.25 ln 0.5 = 0.130812; T^2 = 4.
  const at::Tensor logits = at::zeros({1, 2});
  const at::Tensor teacher = at::log(at::tensor({0.9f, 0.1f})).unsqueeze(0);
  const at::Tensor labels = at::tensor(std::vector<std::int64_t>{0});
  Distillation distillation;
  distillation.temperature = 2.0;
  distillation.soft_weight = 0.75;
  EXPECT_NEAR(loss_sum(logits, labels, teacher, &distillation, 0.0).item<double>(),
              0.75 * 4.0 * 0.130812 + 0.25 * std::log(2.0), 1e-5);
}

TEST(LossSum, IsZeroDivergenceWhenTheStudentAgrees) {
  const at::Tensor logits = at::tensor({1.0f, -2.0f, 0.5f}).unsqueeze(0);
  Distillation distillation;
  distillation.soft_weight = 1.0;
  const at::Tensor loss = loss_sum(logits, at::tensor(std::vector<std::int64_t>{0}),
                                   at::log_softmax(logits, 1), &distillation, 0.0);
  EXPECT_NEAR(loss.item<double>(), 0.0, 1e-6);
}

}  // namespace
}  // namespace biglittle
