// SPDX-License-Identifier: MIT
#include "train/libtorch/blocked_maps.h"

#include <ATen/ATen.h>

namespace biglittle {

bool is_blocked(const at::Tensor& x) { return x.dim() == 5; }

MapSizes sizes_of(const at::Tensor& x) {
  const std::int64_t channels = is_blocked(x) ? x.size(1) * kBlockChannels : x.size(1);
  return {x.size(0), channels, x.size(2), x.size(3)};
}

at::Tensor as_blocks(const at::Tensor& x) {
  if (is_blocked(x)) return x;
  const auto [n, channels, height, width] = sizes_of(x);
  return x.permute({0, 2, 3, 1})
      .reshape({n, height, width, channels / kBlockChannels, kBlockChannels})
      .permute({0, 3, 1, 2, 4})
      .contiguous();
}

at::Tensor as_maps(const at::Tensor& x) {
  if (!is_blocked(x)) return x;
  const auto [n, channels, height, width] = sizes_of(x);
  return x.permute({0, 2, 3, 1, 4}).reshape({n, height, width, channels}).permute({0, 3, 1, 2});
}

at::Tensor ordered_as(const at::Tensor& other, const at::Tensor& x) {
  return is_blocked(other) ? as_blocks(x) : as_maps(x);
}

}  // namespace biglittle
