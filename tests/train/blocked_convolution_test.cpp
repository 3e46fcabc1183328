// SPDX-License-Identifier: MIT
#include "train/libtorch/blocked_convolution.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <thread>
#include <vector>

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
at::Tensor some_weights(std::int64_t out, std::int64_t in, std::int64_t height,
                        std::int64_t width) {
  return at::randn({out, height, width, in}).permute({0, 3, 1, 2});
}

class BlockedConvolution : public ::testing::Test {
 protected:
  void SetUp() override {
    at::manual_seed(3);
    if (!has_winograd()) {
      GTEST_SKIP() << "oneDNN has none of them here: no AVX-512, or not oneDNN 2";
    }
  }
};

struct Pass {
  at::Tensor y;
  std::vector<at::Tensor> gradients;  // x unless it is an image, weight, bias
};
struct Operands {
  at::Tensor x;
  at::Tensor weight;
  at::Tensor bias;  // undefined without one
};
// Of (y * upstream).sum(). An image, with fewer channels than a block, has no gradient.
template <typename Convolve>
Pass pass(const Operands& operands, const at::Tensor& upstream, const Convolve& convolve) {
  std::vector<at::Tensor> leaves;
  const auto leaf = [&](const at::Tensor& operand) {
    if (!operand.defined()) return operand;
    leaves.push_back(operand.detach().set_requires_grad(true));
    return leaves.back();
  };
  const bool is_image = operands.x.size(1) < kBlockChannels;
  const at::Tensor x = is_image ? operands.x : leaf(operands.x);
  const at::Tensor weight = leaf(operands.weight);
  const at::Tensor y = convolve(x, weight, leaf(operands.bias));
  return {y, torch::autograd::grad({as_maps(y)}, leaves, {upstream})};
}

Pass pass_in_blocks(const Conv2d& op, const Operands& operands, const at::Tensor& upstream) {
  return pass(operands, upstream, [&](const auto& x, const auto& weight, const auto& bias) {
    return blocked_convolution(op, x, weight, bias);
  });
}

Pass pass_in_float64(const Conv2d& op, const Operands& operands, const at::Tensor& upstream) {
  const auto in_float64 = [](const at::Tensor& tensor) {
    return tensor.defined() ? tensor.to(at::kDouble) : tensor;
  };
  const Operands exact = {in_float64(operands.x), in_float64(operands.weight),
                          in_float64(operands.bias)};
  return pass(exact, in_float64(upstream),
              [&](const auto& x, const auto& weight, const auto& bias) {
                const Window& w = op.window;
                const at::Tensor padded =
                    at::constant_pad_nd(x, {w.pad_left, w.pad_right, w.pad_top, w.pad_bottom});
                return at::conv2d(padded, weight, bias, {w.stride_height, w.stride_width});
              });
}

// In the order and type of a network's own maps.
at::Tensor as_network_has(const at::Tensor& x, at::ScalarType type) {
  return x.size(1) < kBlockChannels ? x : as_blocks(x).to(type);
}

// What bfloat16 can hold.
at::Tensor rounded(const at::Tensor& x) {
  return x.defined() ? x.to(at::kBFloat16).to(at::kFloat) : x;
}

void expect_close(const Pass& ours, const Pass& truth, double limit) {
  EXPECT_TRUE(is_blocked(ours.y));
  EXPECT_LT(relative_error(as_maps(ours.y), truth.y), limit);
  ASSERT_EQ(ours.gradients.size(), truth.gradients.size());
  for (std::size_t i = 0; i < truth.gradients.size(); ++i) {
    EXPECT_LT(relative_error(ours.gradients[i], truth.gradients[i]), limit) << "gradient " << i;
  }
}

TEST_F(BlockedConvolution, EqualsTheDirectOneInFloat64WithFewerProducts) {
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
    for (const bool bias : {false, true}) {
      Conv2d op = usual(out);
      op.bias = bias;
      const Operands operands = {some_maps({n, in, height, width}), some_weights(out, in, 3, 3),
                                 bias ? at::randn({out}) : at::Tensor()};
      ASSERT_TRUE(convolves_in_blocks(op, operands.x)) << "worth the reordering";
      const at::Tensor upstream = at::randn({n, out, height, width});
      expect_close(pass_in_blocks(op, operands, upstream), pass_in_float64(op, operands, upstream),
                   1e-5);
    }
  }
}

struct Case {
  const char* what;
  std::vector<std::int64_t> x;
  std::int64_t out;
  Window window;
};
std::vector<Case> cases() {
  const auto one_by_one = square_window(1, 1, 0);
  const Window uneven{3, 5, 2, 1, 0, 2, 1, 1};
  return {{"few channels", {3, 16, 9, 8}, 16, square_window(3, 1, 1)},
          {"halving", {3, 32, 12, 12}, 64, square_window(3, 2, 1)},
          {"a projection", {3, 32, 8, 8}, 48, one_by_one},
          {"a projection that halves", {2, 32, 9, 9}, 64, square_window(1, 2, 0)},
          {"another window on each side", {2, 32, 10, 9}, 32, uneven},
          {"a small map", {5, 64, 3, 3}, 64, square_window(3, 1, 1)},
          {"a colour image", {4, 3, 12, 10}, 32, square_window(3, 1, 1)},
          {"a gray image", {4, 1, 9, 11}, 16, square_window(5, 2, 2)}};
}

