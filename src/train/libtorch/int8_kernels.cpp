// SPDX-License-Identifier: MIT
#include "train/libtorch/int8_kernels.h"

#include <array>
#include <cstddef>
#include <numeric>

#include "core/vector_clones.h"

// Multiplications and additions are never fused here (-ffp-contract=off): a fused one would round
// differently.

namespace biglittle {
namespace {

// Adding 1.5 * 2^23 rounds |value| < 2^22 to a whole number, half to even.
constexpr float kMagic = 12582912.0f;

BIGLITTLE_INLINE float round_within(float value, float low, float high) {
  value = value > low ? value : low;
  value = value < high ? value : high;
  return (value + kMagic) - kMagic;
}

// The pointers of these rows never overlap; saying so is what lets the loops become vectors.
template <typename Sum>
BIGLITTLE_INLINE void forward_row(std::size_t channels, const Sum* __restrict acc,
                                  const float* __restrict multipliers, float* __restrict scaled,
                                  float* __restrict d, float low, float high) {
  for (std::size_t c = 0; c < channels; ++c) {
    const float value = static_cast<float>(acc[c]) * multipliers[c];
    scaled[c] = value;
    d[c] = round_within(value, low, high);
  }
}

template <typename Sum>
BIGLITTLE_INLINE void forward(const RequantizeForward<Sum>& pass) {
  const auto low = static_cast<float>(pass.limits.low);
  const auto high = static_cast<float>(pass.limits.high);
  for (std::int64_t row = 0; row < pass.rows; ++row) {
    const std::int64_t at = row * pass.channels;
    forward_row(static_cast<std::size_t>(pass.channels), pass.acc + at, pass.multipliers,
                pass.scaled + at, pass.d + at, low, high);
  }
}

template <typename Sum>
BIGLITTLE_INLINE void backward_row(std::size_t channels, const float* __restrict scaled,
                                   const float* __restrict dd, const float* __restrict multipliers,
                                   Sum* __restrict dacc, float low, float high) {
  for (std::size_t c = 0; c < channels; ++c) {
    const bool inside = scaled[c] >= low && scaled[c] <= high;
    dacc[c] = inside ? dd[c] * multipliers[c] : 0.0f;
  }
}

template <typename Sum>
BIGLITTLE_INLINE void backward(const RequantizeBackward<Sum>& pass) {
  const auto low = static_cast<float>(pass.limits.low);
  const auto high = static_cast<float>(pass.limits.high);
  for (std::int64_t row = 0; row < pass.rows; ++row) {
    const std::int64_t at = row * pass.channels;
    backward_row(static_cast<std::size_t>(pass.channels), pass.scaled + at, pass.dd + at,
                 pass.multipliers, pass.dacc + at, low, high);
  }
}

constexpr std::int64_t kLanes = 16;

BIGLITTLE_INLINE double slope(float scaled, float dd, float low, float high) {
  const float d = round_within(scaled, low, high);
  const bool inside = scaled >= low && scaled <= high;
  const float error = inside ? d - scaled : d;
  return static_cast<double>(dd * error);
}

}  // namespace

BIGLITTLE_VECTOR_CLONES void requantize_forward(const RequantizeForward<float>& pass) {
  forward(pass);
}
BIGLITTLE_VECTOR_CLONES void requantize_forward(const RequantizeForward<double>& pass) {
  forward(pass);
}
BIGLITTLE_VECTOR_CLONES void requantize_backward(const RequantizeBackward<float>& pass) {
  backward(pass);
}
BIGLITTLE_VECTOR_CLONES void requantize_backward(const RequantizeBackward<double>& pass) {
  backward(pass);
}

BIGLITTLE_VECTOR_CLONES double step_slope(const float* scaled, const float* dd, std::int64_t count,
                                          RequantizeLimits limits) {
  const auto low = static_cast<float>(limits.low);
  const auto high = static_cast<float>(limits.high);
  // One sum a lane: vectors need sums that do not wait for each other.
  std::array<double, kLanes> sums{};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      sums[static_cast<std::size_t>(lane)] += slope(scaled[i + lane], dd[i + lane], low, high);
    }
  }
  for (; i < count; ++i) sums[0] += slope(scaled[i], dd[i], low, high);
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace biglittle
