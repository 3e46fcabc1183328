// SPDX-License-Identifier: MIT
#include "train/libtorch/fused_ops.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "train/libtorch/flat_weights.h"

namespace biglittle {
namespace {

// |a - b| / |b| over all numbers.
double relative_error(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor expected = b.to(at::kDouble);
  return (a.to(at::kDouble) - expected).norm().item<double>() / expected.norm().item<double>();
}

struct Problem {
  at::Tensor x;
  at::Tensor weight;
  at::Tensor bias;
  at::Tensor upstream;
};

Problem draw(at::IntArrayRef shape, std::uint64_t seed) {
  at::manual_seed(seed);
  const std::int64_t channels = shape[1];
  return {at::randn(shape, at::kDouble) * 2.0 + 0.7, at::rand({channels}, at::kDouble) + 0.5,
          at::randn({channels}, at::kDouble), at::randn(shape, at::kDouble)};
}

struct Outcome {
  at::Tensor y;
  std::vector<at::Tensor> gradients;  // x, weight, bias
  at::Tensor running_mean;
  at::Tensor running_variance;
};

// LibTorch's own batch norm and ReLU in float64: the truth.
Outcome separate(const Problem& problem, bool clamps) {
  const auto leaf = [](const at::Tensor& t) { return t.clone().set_requires_grad(true); };
  std::vector<at::Tensor> leaves = {leaf(problem.x), leaf(problem.weight), leaf(problem.bias)};
  Outcome outcome;
  outcome.running_mean = at::zeros_like(problem.bias);
  outcome.running_variance = at::ones_like(problem.bias);
  at::Tensor y = at::batch_norm(leaves[0], leaves[1], leaves[2], outcome.running_mean,
                                outcome.running_variance, true, 0.1, 1e-5, false);
  outcome.y = clamps ? at::relu(y) : y;
  outcome.gradients = torch::autograd::grad({outcome.y}, leaves, {problem.upstream});
  return outcome;
}

Outcome fused(const Problem& problem, bool clamps, at::ScalarType type) {
  const auto x =
      problem.x.to(type).contiguous(at::MemoryFormat::ChannelsLast).set_requires_grad(true);
  const auto weight = problem.weight.to(at::kFloat).set_requires_grad(true);
  const auto bias = problem.bias.to(at::kFloat).set_requires_grad(true);
  Outcome outcome;
  outcome.running_mean = at::zeros({problem.bias.size(0)});
  outcome.running_variance = at::ones({problem.bias.size(0)});
  outcome.y = fused_batch_norm(x, weight, bias, outcome.running_mean, outcome.running_variance,
                               BatchNorm{1e-5, 0.1}, clamps ? Activation::relu : Activation::none);
  outcome.gradients =
      torch::autograd::grad({outcome.y}, {x, weight, bias}, {problem.upstream.to(type)});
  return outcome;
}

void expect_close(const Problem& problem, bool clamps, at::ScalarType type, double limit) {
  const Outcome truth = separate(problem, clamps);
  const Outcome outcome = fused(problem, clamps, type);
  EXPECT_LT(relative_error(outcome.y, truth.y), limit);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_LT(relative_error(outcome.gradients[i], truth.gradients[i]), limit) << "input " << i;
  }
  EXPECT_LT(relative_error(outcome.running_mean, truth.running_mean), limit);
  EXPECT_LT(relative_error(outcome.running_variance, truth.running_variance), limit);
}

TEST(FusedBatchNorm, EqualsSeparateOperationsInFloat32) {
  // 1,683 rows: several blocks and a remainder; 37 channels: no multiple of a vector.
  expect_close(draw({17, 37, 9, 11}, 1), true, at::kFloat, 1e-5);
  expect_close(draw({17, 37, 9, 11}, 2), false, at::kFloat, 1e-5);
  expect_close(draw({2, 3, 2, 1}, 3), false, at::kFloat, 1e-5);
}

TEST(FusedBatchNorm, EqualsSeparateOperationsInBfloat16) {
  Problem problem = draw({16, 40, 8, 8}, 4);
  // Both sides see inputs that bfloat16 can hold, so that only the arithmetic differs.
  problem.x = problem.x.to(at::kBFloat16).to(at::kDouble);
  problem.upstream = problem.upstream.to(at::kBFloat16).to(at::kDouble);
  expect_close(problem, true, at::kBFloat16, 1e-2);
  expect_close(problem, false, at::kBFloat16, 1e-2);
}

TEST(FusedBatchNorm, LetsNaNsThrough) {
  Problem problem = draw({2, 4, 3, 3}, 5);
  problem.x[0][1][0][0].fill_(std::numeric_limits<double>::quiet_NaN());
  const Outcome outcome = fused(problem, true, at::kFloat);
  EXPECT_TRUE(outcome.y.select(1, 1).isnan().any().item<bool>());
  EXPECT_FALSE(outcome.y.select(1, 0).isnan().any().item<bool>());
}

TEST(FusedMaxPool, EqualsLibtorchAlsoForOddSizes) {
  for (const auto& shape : {std::vector<std::int64_t>{3, 20, 8, 6}, {2, 5, 7, 9}, {1, 1, 3, 2}}) {
    at::manual_seed(9);
    const at::Tensor values = at::randn(shape).contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor ours = values.clone().set_requires_grad(true);
    const at::Tensor theirs = values.clone().set_requires_grad(true);
    const at::Tensor y = fused_max_pool(ours);
    const at::Tensor expected = at::max_pool2d(theirs, {2, 2}, {2, 2});
    EXPECT_TRUE(y.equal(expected));
    const at::Tensor upstream = at::randn_like(expected);
    EXPECT_TRUE(torch::autograd::grad({y}, {ours}, {upstream})[0].equal(
        torch::autograd::grad({expected}, {theirs}, {upstream})[0]));
  }
}

TEST(FusedMaxPool, WorksInBfloat16) {
  const at::Tensor x =
      at::randn({2, 16, 4, 4}).to(at::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_TRUE(
      fused_max_pool(x).to(at::kFloat).equal(at::max_pool2d(x.to(at::kFloat), {2, 2}, {2, 2})));
}

}  // namespace
}  // namespace biglittle
