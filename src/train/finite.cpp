// SPDX-License-Identifier: MIT
#include "train/finite.h"

#include <bit>
#include <cstdint>

namespace biglittle {

bool all_finite(std::span<const float> values) {
  // An exponent of ones is infinite or NaN. Integers compare and join in any order, so that the
  // compiler makes vectors of them; std::isfinite with an early end stays one number at a time.
  constexpr std::int32_t kInfinity = 0x7F800000;
  std::int32_t found = 0;
  for (const float value : values) {
    const std::int32_t magnitude = std::bit_cast<std::int32_t>(value) & 0x7FFFFFFF;
    found |= magnitude >= kInfinity ? 1 : 0;
  }
  return found == 0;
}

}  // namespace biglittle
