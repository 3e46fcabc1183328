// SPDX-License-Identifier: MIT
// Both ways of requantizing against the C library's own float product and rounding.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "bl_runtime.h"

namespace {

std::int32_t reference(std::int32_t acc, float multiplier, std::int32_t zero, std::int32_t low,
                       std::int32_t high) {
  const volatile float product = static_cast<float>(acc) * multiplier;
  const double rounded = std::nearbyint(static_cast<double>(product));
  return static_cast<std::int32_t>(
      std::clamp(rounded + zero, static_cast<double>(low), static_cast<double>(high)));
}

struct Case {
  std::int32_t acc;
  float multiplier;
  std::int32_t zero;
};

/// True when both agree with the reference.
bool agrees(const Case& c, std::int32_t low = -128, std::int32_t high = 127) {
  const std::int32_t expected = reference(c.acc, c.multiplier, c.zero, low, high);
  return bl_requantize_float(c.acc, c.multiplier, c.zero, low, high) == expected &&
         bl_requantize_integer(c.acc, c.multiplier, c.zero, low, high) == expected;
}

void expect_agreement(const Case& c, std::int32_t low = -128, std::int32_t high = 127) {
  EXPECT_TRUE(agrees(c, low, high))
      << "acc " << c.acc << " multiplier " << c.multiplier << " zero " << c.zero << ": expected "
      << reference(c.acc, c.multiplier, c.zero, low, high) << ", float gives "
      << bl_requantize_float(c.acc, c.multiplier, c.zero, low, high) << ", integers give "
      << bl_requantize_integer(c.acc, c.multiplier, c.zero, low, high);
}

TEST(Requantize, WorkedExamples) {
  // 5 * 0.5 = 2.5 and 7 * 0.5 = 3.5: ties go to the even neighbours 2 and 4.
  EXPECT_EQ(bl_requantize_float(5, 0.5f, 0, -128, 127), 2);
  EXPECT_EQ(bl_requantize_integer(5, 0.5f, 0, -128, 127), 2);
  EXPECT_EQ(bl_requantize_float(7, 0.5f, 0, -128, 127), 4);
  EXPECT_EQ(bl_requantize_integer(7, 0.5f, 0, -128, 127), 4);
  EXPECT_EQ(bl_requantize_integer(-5, 0.5f, 10, -128, 127), 8);
  EXPECT_EQ(bl_requantize_float(-5, 0.5f, 10, -128, 127), 8);
  // 2^24 + 1 is no float32: it becomes 2^24 before the product, 2^24 + 3 becomes 2^24 + 4.
  EXPECT_EQ(bl_requantize_integer(16777217, 0x1p-22f, 0, -128, 127), 4);
  EXPECT_EQ(bl_requantize_integer(1000, 1.0f, 0, -128, 127), 127);
  EXPECT_EQ(bl_requantize_integer(-1000, 1.0f, 100, -128, 127), -128);
  EXPECT_EQ(bl_requantize_integer(3, 1.0f, 0, 5, 20), 5);
  EXPECT_EQ(bl_requantize_float(30, 1.0f, 0, 5, 20), 20);
}

TEST(Requantize, EqualsTheLibraryOnTenMillionRandomPairs) {
  std::mt19937 random(20240607);
  std::int64_t differences = 0;
  for (int i = 0; i < 10'000'000; ++i) {
    // Accumulators of every magnitude up to 2^31, multipliers that bring most results into int8.
    const auto word = static_cast<std::uint32_t>(random());
    const auto acc = static_cast<std::int32_t>(word) >> (random() % 31);
    const float spread = static_cast<float>(random() % 1024 + 1);
    float multiplier = spread / static_cast<float>(std::abs(static_cast<double>(acc)) + 1.0);
    multiplier *= 1.0f + static_cast<float>(random() % 4096) * 0x1p-23f;
    const Case c{acc, multiplier, static_cast<std::int32_t>(random() % 256) - 128};
    differences += agrees(c) ? 0 : 1;
  }
  EXPECT_EQ(differences, 0);
}

TEST(Requantize, EqualsTheLibraryAroundEveryTie) {
  // Multipliers next to k / acc +- a half, where one bit of the product decides.
  std::mt19937 random(7);
  std::int64_t differences = 0;
  for (int i = 0; i < 500'000; ++i) {
    const auto acc = static_cast<std::int32_t>(random() % (1u << 30)) + 1;
    const double tie = static_cast<double>(random() % 256) + 0.5;
    float multiplier = static_cast<float>(tie / acc);
    for (int step = 0; step < 3; ++step) {
      multiplier = std::nextafter(multiplier, 0.0f);
    }
    for (int step = 0; step < 6; ++step) {
      differences += agrees({acc, multiplier, -3}) && agrees({-acc, multiplier, 5}) ? 0 : 1;
      multiplier = std::nextafter(multiplier, 1e9f);
    }
  }
  EXPECT_EQ(differences, 0);
}

TEST(Requantize, EqualsTheLibraryAtTheCorners) {
  const std::vector<std::int32_t> accumulators = {0,
                                                  1,
                                                  -1,
                                                  2,
                                                  3,
                                                  127,
                                                  128,
                                                  255,
                                                  256,
                                                  16777215,
                                                  16777216,
                                                  16777217,
                                                  16777218,
                                                  16777219,
                                                  33554431,
                                                  33554433,
                                                  33554434,
                                                  33554435,
                                                  1 << 30,
                                                  -(1 << 30),
                                                  (1 << 30) - 1,
                                                  std::numeric_limits<std::int32_t>::max(),
                                                  std::numeric_limits<std::int32_t>::min()};
  const std::vector<float> multipliers = {0.0f,
                                          std::numeric_limits<float>::denorm_min(),
                                          std::numeric_limits<float>::min(),
                                          0x1p-31f,
                                          0x1.fffffep-31f,
                                          0x1p-25f,
                                          0x1.000002p-24f,
                                          0.25f,
                                          0.5f,
                                          0.49999997f,
                                          0.50000006f,
                                          1.0f,
                                          1.5f,
                                          511.5f,
                                          16777216.0f,
                                          0x1p80f};
  for (const std::int32_t acc : accumulators) {
    for (const float multiplier : multipliers) {
      for (const std::int32_t zero : {-128, -1, 0, 77, 127}) {
        expect_agreement({acc, multiplier, zero});
        expect_agreement({acc, multiplier, zero}, zero, std::min(127, zero + 31));
      }
    }
  }
}

TEST(InputQuantization, RoundsTiesToEvenAndClamps) {
  const std::vector<float> values = {
      0.0f,   0.5f,  1.5f,   -0.5f,  1e30f,
      -1e30f, 63.0f, 63.25f, 63.75f, std::numeric_limits<float>::quiet_NaN()};
  const bl_map map = {1, static_cast<std::int32_t>(values.size()), 1,
                      static_cast<std::int32_t>(values.size())};
  std::vector<bl_byte> stored(values.size());
  bl_input_f32(&map, values.data(), 0.0f, 1.0f, 64, stored.data());
  std::vector<int> quantized;
  for (const bl_byte byte : stored) quantized.push_back(byte - BL_BYTE_OFFSET);
  EXPECT_EQ(quantized, (std::vector<int>{64, 64, 66, 64, 127, -128, 127, 127, 127, -128}));
}

}  // namespace
