// SPDX-License-Identifier: MIT
#pragma once

// Maps in blocks of 16 channels, [n, C / 16, H, W, 16] in memory as in shape: the order in which
// oneDNN convolves fastest. Convolutions, batch norms, activations, sums and 2x2 pools stay in it;
// all other operations see [n, C, H, W], channels-last.

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace biglittle {

inline constexpr std::int64_t kBlockChannels = 16;

bool is_blocked(const at::Tensor& x);

/// The sizes of maps in either order.
struct MapSizes {
  std::int64_t n;
  std::int64_t channels;
  std::int64_t height;
  std::int64_t width;
};
MapSizes sizes_of(const at::Tensor& x);

/// `x` in blocks, or as maps; itself where it is so already. Differentiable. The channels must fill
/// whole blocks.
at::Tensor as_blocks(const at::Tensor& x);
at::Tensor as_maps(const at::Tensor& x);

/// `x` in the order of `other`.
at::Tensor ordered_as(const at::Tensor& other, const at::Tensor& x);

}  // namespace biglittle
