// SPDX-License-Identifier: MIT
#include "quant/arithmetic.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "quant/naive_int8.h"

namespace biglittle {
namespace {

constexpr std::int32_t kLargest = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t kSmallest = std::numeric_limits<std::int32_t>::min();

TEST(Requantize, RoundsHalfwayCasesToTheEvenNeighbour) {
  EXPECT_EQ(requantize(1, 0.5f, 0), 0);
  EXPECT_EQ(requantize(3, 0.5f, 0), 2);
  EXPECT_EQ(requantize(5, 0.5f, 0), 2);
  EXPECT_EQ(requantize(-1, 0.5f, 0), 0);
  EXPECT_EQ(requantize(-3, 0.5f, 0), -2);
  EXPECT_EQ(requantize(-5, 0.5f, 0), -2);
}

TEST(Requantize, RoundsBeforeTheZeroPointIsAdded) {
  EXPECT_EQ(requantize(1, 0.5f, 1), 1);   // 0.5 -> 0, + 1; adding first would round 1.5 to 2
  EXPECT_EQ(requantize(3, 0.5f, 1), 3);   // 1.5 -> 2, + 1
  EXPECT_EQ(requantize(-3, 0.5f, 7), 5);  // -1.5 -> -2, + 7
}

TEST(Requantize, RoundsOtherCasesToTheNearest) {
  EXPECT_EQ(requantize(49, 0.01f, 0), 0);
  EXPECT_EQ(requantize(51, 0.01f, 0), 1);
  EXPECT_EQ(requantize(-149, 0.01f, 0), -1);
  EXPECT_EQ(requantize(-151, 0.01f, 0), -2);
}

TEST(Requantize, SaturatesOnBothSides) {
  EXPECT_EQ(requantize(127, 1.0f, 0), 127);
  EXPECT_EQ(requantize(128, 1.0f, 0), 127);
  EXPECT_EQ(requantize(-128, 1.0f, 0), -128);
  EXPECT_EQ(requantize(-129, 1.0f, 0), -128);
  EXPECT_EQ(requantize(254, 1.0f, -128), 126);
  EXPECT_EQ(requantize(256, 1.0f, -128), 127);
  EXPECT_EQ(requantize(-1, 1.0f, -128), -128);
  EXPECT_EQ(requantize(-255, 1.0f, 127), -128);
  EXPECT_EQ(requantize(-254, 1.0f, 127), -127);
}

TEST(Requantize, TakesTheHugestAccumulators) {
  EXPECT_EQ(requantize(kLargest, 0x1p-25f, 0), 64);  // float32(2^31 - 1) = 2^31
  EXPECT_EQ(requantize(kSmallest, 0x1p-25f, 0), -64);
  EXPECT_EQ(requantize(kLargest, 1.0f, 0), 127);
  EXPECT_EQ(requantize(kSmallest, 1.0f, 0), -128);
  EXPECT_EQ(requantize(kLargest, 0x1p80f, -128), 127);
  EXPECT_EQ(requantize(kSmallest, 0x1p80f, 127), -128);
}

TEST(Requantize, RoundsTheAccumulatorToFloatFirst) {
  // 5 * 2^22 + 1 lies halfway between two float32 and becomes 5 * 2^22; times 2^-23 is 2.5, which
  // rounds to 2. The exact product, 2.5000001, would round to 3.
  EXPECT_EQ(requantize(5 * (1 << 22) + 1, 0x1p-23f, 0), 2);
}

TEST(Requantize, EqualsItsDefinitionOnRandomValues) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 200000; ++i) {
    const auto acc = static_cast<std::int32_t>(random()) >> (random() % 31);
    const auto zero = static_cast<std::int32_t>(random() % 256) - 128;
    const auto mantissa = static_cast<float>(random() % (1 << 24) + 1);
    const float multiplier = std::ldexp(mantissa, -static_cast<int>(random() % 50));
    ASSERT_EQ(requantize(acc, multiplier, zero), testing::naive_requantize(acc, multiplier, zero))
        << acc << " * " << multiplier << " + " << zero;
  }
}

