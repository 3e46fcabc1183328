// SPDX-License-Identifier: MIT
#include "train/libtorch/winograd.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <thread>

#include "train/libtorch/blocked_maps.h"
#include "train/libtorch/device.h"
#include "train/relative_error.h"

namespace biglittle {
namespace {

using testing::relative_error;

Conv2d usual(std::int64_t out_channels) { return {out_channels, square_window(3, 1, 1), 1, false}; }

at::Tensor some_maps(at::IntArrayRef shape) {
  return at::relu(at::randn(shape)).contiguous(at::MemoryFormat::ChannelsLast);
}

// As FlatLayout holds them: input channels last in memory.
at::Tensor some_weights(std::int64_t out, std::int64_t in) {
  return at::randn({out, 3, 3, in}).permute({0, 3, 1, 2});
}

class WinogradConvolution : public ::testing::Test {
 protected:
  void SetUp() override {
    at::manual_seed(3);
    if (!winograd_pays(usual(64), at::zeros({2, 64, 16, 16}))) {
      GTEST_SKIP() << "oneDNN has no Winograd convolution here: no AVX-512, or not oneDNN 2";
    }
  }
};

struct Pass {
  at::Tensor y;
  std::vector<at::Tensor> gradients;  // x, weight, bias
};
template <typename Convolve>
Pass pass(const std::vector<at::Tensor>& inputs, const at::Tensor& upstream,
          const Convolve& convolve) {
  std::vector<at::Tensor> leaves;
  for (const at::Tensor& input : inputs) leaves.push_back(input.detach().set_requires_grad(true));
  const at::Tensor y =
      convolve(leaves[0], leaves[1], leaves.size() == 3 ? leaves[2] : at::Tensor());
  return {y, torch::autograd::grad({y}, leaves, {upstream})};
}

at::Tensor directly(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return at::conv2d(x, weight, bias, {1, 1}, at::IntArrayRef{1, 1});
}

std::vector<at::Tensor> in_float64(std::vector<at::Tensor> tensors) {
  for (at::Tensor& tensor : tensors) tensor = tensor.to(at::kDouble);
  return tensors;
}

TEST_F(WinogradConvolution, EqualsTheDirectOneInFloat64) {
  struct Case {
    std::int64_t n, in, out, height, width;
  };
  // Whole tiles, cut ones, maps of one side, channels that are no power of two, a batch of one.
  for (const auto& [n, in, out, height, width] : {Case{4, 32, 64, 16, 16},
                                                  {3, 64, 64, 14, 14},
                                                  {2, 128, 64, 7, 7},
                                                  {5, 64, 96, 4, 11},
                                                  {1, 48, 160, 8, 8},
                                                  {2, 256, 256, 8, 8}}) {
    SCOPED_TRACE(::testing::Message() << in << " to " << out << " of " << height << "x" << width);
    const at::Tensor x = some_maps({n, in, height, width});
    const at::Tensor weight = some_weights(out, in);
    ASSERT_TRUE(winograd_pays(usual(out), x));
    const at::Tensor upstream = at::randn({n, out, height, width});
    for (const std::vector<at::Tensor>& inputs :
         {std::vector{x, weight}, std::vector{x, weight, at::randn({out})}}) {
      const Pass truth = pass(in_float64(inputs), upstream.to(at::kDouble), directly);
      const Pass ours = pass(inputs, as_blocks(upstream), winograd_convolution);
      EXPECT_TRUE(is_blocked(ours.y));
      EXPECT_LT(relative_error(as_maps(ours.y), truth.y), 1e-5);
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        EXPECT_LT(relative_error(ours.gradients[i], truth.gradients[i]), 1e-5) << "of input " << i;
      }
    }
  }
}

TEST_F(WinogradConvolution, GivesTheSameBitsInThreadsAtOnce) {
  const at::Tensor x = some_maps({8, 64, 16, 16});
  const at::Tensor weight = some_weights(64, 64);
  const at::Tensor upstream = as_blocks(at::randn({8, 64, 16, 16}));
  std::vector<Pass> passes(4);
  std::vector<std::thread> threads;
  for (Pass& result : passes) {
    threads.emplace_back([&] {
      at::set_num_threads(1);
      for (int i = 0; i < 5; ++i) result = pass({x, weight}, upstream, winograd_convolution);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Pass& other : passes) {
    EXPECT_TRUE(other.y.equal(passes[0].y));
    EXPECT_TRUE(other.gradients[0].equal(passes[0].gradients[0]));
    EXPECT_TRUE(other.gradients[1].equal(passes[0].gradients[1]));
  }
}

TEST_F(WinogradConvolution, PaysOnlyWhereItAppliesAndIsFaster) {
  const at::Tensor x = at::zeros({2, 64, 16, 16});
  const auto with = [](auto change) {
    Conv2d op = usual(64);
    change(op);
    return op;
  };
  EXPECT_TRUE(winograd_pays(with([](Conv2d& op) { op.bias = true; }), x));
  EXPECT_FALSE(winograd_pays(with([](Conv2d& op) { op.groups = 2; }), x));
  EXPECT_FALSE(winograd_pays(with([](Conv2d& op) { op.window = square_window(3, 2, 1); }), x));
  EXPECT_FALSE(winograd_pays(with([](Conv2d& op) { op.window = square_window(3, 1, 0); }), x));
  EXPECT_FALSE(winograd_pays(with([](Conv2d& op) { op.window = square_window(1, 1, 0); }), x));
  EXPECT_FALSE(winograd_pays(usual(16), at::zeros({2, 16, 32, 32}))) << "few channels";
  EXPECT_FALSE(winograd_pays(usual(72), x)) << "no whole block";
  EXPECT_FALSE(winograd_pays(usual(64), at::zeros({2, 64, 3, 3}))) << "half of a tile outside";
  EXPECT_FALSE(winograd_pays(usual(64), x.to(at::kBFloat16)));
  const AutocastScope scope(at::kCPU, true);
  EXPECT_FALSE(winograd_pays(usual(64), x)) << "the product would be in bfloat16";
}

}  // namespace
}  // namespace biglittle
