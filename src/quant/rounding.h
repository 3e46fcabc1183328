// SPDX-License-Identifier: MIT
#pragma once

// The one rounding step of the int8 network, inline so that the interpreter's loops vectorise.
// Sources that include this are compiled with -ffp-contract=off: a fused multiply-add would round
// differently.

#include <cstdint>

namespace biglittle {

/// clamp(round_half_even(value) + zero_point, -128, 127); NaN gives -128. zero_point in [-128,
/// 127].
inline std::int8_t round_to_int8(float value, std::int32_t zero_point) {
  // Clamping to whole limits before rounding gives the same result as after, and keeps |value|
  // below 2^22, where adding 1.5 * 2^23 rounds to a whole number, half to even.
  constexpr float kMagic = 12582912.0f;
  const float low = static_cast<float>(-128 - zero_point);
  const float high = static_cast<float>(127 - zero_point);
  value = value > low ? value : low;
  value = value < high ? value : high;
  const float rounded = (value + kMagic) - kMagic;
  return static_cast<std::int8_t>(static_cast<std::int32_t>(rounded) + zero_point);
}

}  // namespace biglittle
