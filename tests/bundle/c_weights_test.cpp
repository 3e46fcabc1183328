// SPDX-License-Identifier: MIT
#include "bundle/c_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace biglittle {
namespace {

using ::testing::ElementsAre;

std::vector<std::int8_t> counting(std::size_t count) {
  std::vector<std::int8_t> values(count);
  std::iota(values.begin(), values.end(), std::int8_t{1});
  return values;
}

TEST(Weights, TightOnesHaveChannelsFastest) {
  const std::vector<std::int8_t> weight = counting(8);  // [out 1][depth 2][2 x 2]
  EXPECT_THAT(tight_weights({weight, 1, 2, 2, 2}), ElementsAre(1, 5, 2, 6, 3, 7, 4, 8));
}

TEST(Weights, TightDepthwiseOnesHaveTapsSlowest) {
  const std::vector<std::int8_t> weight = counting(6);  // [channel 3][1][1 x 2]
  EXPECT_THAT(tight_depthwise_weights({weight, 3, 1, 1, 2}), ElementsAre(1, 3, 5, 2, 4, 6));
}

/// Every weight of `layer` by the index arithmetic that bl_runtime.h states, and zero elsewhere.
TEST(Weights, PackedOnesLieWhereTheHeaderSays) {
  const std::int64_t outputs = 18, depth = 3, height = 2, width = 3;
  std::vector<std::int8_t> weight;
  for (int i = 0; i < outputs * depth * height * width; ++i) {
    weight.push_back(static_cast<std::int8_t>(i % 251 - 125));
  }
  const auto packed = packed_weights({weight, outputs, depth, height, width});
  const std::int64_t steps = 3;  // of 9 values
  ASSERT_EQ(std::ssize(packed), 2 * height * steps * 16 * 4);
  std::int64_t expected_sum = 0, sum = 0;
  for (std::int64_t o = 0; o < outputs; ++o) {
    for (std::int64_t d = 0; d < depth; ++d) {
      for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < width; ++x) {
          const std::int64_t run = x * depth + d;
          const std::int64_t at =
              (((o / 16 * height + y) * steps + run / 4) * 16 + o % 16) * 4 + run % 4;
          const std::int8_t value =
              weight[static_cast<std::size_t>(((o * depth + d) * height + y) * width + x)];
          ASSERT_EQ(packed[static_cast<std::size_t>(at)], value) << o << d << y << x;
          expected_sum += std::abs(value);
        }
      }
    }
  }
  for (const std::int8_t value : packed) sum += std::abs(value);
  EXPECT_EQ(sum, expected_sum);
}

TEST(Weights, PackedDepthwiseOnesRepeatFewChannels) {
  const std::vector<std::int8_t> weight = counting(8 * 5);  // [channel 8][1][1 x 5]
  const auto packed = packed_depthwise_weights({weight, 8, 1, 1, 5});
  ASSERT_EQ(packed.size(), 2u * 16 * 4);
  for (std::size_t lane = 0; lane < 16; ++lane) {
    const std::size_t channel = lane % 8;
    for (std::size_t tap = 0; tap < 8; ++tap) {
      const int expected = tap < 5 ? weight[channel * 5 + tap] : 0;
      EXPECT_EQ(packed[tap / 4 * 64 + lane * 4 + tap % 4], expected) << lane << " " << tap;
    }
  }
}

TEST(Weights, LanesAreChannelsFilledUpToBlocks) {
  EXPECT_THAT(lane_channels(4, true), ElementsAre(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3));
  EXPECT_THAT(lane_channels(3, true),
              ElementsAre(0, 1, 2, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
  EXPECT_EQ(lane_channels(4, false)[4], -1);
  EXPECT_EQ(lane_channels(32, true).size(), 32u);
  EXPECT_EQ(lane_channels(33, true).size(), 48u);
}

TEST(Weights, SumsAreThoseOfEachOutputChannel) {
  const std::vector<std::int8_t> weight = counting(6);
  EXPECT_THAT(weight_sums({weight, 2, 3}), ElementsAre(6, 15));
}

}  // namespace
}  // namespace biglittle
