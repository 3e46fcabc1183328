// SPDX-License-Identifier: MIT
#pragma once

// 2x2 max pooling over channels-last memory, on one thread: LibTorch's own remembers each winner in
// eight bytes.

#include <cstdint>

#include "train/libtorch/bfloat16.h"

namespace biglittle {

/// 2x2 maximum with stride 2: `x` [n, height, width, C] -> `y` [n, height / 2, width / 2, C]; an
/// odd last row or column is left out. `winner` (as y) says which of the four (row-major) won, the
/// first on a tie.
struct PoolSize {
  std::int64_t n;
  std::int64_t height;
  std::int64_t width;
  std::int64_t channels;
};
void pool_forward(const float* x, float* y, std::uint8_t* winner, const PoolSize& size);
void pool_forward(const Bfloat16* x, Bfloat16* y, std::uint8_t* winner, const PoolSize& size);

/// Writes all of `dx` [n, height, width, C]: dy at each winner, 0 elsewhere.
void pool_backward(const float* dy, const std::uint8_t* winner, float* dx, const PoolSize& size);
void pool_backward(const Bfloat16* dy, const std::uint8_t* winner, Bfloat16* dx,
                   const PoolSize& size);

}  // namespace biglittle
