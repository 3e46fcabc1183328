// SPDX-License-Identifier: MIT
// Which local answers are sent up: the stated share of them, in no order that inputs could follow.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

#include "bl_runtime.h"

namespace {

constexpr std::uint32_t kOnePercent = 42949673;  // 2^32 / 100, rounded

struct Hashed {
  std::uint32_t n;
  std::uint32_t hash;
};

// By Python's integers:
//   x = (n + 0x9e3779b9) % 2**32; x = (x ^ x >> 16) * 0x7feb352d % 2**32
//   x = (x ^ x >> 15) * 0x846ca68b % 2**32; print(x ^ x >> 16)
constexpr Hashed kHashed[] = {
    {0, 33350994},   {1, 2672842292u},          {2, 127880910}, {3, 260803382}, {1000, 937878766},
    {1640531527, 0}, {4294967295u, 2767685996u}};

TEST(Audit, PicksANumberFromItsHashOn) {
  for (const auto& [n, hash] : kHashed) {
    EXPECT_FALSE(bl_audit(n, hash)) << n;
    EXPECT_TRUE(bl_audit(n, hash + 1)) << n;
  }
}

TEST(Audit, ALimitOfZeroPicksNothingAndTheLargestAllButOneNumber) {
  for (std::uint32_t n = 0; n < 100000; ++n) {
    EXPECT_FALSE(bl_audit(n, 0));
    EXPECT_TRUE(bl_audit(n, UINT32_MAX));
  }
}

/// Audited numbers among `count` from `first` on, `stride` apart.
double audited(std::uint32_t first, std::uint32_t stride, std::uint32_t count) {
  double found = 0;
  for (std::uint32_t i = 0; i < count; ++i) found += bl_audit(first + i * stride, kOnePercent);
  return found;
}

TEST(Audit, PicksTheShareInEveryStretchAndEveryStride) {
  constexpr std::uint32_t kCount = 400000;
  const double expected = 0.01 * kCount;
  const double deviation = std::sqrt(expected * 0.99);
  for (const std::uint32_t first : {0u, 12345678u, 0xfff00000u}) {
    for (const std::uint32_t stride : {1u, 2u, 10u, 4096u, 65537u}) {
      EXPECT_NEAR(audited(first, stride, kCount), expected, 5 * deviation)
          << "from " << first << " by " << stride;
    }
  }
}

TEST(Audit, WhetherTheNextIsPickedDoesNotFollowFromThis) {
  constexpr std::uint32_t kCount = 4000000;
  double pairs = 0;
  for (std::uint32_t n = 0; n < kCount; ++n) {
    pairs += bl_audit(n, kOnePercent) && bl_audit(n + 1, kOnePercent);
  }
  const double expected = 1e-4 * kCount;
  EXPECT_NEAR(pairs, expected, 5 * std::sqrt(expected));
}

}  // namespace
