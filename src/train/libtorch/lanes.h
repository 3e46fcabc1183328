// SPDX-License-Identifier: MIT
#pragma once

// Sixteen values as one operand, for loops that a compiler left to itself does not make vectors of:
// a vector of AVX-512, two of AVX2, four of SSE or NEON.

#include <cstdint>

#include "train/libtorch/bfloat16.h"

namespace biglittle {

inline constexpr std::int64_t kLanes = 16;

/// Each at any address where one of its values may lie.
using Lanes = float __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
using LaneTests = std::int32_t __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
using LaneWords = std::uint32_t __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
using LaneHalves = std::uint16_t __attribute__((vector_size(2 * kLanes), aligned(2), may_alias));
using LaneBytes = std::uint8_t __attribute__((vector_size(kLanes), aligned(1), may_alias));

// Results go through references: returned, they would be passed in ways that depend on the
// processor, which compilers warn of.
BIGLITTLE_INLINE void load_lanes(const float* from, Lanes& to) {
  to = *reinterpret_cast<const Lanes*>(from);
}
BIGLITTLE_INLINE void load_lanes(const Bfloat16* from, Lanes& to) {
  const LaneWords words =
      __builtin_convertvector(*reinterpret_cast<const LaneHalves*>(from), LaneWords) << 16;
  to = reinterpret_cast<const Lanes&>(words);
}

BIGLITTLE_INLINE void store_lanes(float* to, const Lanes& from) {
  *reinterpret_cast<Lanes*>(to) = from;
}
/// Rounded as store() does it.
BIGLITTLE_INLINE void store_lanes(Bfloat16* to, const Lanes& from) {
  const LaneWords words = reinterpret_cast<const LaneWords&>(from);
  *reinterpret_cast<LaneHalves*>(to) =
      __builtin_convertvector((words + 0x7FFF + (words >> 16 & 1)) >> 16, LaneHalves);
}

/// Comparisons of Lanes give LaneTests: -1 or 0.
BIGLITTLE_INLINE void load_lanes(const std::uint8_t* from, LaneTests& to) {
  to = __builtin_convertvector(*reinterpret_cast<const LaneBytes*>(from), LaneTests);
}
BIGLITTLE_INLINE void store_lanes(std::uint8_t* to, const LaneTests& from) {
  *reinterpret_cast<LaneBytes*>(to) = __builtin_convertvector(from, LaneBytes);
}

/// The largest of four, and which it is: the first of equals.
BIGLITTLE_INLINE void largest_of(const Lanes (&values)[4], Lanes& most, LaneTests& which) {
  const auto& [first, second, third, fourth] = values;
  const Lanes upper = second > first ? second : first;
  const Lanes lower = fourth > third ? fourth : third;
  const LaneTests of_upper = (second > first) & 1;
  const LaneTests of_lower = ((fourth > third) & 1) | 2;
  const LaneTests down = lower > upper;
  most = down ? lower : upper;
  which = of_upper ^ ((of_upper ^ of_lower) & down);
}

}  // namespace biglittle