Operands some_operands(const Case& example, bool bias) {
  const Window& w = example.window;
  return {some_maps(example.x),
          some_weights(example.out, example.x[1], w.kernel_height, w.kernel_width),
          bias ? at::randn({example.out}) : at::Tensor()};
}
at::Tensor some_upstream(const Case& example, const Operands& operands) {
  const Window& w = example.window;
  return at::randn_like(at::conv2d(
      at::constant_pad_nd(operands.x, {w.pad_left, w.pad_right, w.pad_top, w.pad_bottom}),
      operands.weight, {}, {w.stride_height, w.stride_width}));
}

TEST_F(BlockedConvolution, EqualsLibtorchsInFloat64) {
  for (const Case& example : cases()) {
    SCOPED_TRACE(example.what);
    for (const bool bias : {false, true}) {
      const Conv2d op{example.out, example.window, 1, bias};
      const Operands operands = some_operands(example, bias);
      ASSERT_TRUE(convolves_in_blocks(op, as_network_has(operands.x, at::kFloat)));
      const at::Tensor upstream = some_upstream(example, operands);
      expect_close(pass_in_blocks(op, operands, upstream), pass_in_float64(op, operands, upstream),
                   1e-6);
    }
  }
}

// Products of what bfloat16 holds are exact in float32, so that only sums and what is stored round.
TEST_F(BlockedConvolution, EqualsLibtorchsInFloat64WhereBfloat16IsMultiplied) {
  if (!multiplies_bf16_in_blocks()) GTEST_SKIP() << "no AVX512_BF16, or AMX instead";
  for (const Case& example : cases()) {
    SCOPED_TRACE(example.what);
    for (const bool bias : {false, true}) {
      const Conv2d op{example.out, example.window, 1, bias};
      Operands operands = some_operands(example, bias);
      operands.x = rounded(operands.x);
      operands.weight = rounded(operands.weight);
      const at::Tensor upstream = rounded(some_upstream(example, operands));
      Pass ours;
      {
        const AutocastScope scope(at::kCPU, true);
        ASSERT_TRUE(convolves_in_blocks(op, as_network_has(operands.x, at::kBFloat16)));
        ours = pass_in_blocks(op, operands, upstream.to(at::kBFloat16));
      }
      EXPECT_EQ(ours.y.scalar_type(), at::kBFloat16);
      for (const at::Tensor& gradient : ours.gradients) {
        EXPECT_EQ(gradient.scalar_type(), at::kFloat) << "of a float32 leaf";
      }
      expect_close(ours, pass_in_float64(op, operands, upstream), 4e-3);
    }
  }
}

TEST_F(BlockedConvolution, GivesTheSameBitsInThreadsAtOnce) {
  const Operands operands = {some_maps({8, 64, 16, 16}), some_weights(64, 64, 3, 3), {}};
  const at::Tensor upstream = at::randn({8, 64, 16, 16});
  std::vector<Pass> passes(4);
  std::vector<std::thread> threads;
  for (Pass& result : passes) {
    threads.emplace_back([&] {
      at::set_num_threads(1);
      for (int i = 0; i < 5; ++i) result = pass_in_blocks(usual(64), operands, upstream);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Pass& other : passes) {
    EXPECT_TRUE(other.y.equal(passes[0].y));
    EXPECT_TRUE(other.gradients[0].equal(passes[0].gradients[0]));
    EXPECT_TRUE(other.gradients[1].equal(passes[0].gradients[1]));
  }
}

TEST_F(BlockedConvolution, TakesOnlyWhatItComputesFaster) {
  const at::Tensor x = as_blocks(at::zeros({2, 64, 16, 16}));
  EXPECT_TRUE(convolves_in_blocks(usual(64), x));
  EXPECT_TRUE(convolves_in_blocks(usual(64), as_maps(x)));
  Conv2d grouped = usual(64);
  grouped.groups = 2;
  EXPECT_FALSE(convolves_in_blocks(grouped, x));
  EXPECT_FALSE(convolves_in_blocks(usual(72), x)) << "no whole block";
  EXPECT_FALSE(convolves_in_blocks(usual(64), at::zeros({2, 24, 16, 16}))) << "no whole block";

  const at::Tensor image = at::zeros({2, 3, 16, 16});
  EXPECT_TRUE(convolves_in_blocks(usual(64), image));
  EXPECT_FALSE(convolves_in_blocks(usual(64), image.clone().set_requires_grad(true)));

  EXPECT_FALSE(convolves_in_blocks(usual(64), x.to(at::kDouble)));
  const AutocastScope scope(at::kCPU, true);
  EXPECT_EQ(convolves_in_blocks(usual(64), x), multiplies_bf16_in_blocks());
  EXPECT_EQ(convolves_in_blocks(usual(64), as_maps(x)), multiplies_bf16_in_blocks());
}

}  // namespace
}  // namespace biglittle
