// SPDX-License-Identifier: MIT
#pragma once

// Values of kernels that compute in float32 and store float32 or bfloat16.

#include <bit>
#include <cstdint>

#include "core/vector_clones.h"

namespace biglittle {

/// A bfloat16 as its bits: the upper half of a float32's.
struct Bfloat16 {
  std::uint16_t bits;
};

BIGLITTLE_INLINE float load(float value) { return value; }
BIGLITTLE_INLINE float load(Bfloat16 value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}

BIGLITTLE_INLINE void store(float& place, float value) { place = value; }
/// Round to nearest even. The NaNs that processors make stay NaNs; others may become any value.
BIGLITTLE_INLINE void store(Bfloat16& place, float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  place.bits = static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

}  // namespace biglittle
