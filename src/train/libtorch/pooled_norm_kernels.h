// SPDX-License-Identifier: MIT
#pragma once

// Batch norm, its activation and 2x2 max pooling in one pass forward and one backward: of the map
// between them, four times the pooled one, nothing is ever written. One thread; float32 or bfloat16
// values, float32 parameters.

#include "train/libtorch/fused_kernels.h"

namespace biglittle {

/// Channels come in multiples of this.
inline constexpr std::int64_t kPooledNormChannels = 16;

/// `norm` as normalize_forward takes it, without a residual and with a segment for each image,
/// whose rows are `width` wide; y [segments, rows / width / 2, width / 2, channels], segments at
/// the stride that fits. `winner`, ordered as y, says which of the four (row-major) was the
/// largest, the first of equals, and kNoWinner where the activation is flat. An odd last row or
/// column is left out of y only.
template <typename Value>
struct PooledNormForward {
  NormForward<Value> norm;
  std::int64_t width;
  std::uint8_t* winner;
};
inline constexpr std::uint8_t kNoWinner = 4;
void pooled_normalize_forward(const PooledNormForward<float>& pass);
void pooled_normalize_forward(const PooledNormForward<Bfloat16>& pass);

/// dx, dweight and dbias from dy, ordered as y. As normalize_backward, with t = dy at each winner
/// and 0 elsewhere.
template <typename Value>
struct PooledNormBackward {
  NormBackward<Value> norm;
  std::int64_t width;
  const std::uint8_t* winner;
};
void pooled_normalize_backward(const PooledNormBackward<float>& pass);
void pooled_normalize_backward(const PooledNormBackward<Bfloat16>& pass);

}  // namespace biglittle
