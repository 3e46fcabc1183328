// SPDX-License-Identifier: MIT
#include "train/batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

namespace biglittle {
namespace {

constexpr Preprocessing kIdentity{SampleType::u8, 1.0, 0.0};

// Two channels, 3 rows, 4 columns; value = 1 + 100 channel + 10 row + column: never 0.
Samples numbered(std::int64_t count = 1) {
  std::vector<std::uint8_t> values;
  for (std::int64_t n = 0; n < count; ++n) {
    for (int c = 0; c < 2; ++c) {
      for (int y = 0; y < 3; ++y) {
        for (int x = 0; x < 4; ++x) {
          values.push_back(static_cast<std::uint8_t>(1 + 100 * c + 10 * y + x));
        }
      }
    }
  }
  return {Shape{2, 3, 4}, values};
}

float at(const std::vector<float>& batch, int y, int x, int c) {
  return batch[static_cast<std::size_t>((y * 4 + x) * 2 + c)];
}

TEST(FillBatch, WritesChannelsLastAndNormalizes) {
  std::vector<float> batch(24);
  fill_batch(numbered(), 0, 1, Preprocessing{SampleType::u8, 0.5, 11.0}, Mirror::no, batch);
  EXPECT_FLOAT_EQ(at(batch, 0, 0, 0), 0.5f * (1 - 11));
  EXPECT_FLOAT_EQ(at(batch, 2, 3, 1), 0.5f * (124 - 11));
}

TEST(FillBatch, MirrorsLeftAndRight) {
  std::vector<float> batch(24);
  fill_batch(numbered(), 0, 1, kIdentity, Mirror::yes, batch);
  EXPECT_EQ(at(batch, 1, 0, 0), 14.0f);
  EXPECT_EQ(at(batch, 1, 3, 1), 111.0f);
}

TEST(FillBatch, NormalizesFloatSamples) {
  const Samples samples{Shape{1, 1, 2}, std::vector<float>{3.0f, -1.0f}};
  std::vector<float> batch(2);
  fill_batch(samples, 0, 1, Preprocessing{SampleType::f32, 2.0, 1.0}, Mirror::no, batch);
  EXPECT_EQ(batch, (std::vector<float>{4.0f, -4.0f}));
}

TEST(FillTrainingBatch, WithoutAugmentationEqualsFillBatch) {
  const Samples samples = numbered(3);
  std::vector<float> plain(24);
  fill_batch(samples, 2, 3, kIdentity, Mirror::no, plain);
  std::vector<float> batch(24);
  std::vector<std::uint8_t> flipped(1);
  fill_training_batch(samples, std::vector<std::int64_t>{2}, kIdentity, {}, {}, batch, flipped);
  EXPECT_EQ(batch, plain);
  EXPECT_EQ(flipped[0], 0);
}

// Every batch must be the sample moved by some (dy, dx), mirrored or not, with its edges repeated.
bool is_moved_sample(const std::vector<float>& batch, int dy, int dx, bool mirrored) {
  for (int c = 0; c < 2; ++c) {
    for (int y = 0; y < 3; ++y) {
      for (int x = 0; x < 4; ++x) {
        const int from_y = std::clamp(y + dy, 0, 2);
        const int from_x = std::clamp((mirrored ? 3 - x : x) + dx, 0, 3);
        const int expected = 1 + 100 * c + 10 * from_y + from_x;
        if (at(batch, y, x, c) != static_cast<float>(expected)) return false;
      }
    }
  }
  return true;
}

TEST(FillTrainingBatch, CropsAndFlipsUniformlyOverAllPlaces) {
  AugmentOptions augment;
  augment.crop_pad = 2;
  augment.flip = true;
  const Samples samples = numbered();
  std::set<std::tuple<int, int, bool>> seen;
  for (std::int64_t epoch = 0; epoch < 1000; ++epoch) {
    std::vector<float> batch(24);
    std::vector<std::uint8_t> flipped(1);
    fill_training_batch(samples, std::vector<std::int64_t>{0}, kIdentity, augment, {7, epoch},
                        batch, flipped);
    int matches = 0;
    for (int dy = -2; dy <= 2; ++dy) {
      for (int dx = -2; dx <= 2; ++dx) {
        if (!is_moved_sample(batch, dy, dx, flipped[0] == 1)) continue;
        seen.emplace(dy, dx, flipped[0] == 1);
        ++matches;
      }
    }
    ASSERT_EQ(matches, 1) << "epoch " << epoch;
  }
  // 5 x 5 shifts, mirrored or not; a thousand draws miss one of 50 with probability below 1e-7.
  EXPECT_EQ(seen.size(), 50u);
}

TEST(FillTrainingBatch, MirrorsHalfOfTheSamplesAndTheOthersInTheNextEpoch) {
  AugmentOptions augment;
  augment.flip = true;
  constexpr std::int64_t kRows = 1000;
  const Samples samples = numbered(kRows);
  std::vector<std::int64_t> rows(kRows);
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<float> batch(24 * kRows);
  std::vector<std::uint8_t> odd(kRows);
  std::vector<std::uint8_t> even(kRows);
  std::vector<std::uint8_t> other(kRows);
  fill_training_batch(samples, rows, kIdentity, augment, {3, 1}, batch, odd);
  fill_training_batch(samples, rows, kIdentity, augment, {3, 2}, batch, even);
  fill_training_batch(samples, rows, kIdentity, augment, {4, 1}, batch, other);
  for (std::size_t i = 0; i < odd.size(); ++i) EXPECT_EQ(odd[i] + even[i], 1) << i;
  EXPECT_NE(odd, other) << "which half is the seed's";
  // 500 +- 16; five deviations.
  EXPECT_NEAR(std::accumulate(odd.begin(), odd.end(), 0), 500, 80);
}

TEST(FillTrainingBatch, CropsFartherThanTheSampleShowItsEdge) {
  AugmentOptions augment;
  augment.crop_pad = 9;
  const Samples samples = numbered();
  int beyond = 0;
  for (std::int64_t epoch = 0; epoch < 200; ++epoch) {
    std::vector<float> batch(24);
    std::vector<std::uint8_t> flipped(1);
    fill_training_batch(samples, std::vector<std::int64_t>{0}, kIdentity, augment, {5, epoch},
                        batch, flipped);
    bool is_moved = false;
    for (int dy = -9; dy <= 9; ++dy) {
      for (int dx = -9; dx <= 9; ++dx) is_moved |= is_moved_sample(batch, dy, dx, false);
    }
    ASSERT_TRUE(is_moved) << "epoch " << epoch;
    beyond += is_moved_sample(batch, 9, 9, false) ? 1 : 0;
  }
  EXPECT_GT(beyond, 0) << "the corner alone";
}

TEST(FillTrainingBatch, CutoutBlanksOneSquareInAllChannels) {
  AugmentOptions augment;
  augment.cutout = 2;
  const Samples samples = numbered();
  for (std::int64_t epoch = 0; epoch < 50; ++epoch) {
    std::vector<float> batch(24);
    std::vector<std::uint8_t> flipped(1);
    fill_training_batch(samples, std::vector<std::int64_t>{0}, kIdentity, augment, {1, epoch},
                        batch, flipped);
    int blank = 0;
    for (int y = 0; y < 3; ++y) {
      for (int x = 0; x < 4; ++x) {
        const bool is_blank = at(batch, y, x, 0) == 0.0f;
        EXPECT_EQ(is_blank, at(batch, y, x, 1) == 0.0f);
        blank += is_blank ? 1 : 0;
      }
    }
    // Whole, cut by one edge, or cut by a corner.
    EXPECT_TRUE(blank == 4 || blank == 2 || blank == 1) << blank;
  }
}

TEST(FillTrainingBatch, DoesNotDependOnTheBatchAroundARow) {
  AugmentOptions augment;
  augment.crop_pad = 1;
  augment.flip = true;
  const Samples samples = numbered(2);
  std::vector<float> pair(48);
  std::vector<float> alone(24);
  std::vector<std::uint8_t> flipped(2);
  fill_training_batch(samples, std::vector<std::int64_t>{1, 0}, kIdentity, augment, {3, 4}, pair,
                      flipped);
  fill_training_batch(samples, std::vector<std::int64_t>{0}, kIdentity, augment, {3, 4}, alone,
                      flipped);
  EXPECT_TRUE(std::equal(alone.begin(), alone.end(), pair.begin() + 24));
}

TEST(EpochOrder, IsAPermutationOfItsOwnForEachEpochAndSeed) {
  const auto first = epoch_order(100, 1, 1);
  std::vector<std::int64_t> sorted = first;
  std::ranges::sort(sorted);
  for (std::int64_t i = 0; i < 100; ++i) EXPECT_EQ(sorted[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(first, epoch_order(100, 1, 1));
  EXPECT_NE(first, epoch_order(100, 1, 2));
  EXPECT_NE(first, epoch_order(100, 2, 1));
}

}  // namespace
}  // namespace biglittle
