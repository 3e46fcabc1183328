// SPDX-License-Identifier: MIT
#include "train/libtorch/int8_ops.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace biglittle {
namespace {

TEST(Requantize, PassesTheSlopeBetweenTheLimits) {
  const at::Tensor acc = at::tensor({5.0f, 1.0f, 400.0f, -400.0f}).reshape({1, 4});
  acc.set_requires_grad(true);
  const at::Tensor d = requantize(acc, at::full({4}, 0.5f), at::Tensor(), {-100, 155});
  EXPECT_TRUE(d.equal(at::tensor({2.0f, 0.0f, 155.0f, -100.0f}).reshape({1, 4})))
      << "2.5 and 0.5 go to the even number";
  d.backward(at::tensor({1.0f, 2.0f, 3.0f, 4.0f}).reshape({1, 4}));
  EXPECT_TRUE(acc.grad().equal(at::tensor({0.5f, 1.0f, 0.0f, 0.0f}).reshape({1, 4})));
}

TEST(Requantize, GivesTheStepItsShareOfRoundingAndClipping) {
  const at::Tensor acc = at::tensor({5.2f, 1.0f, 400.0f, -400.0f}).reshape({1, 4});
  const at::Tensor log_step = at::zeros({1});
  log_step.set_requires_grad(true);
  const at::Tensor d = requantize(acc, at::full({4}, 0.5f), log_step, {-100, 155});
  d.backward(at::tensor({1.0f, 2.0f, 3.0f, 4.0f}).reshape({1, 4}));
  // d - v inside, d outside: 3 - 2.6, 0 - 0.5, 155, -100, each times its gradient.
  const double slope = 0.4 - 2.0 * 0.5 + 3.0 * 155.0 - 4.0 * 100.0;
  EXPECT_NEAR(log_step.grad().item<double>(), slope / std::sqrt(127.0 * 4.0), 1e-4);
}

TEST(StandIn, DividesTheGradientByTheStep) {
  const at::Tensor weight = at::tensor({0.5f, 0.26f, -1.0f, 0.0f}).reshape({2, 2});
  weight.set_requires_grad(true);
  const at::Tensor integers = at::tensor({2.0f, 1.0f, -10.0f, 0.0f}).reshape({2, 2});
  const at::Tensor step = at::tensor({0.25f, 0.1f}).view({-1, 1});
  const at::Tensor value = stand_in(weight, integers, step);
  EXPECT_TRUE(value.equal(integers));
  value.backward(at::ones({2, 2}));
  EXPECT_TRUE(weight.grad().allclose(at::tensor({4.0f, 4.0f, 10.0f, 10.0f}).reshape({2, 2})));
}

TEST(Requantize, RoundsSumsBeyondFloat32OnceToFloat32) {
  // 2^24 + 1 lies halfway between two float32 values; the even one is 2^24. So the product is 1/2,
  // which goes to 0, and not a little more, which would go to 1.
  const at::Tensor acc = at::full({1, 1}, 16777217.0, at::kDouble);
  acc.set_requires_grad(true);
  const at::Tensor d = requantize(acc, at::full({1}, 0x1p-25f), at::Tensor(), {-128, 127});
  EXPECT_EQ(d.item<float>(), 0.0f);
  d.backward();
  EXPECT_EQ(acc.grad().scalar_type(), at::kDouble);
  EXPECT_EQ(acc.grad().item<double>(), 0x1p-25);
}

}  // namespace
}  // namespace biglittle