TEST(QuantizeInput, RoundsAndSaturates) {
  EXPECT_EQ(quantize_input(10.5f, 10.0f, 1.0f, 3), 3);  // 0.5 -> 0
  EXPECT_EQ(quantize_input(11.5f, 10.0f, 1.0f, 3), 5);  // 1.5 -> 2
  EXPECT_EQ(quantize_input(10.0f, 10.0f, 0.25f, -7), -7);
  EXPECT_EQ(quantize_input(1e30f, 0.0f, 0.25f, 0), 127);
  EXPECT_EQ(quantize_input(-1e30f, 0.0f, 0.25f, 0), -128);
  EXPECT_EQ(quantize_input(std::numeric_limits<float>::infinity(), 0.0f, 1.0f, 0), 127);
  EXPECT_EQ(quantize_input(std::numeric_limits<float>::quiet_NaN(), 0.0f, 1.0f, 0), -128);
}

TEST(ConvMultiplier, RoundsTheProductBeforeTheDivision) {
  const float x = 0.1f;
  const float w = 0.3f;
  const float y = 0.7f;
  const float product = static_cast<float>(double{x} * double{w});
  EXPECT_EQ(conv_multiplier(x, w, y), static_cast<float>(double{product} / double{y}));
  EXPECT_EQ(conv_multiplier(0.5f, 0.25f, 2.0f), 0.0625f);
}

/// input (2x2x2) -> pool -> ... with scales chosen by the tests.
Int8Model two_branches(float left, float right, float sum) {
  Int8Model model;
  model.graph.append("input", Input{{2, 2, 2}});
  model.graph.append("a", AvgPool{square_window(2, 1, 0)}, {"input"});
  model.graph.append("b", GlobalAvgPool{}, {"input"});
  model.graph.append("sum", Add{}, {"a", "b"});
  model.activations = {
      {"input", {0.5f, 0}}, {"a", {left, 0}}, {"b", {right, 0}}, {"sum", {sum, 0}}};
  return model;
}

TEST(AddConstants, GiveTheLargerScaleTheWholeUnit) {
  const Int8Model model = two_branches(0.25f, 1.0f, 2.0f);
  const AddConstants constants = add_constants(model, model.graph.node("sum"));
  EXPECT_EQ(constants.left, 4096);  // 0.25 / 1 * 2^14
  EXPECT_EQ(constants.right, 16384);
  EXPECT_EQ(constants.multiplier, 0x1p-15f);  // 1 / (2^14 * 2)
}

TEST(AddConstants, RoundATermThatIsTooSmallToZero) {
  const Int8Model model = two_branches(1.0f, 0x1p-15f, 1.0f);  // 2^14 * 2^-15 = 0.5 -> 0
  EXPECT_EQ(add_constants(model, model.graph.node("sum")).right, 0);
}

TEST(PoolMultiplier, DividesByTheWindow) {
  const Int8Model model = two_branches(0.25f, 1.0f, 2.0f);
  EXPECT_EQ(pool_multiplier(model, model.graph.node("a")), 0.5f);    // 0.5 / (4 * 0.25)
  EXPECT_EQ(pool_multiplier(model, model.graph.node("b")), 0.125f);  // 0.5 / (4 * 1)
}

TEST(Relu6Limit, IsSixInSteps) {
  EXPECT_EQ(relu6_limit({0.5f, -128}), -116);
  EXPECT_EQ(relu6_limit({0.05f, -100}), 20);
  EXPECT_EQ(relu6_limit({0.05f, 7}), 127);  // 120 + 7
  EXPECT_EQ(relu6_limit({0.05f, 8}), 127);  // cut
  EXPECT_EQ(relu6_limit({4.0f, 0}), 2);     // 1.5 -> 2
  EXPECT_EQ(relu6_limit({100.0f, -128}), -128);
  EXPECT_EQ(relu6_limit({kSmallestScale, -128}), 127);
}

}  // namespace
}  // namespace biglittle
