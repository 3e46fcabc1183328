// SPDX-License-Identifier: MIT
#include "core/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

namespace biglittle {
namespace {

// The first outputs of the reference splitmix64.c (Vigna 2015) from the state 1234567.
TEST(Random, EqualsSplitmix64) {
  Random random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317ULL);
  EXPECT_EQ(random.next(), 3203168211198807973ULL);
  EXPECT_EQ(random.next(), 9817491932198370423ULL);
  EXPECT_EQ(random.next(), 4593380528125082431ULL);
  EXPECT_EQ(random.next(), 16408922859458223821ULL);
}

TEST(Random, StreamsDiffer) {
  EXPECT_EQ(Random(1, 2, 3).next(), Random(1, 2, 3).next());
  EXPECT_NE(Random(1, 2, 3).next(), Random(1, 2, 4).next());
  EXPECT_NE(Random(1, 2, 3).next(), Random(1, 3, 3).next());
  EXPECT_NE(Random(1, 2, 3).next(), Random(2, 2, 3).next());
}

// 60,000 draws over 6 values: each is expected 10,000 times with a standard deviation of 91.
TEST(Random, BelowIsEven) {
  Random random(1);
  std::array<int, 6> counts{};
  for (int i = 0; i < 60'000; ++i) ++counts.at(random.below(6));
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 5 * 91);
  EXPECT_EQ(random.below(1), 0U);
}

TEST(Random, UniformStaysInItsIntervalWithMeanOneHalf) {
  Random random(2);
  double sum = 0.0;
  for (int i = 0; i < 100'000; ++i) {
    const double value = random.uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
  }
  EXPECT_NEAR(sum / 100'000, 0.5, 5 * std::sqrt(1.0 / 12 / 100'000));
}

TEST(Random, NormalHasMeanZeroAndVarianceOne) {
  Random random(3);
  double sum = 0.0;
  double squares = 0.0;
  for (int i = 0; i < 100'000; ++i) {
    const double value = random.normal();
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / 100'000, 0.0, 5 / std::sqrt(100'000.0));
  EXPECT_NEAR(squares / 100'000, 1.0, 5 * std::sqrt(2.0 / 100'000));
}

TEST(Random, ShuffleIsAPermutationThatReachesEveryOrder) {
  Random random(4);
  std::array<int, 6> counts{};
  for (int i = 0; i < 6000; ++i) {
    std::array<int, 3> values = {0, 1, 2};
    random.shuffle<int>(values);
    ASSERT_TRUE(std::ranges::is_permutation(values, std::array<int, 3>{0, 1, 2}));
    ++counts.at(static_cast<std::size_t>(2 * values[0] + (values[1] > values[2] ? 1 : 0)));
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000, 5 * 29);
}

}  // namespace
}  // namespace biglittle
