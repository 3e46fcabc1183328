// SPDX-License-Identifier: MIT
#include "train/libtorch/fused_ops.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "train/libtorch/blocked_maps.h"
#include "train/libtorch/flat_weights.h"
#include "train/relative_error.h"

namespace biglittle {
namespace {

using testing::relative_error;

struct Problem {
  at::Tensor x;
  at::Tensor skip;
  at::Tensor weight;
  at::Tensor bias;
  at::Tensor upstream;
};

Problem draw(at::IntArrayRef shape, std::uint64_t seed) {
  at::manual_seed(seed);
  const std::int64_t channels = shape[1];
  return {at::randn(shape, at::kDouble) * 2.0 + 0.7, at::randn(shape, at::kDouble),
          at::rand({channels}, at::kDouble) * 3.0 + 0.5, at::randn({channels}, at::kDouble),
          at::randn(shape, at::kDouble)};
}

// What a type can hold, so that both sides see the same inputs and only the arithmetic differs.
Problem rounded(const Problem& problem, at::ScalarType type) {
  const auto round = [](const at::Tensor& t, at::ScalarType to) {
    return t.to(to).to(at::kDouble);
  };
  return {round(problem.x, type), round(problem.skip, type), round(problem.weight, at::kFloat),
          round(problem.bias, at::kFloat), round(problem.upstream, type)};
}

struct Outcome {
  at::Tensor y;
  std::vector<at::Tensor> gradients;  // x, weight, bias, and skip with a residual
  at::Tensor running_mean;
  at::Tensor running_variance;
};

at::Tensor leaf(const at::Tensor& tensor) { return tensor.clone().set_requires_grad(true); }

at::Tensor activate(const at::Tensor& x, Activation activation) {
  if (activation == Activation::none) return x;
  return activation == Activation::relu ? at::relu(x) : at::hardtanh(x, 0.0, 6.0);
}

// Of a pooled map `upstream` has more than it needs.
std::vector<at::Tensor> gradients_of(const at::Tensor& y, std::vector<at::Tensor> leaves,
                                     const at::Tensor& skip, const at::Tensor& upstream,
                                     NormTail tail) {
  if (tail.residual != Residual::none) leaves.push_back(skip);
  const at::Tensor fitting = upstream.narrow(2, 0, y.size(2)).narrow(3, 0, y.size(3));
  return torch::autograd::grad({y}, leaves, {fitting});
}

// LibTorch's own operations in float64: the truth.
Outcome separate(const Problem& problem, NormTail tail) {
  const std::vector<at::Tensor> leaves = {leaf(problem.x), leaf(problem.weight),
                                          leaf(problem.bias)};
  const at::Tensor skip = leaf(problem.skip);
  Outcome outcome;
  outcome.running_mean = at::zeros_like(problem.bias);
  outcome.running_variance = at::ones_like(problem.bias);
  at::Tensor y = at::batch_norm(leaves[0], leaves[1], leaves[2], outcome.running_mean,
                                outcome.running_variance, true, 0.1, 1e-5, false);
  if (tail.residual == Residual::inside) y = y + skip;
  y = activate(y, tail.activation);
  if (tail.residual == Residual::outside) y = y + skip;
  if (tail.pools) y = at::max_pool2d(y, {2, 2}, {2, 2});
  outcome.y = y;
  outcome.gradients = gradients_of(y, leaves, skip, problem.upstream, tail);
  return outcome;
}

enum class Order { maps, blocks };

Outcome fused(const Problem& problem, NormTail tail, at::ScalarType type,
              Order order = Order::maps) {
  const auto maps = [&](const at::Tensor& t) {
    return t.to(type).contiguous(at::MemoryFormat::ChannelsLast).set_requires_grad(true);
  };
  const auto ordered = [&](const at::Tensor& t) {
    return order == Order::blocks ? as_blocks(t) : t;
  };
  const at::Tensor x = maps(problem.x);
  const at::Tensor skip = maps(problem.skip);
  const auto weight = problem.weight.to(at::kFloat).set_requires_grad(true);
  const auto bias = problem.bias.to(at::kFloat).set_requires_grad(true);
  Outcome outcome;
  outcome.running_mean = at::zeros({problem.bias.size(0)});
  outcome.running_variance = at::ones({problem.bias.size(0)});
  outcome.y = as_maps(fused_batch_norm(
      ordered(x), tail.residual == Residual::none ? at::Tensor() : ordered(skip), weight, bias,
      outcome.running_mean, outcome.running_variance, BatchNorm{1e-5, 0.1}, tail));
  outcome.gradients =
      gradients_of(outcome.y, {x, weight, bias}, skip, problem.upstream.to(type), tail);
  return outcome;
}

void expect_close(const Problem& problem, NormTail tail, at::ScalarType type, double limit,
                  Order order = Order::maps) {
  const Problem same = rounded(problem, type);
  const Outcome truth = separate(same, tail);
  const Outcome outcome = fused(same, tail, type, order);
  EXPECT_LT(relative_error(outcome.y, truth.y), limit);
  ASSERT_EQ(outcome.gradients.size(), truth.gradients.size());
  for (std::size_t i = 0; i < truth.gradients.size(); ++i) {
    EXPECT_LT(relative_error(outcome.gradients[i], truth.gradients[i]), limit) << "input " << i;
  }
  EXPECT_LT(relative_error(outcome.running_mean, truth.running_mean), limit);
  EXPECT_LT(relative_error(outcome.running_variance, truth.running_variance), limit);
}

void expect_all_tails_close(const Problem& problem, at::ScalarType type, double limit) {
  for (const Activation activation : {Activation::none, Activation::relu, Activation::relu6}) {
    for (const Residual residual : {Residual::none, Residual::inside, Residual::outside}) {
      SCOPED_TRACE(::testing::Message() << "activation " << static_cast<int>(activation)
                                        << ", residual " << static_cast<int>(residual));
      expect_close(problem, {activation, residual}, type, limit);
    }
  }
}

TEST(FusedBatchNorm, EqualsSeparateOperationsInFloat32) {
  // 1,683 rows: several blocks, a remainder of a line and one of a block; 37 channels: no multiple
  // of a vector. Then more channels than a line has values, and the fewest rows.
  expect_all_tails_close(draw({17, 37, 9, 11}, 1), at::kFloat, 1e-5);
  expect_all_tails_close(draw({5, 300, 3, 2}, 2), at::kFloat, 1e-5);
  expect_close(draw({2, 3, 2, 1}, 3), {}, at::kFloat, 1e-5);
}

TEST(FusedBatchNorm, EqualsSeparateOperationsInBfloat16) {
  expect_all_tails_close(draw({16, 40, 8, 8}, 4), at::kBFloat16, 1e-2);
}

TEST(FusedBatchNorm, LetsNaNsThrough) {
  Problem problem = draw({2, 4, 3, 3}, 5);
  problem.x[0][1][0][0].fill_(std::numeric_limits<double>::quiet_NaN());
  const Outcome outcome = fused(problem, {Activation::relu, Residual::none}, at::kFloat);
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

TEST(BlockedMaps, HoldTheSameValuesInBlocksOfChannels) {
  const at::Tensor maps = at::arange(2 * 48 * 3 * 5, at::kFloat)
                              .view({2, 48, 3, 5})
                              .contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor blocks = as_blocks(maps);
  EXPECT_EQ(blocks.sizes(), (std::vector<std::int64_t>{2, 3, 3, 5, 16}));
  EXPECT_TRUE(blocks.is_contiguous());
  EXPECT_TRUE(blocks[1][2][0][4][7].equal(maps[1][39][0][4]));
  EXPECT_TRUE(as_maps(blocks).equal(maps));
  EXPECT_TRUE(as_maps(blocks).is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(as_blocks(blocks).is_same(blocks));
  EXPECT_TRUE(as_maps(maps).is_same(maps));
}

// Rows that fill lines, rows that are left, maps of a pixel; several images in a block of sums.
TEST(FusedBatchNorm, EqualsSeparateOperationsOnBlockedMaps) {
  for (const auto& shape : {std::vector<std::int64_t>{40, 32, 7, 7},
                            {3, 16, 16, 16},
                            {5, 48, 1, 1},
                            {9, 16, 1, 17},
                            {2, 64, 11, 13}}) {
    for (const Residual residual : {Residual::none, Residual::inside, Residual::outside}) {
      SCOPED_TRACE(::testing::Message()
                   << shape[2] << "x" << shape[3] << ", residual " << static_cast<int>(residual));
      expect_close(draw(shape, 7), {Activation::relu, residual}, at::kFloat, 1e-5, Order::blocks);
    }
  }
}

// Even and odd maps, more windows than a block of sums takes, a map of one window.
void expect_pooled_close(at::ScalarType type, double limit, Order order) {
  for (const auto& shape :
       {std::vector<std::int64_t>{9, 32, 8, 10}, {3, 16, 7, 9}, {5, 48, 2, 3}, {40, 64, 2, 2}}) {
    for (const Activation activation : {Activation::none, Activation::relu, Activation::relu6}) {
      SCOPED_TRACE(::testing::Message() << shape[2] << "x" << shape[3] << ", activation "
                                        << static_cast<int>(activation));
      Problem problem = draw(shape, 8);
      problem.weight[3].neg_();  // the largest of a window is then the smallest of its inputs
      expect_close(problem, {activation, Residual::none, true}, type, limit, order);
    }
  }
}

TEST(FusedBatchNorm, PoolsAsSeparateOperationsDo) {
  expect_pooled_close(at::kFloat, 1e-5, Order::maps);
  expect_pooled_close(at::kFloat, 1e-5, Order::blocks);
  expect_pooled_close(at::kBFloat16, 1e-2, Order::maps);
}

TEST(FusedBatchNorm, GivesAPooledGradientToTheFirstOfEquals) {
  // Two images of one window and 16 equal channels: all 1, and 3 at its last two places.
  const at::Tensor values = at::ones({2, 16, 2, 2});
  values[1].select(1, 1).fill_(3.0);
  const at::Tensor x = leaf(values.contiguous(at::MemoryFormat::ChannelsLast));
  const at::Tensor weight = leaf(at::ones({16}));
  const at::Tensor bias = leaf(at::ones({16}));
  const at::Tensor y =
      fused_batch_norm(x, {}, weight, bias, at::zeros({16}), at::ones({16}), BatchNorm{0.0, 0.1},
                       {Activation::relu, Residual::none, true});
  // Mean 1.5, variance 0.75: xhat is -1 / sqrt 3 or sqrt 3, and the bias lifts both over 0.
  EXPECT_NEAR(y[0][5].item<double>(), 1.0 - 1.0 / std::sqrt(3.0), 1e-6);
  EXPECT_NEAR(y[1][5].item<double>(), 1.0 + std::sqrt(3.0), 1e-6);
  const auto gradients = torch::autograd::grad({y}, {x, weight, bias}, {at::ones_like(y)});
  EXPECT_NEAR(gradients[2][5].item<double>(), 2.0, 1e-6);
  EXPECT_NEAR(gradients[1][5].item<double>(), 2.0 / std::sqrt(3.0), 1e-6);
  // t is 1 at the first place of the first image and the third of the second;
  // dx = (t - 2 / 8 - xhat dweight / 8) / sqrt 0.75, dweight being 2 / sqrt 3.
  const auto expected = [](double t, double xhat) {
    return (t - 0.25 - xhat / (4.0 * std::sqrt(3.0))) / std::sqrt(0.75);
  };
  const at::Tensor dx = gradients[0].select(1, 5).flatten();
  for (std::int64_t i = 0; i < 8; ++i) {
    const double t = i == 0 || i == 6 ? 1.0 : 0.0;
    EXPECT_NEAR(dx[i].item<double>(), expected(t, i < 6 ? -1.0 / std::sqrt(3.0) : std::sqrt(3.0)),
                1e-6)
        << i;
  }
}

TEST(FusedMaxPool, EqualsItselfOnBlockedMaps) {
  const at::Tensor values = at::randn({2, 48, 7, 8}).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor leaves[] = {leaf(values), leaf(values)};
  const at::Tensor in_maps = fused_max_pool(leaves[0]);
  const at::Tensor in_blocks = fused_max_pool(as_blocks(leaves[1]));
  EXPECT_TRUE(is_blocked(in_blocks));
  EXPECT_TRUE(as_maps(in_blocks).equal(in_maps));
  const at::Tensor upstream = at::randn_like(in_maps);
  EXPECT_TRUE(torch::autograd::grad({in_blocks}, {leaves[1]}, {as_blocks(upstream)})[0].equal(
      torch::autograd::grad({in_maps}, {leaves[0]}, {upstream})[0]));
}

TEST(FusedMaxPool, WorksInBfloat16) {
  const at::Tensor values =
      at::randn({2, 16, 4, 4}).to(at::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor ours = leaf(values);
  const at::Tensor theirs = leaf(values.to(at::kDouble));
  const at::Tensor y = fused_max_pool(ours);
  const at::Tensor expected = at::max_pool2d(theirs, {2, 2}, {2, 2});
  EXPECT_TRUE(y.to(at::kDouble).equal(expected));
  // Ties are as good as certain in so coarse numbers: both must choose the first.
  const at::Tensor upstream = at::randn_like(y);
  EXPECT_TRUE(
      torch::autograd::grad({y}, {ours}, {upstream})[0]
          .to(at::kDouble)
          .equal(torch::autograd::grad({expected}, {theirs}, {upstream.to(at::kDouble)})[0]));
}

struct DepthwiseCase {
  const char* what;
  std::vector<std::int64_t> shape;  // [n, C, H, W]
  Window window;
};

Window window_of(std::int64_t stride, std::int64_t before, std::int64_t after) {
  return {3, 3, stride, stride, before, before, after, after};
}

const std::vector<DepthwiseCase> kDepthwiseCases = {
    {"as in ds-cnn", {5, 16, 14, 14}, window_of(1, 1, 1)},
    {"ds-cnn, halving", {5, 32, 14, 14}, window_of(2, 1, 1)},
    {"halving an odd map of channels that fill no vector", {3, 37, 9, 11}, window_of(2, 1, 1)},
    {"without padding", {2, 5, 6, 7}, window_of(1, 0, 0)},
    {"padded after, as TensorFlow does", {2, 18, 8, 8}, window_of(2, 0, 1)},
    {"the most padding", {2, 3, 4, 3}, window_of(1, 2, 2)},
    {"rows and columns apart", {2, 17, 9, 8}, {3, 3, 2, 3, 1, 0, 0, 2}},
    {"strides that leave pixels out", {2, 16, 11, 12}, window_of(4, 0, 0)},
    {"one pixel", {4, 8, 1, 1}, window_of(1, 1, 1)},
};

// LibTorch's convolution in float64 of what `type` can hold is the truth.
void expect_depthwise_close(const DepthwiseCase& example, at::ScalarType type, double limit,
                            Order order) {
  SCOPED_TRACE(example.what);
  at::manual_seed(11);
  const Window& w = example.window;
  const std::int64_t channels = example.shape[1];
  const at::Tensor x = at::randn(example.shape)
                           .to(type)
                           .contiguous(at::MemoryFormat::ChannelsLast)
                           .set_requires_grad(true);
  const at::Tensor weight = leaf(at::randn({channels, 1, 3, 3}));
  const at::Tensor true_x = leaf(x.detach().to(at::kDouble));
  const at::Tensor true_weight = leaf(weight.detach().to(at::kDouble));
  const at::Tensor padded =
      at::constant_pad_nd(true_x, {w.pad_left, w.pad_right, w.pad_top, w.pad_bottom});
  const at::Tensor truth = at::conv2d(padded, true_weight, {}, {w.stride_height, w.stride_width},
                                      at::IntArrayRef{0, 0}, {1, 1}, channels);
  const bool in_blocks = order == Order::blocks;
  const at::Tensor result = fused_depthwise(in_blocks ? as_blocks(x) : x, weight, w);
  EXPECT_EQ(is_blocked(result), in_blocks);
  const at::Tensor y = as_maps(result);
  ASSERT_EQ(y.sizes(), truth.sizes());
  EXPECT_EQ(y.scalar_type(), type);
  EXPECT_LT(relative_error(y, truth), limit);
  const at::Tensor upstream = at::randn(truth.sizes()).to(type);
  const auto gradients = torch::autograd::grad({y}, {x, weight}, {upstream});
  const auto true_gradients =
      torch::autograd::grad({truth}, {true_x, true_weight}, {upstream.to(at::kDouble)});
  EXPECT_LT(relative_error(gradients[0], true_gradients[0]), limit) << "input";
  EXPECT_LT(relative_error(gradients[1], true_gradients[1]), limit) << "weight";
}

TEST(FusedDepthwise, EqualsLibtorchInFloat32) {
  for (const DepthwiseCase& example : kDepthwiseCases) {
    expect_depthwise_close(example, at::kFloat, 1e-6, Order::maps);
  }
}

TEST(FusedDepthwise, EqualsLibtorchInBlocks) {
  for (const DepthwiseCase& example : kDepthwiseCases) {
    if (example.shape[1] % kBlockChannels != 0) continue;
    expect_depthwise_close(example, at::kFloat, 1e-6, Order::blocks);
  }
}

TEST(FusedDepthwise, EqualsLibtorchInBfloat16) {
  for (const DepthwiseCase& example : kDepthwiseCases) {
    expect_depthwise_close(example, at::kBFloat16, 1e-2, Order::maps);
  }
}

TEST(FusedDepthwise, TakesOnlyWhatItComputes) {
  const at::Tensor x = at::zeros({2, 8, 6, 6});
  const Conv2d depthwise{8, window_of(2, 1, 1), 8, false};
  EXPECT_TRUE(is_fusable_depthwise(depthwise, x));
  Conv2d other = depthwise;
  other.bias = true;
  EXPECT_FALSE(is_fusable_depthwise(other, x));
  EXPECT_FALSE(is_fusable_depthwise({16, window_of(2, 1, 1), 8, false}, x)) << "two outputs each";
  EXPECT_FALSE(is_fusable_depthwise({8, window_of(2, 1, 1), 4, false}, x)) << "in pairs";
  EXPECT_FALSE(is_fusable_depthwise({8, square_window(5, 1, 2), 8, false}, x));
  EXPECT_FALSE(is_fusable_depthwise({8, window_of(1, 1, 3), 8, false}, x));
}

}  // namespace
}  // namespace biglittle
