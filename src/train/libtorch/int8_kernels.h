// SPDX-License-Identifier: MIT
#pragma once

// Requantization of whole tensors and its gradient in one pass each: as separate LibTorch
// operations they take most of a training step.

#include <cstdint>

namespace biglittle {

/// Where requantization rounds to.
struct RequantizeLimits {
  std::int32_t low = -128;  ///< -128 - zero_point
  std::int32_t high = 127;  ///< 127 - zero_point
};

/// `acc`, `scaled`, `d` [rows, C], `multipliers` [C]: scaled = float32(acc) * multiplier,
/// d = round_half_even(clamp(scaled)).
template <typename Sum>
struct RequantizeForward {
  const Sum* acc;
  const float* multipliers;
  float* scaled;
  float* d;
  std::int64_t rows;
  std::int64_t channels;
  RequantizeLimits limits;
};
void requantize_forward(const RequantizeForward<float>& pass);
void requantize_forward(const RequantizeForward<double>& pass);

/// `dd`, `dacc` [rows, C]: dacc = dd * multiplier where scaled lies within the limits, 0 elsewhere.
template <typename Sum>
struct RequantizeBackward {
  const float* scaled;
  const float* dd;
  const float* multipliers;
  Sum* dacc;
  std::int64_t rows;
  std::int64_t channels;
  RequantizeLimits limits;
};
void requantize_backward(const RequantizeBackward<float>& pass);
void requantize_backward(const RequantizeBackward<double>& pass);

/// sum dd (round(scaled) - scaled) where scaled lies within the limits, dd times the limit
/// elsewhere, over `count` values.
double step_slope(const float* scaled, const float* dd, std::int64_t count,
                  RequantizeLimits limits);

}  // namespace biglittle
