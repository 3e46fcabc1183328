// SPDX-License-Identifier: MIT
// In place of blocked_convolution.cpp where LibTorch came without oneDNN 2.

#include <ATen/ATen.h>

#include "train/libtorch/blocked_convolution.h"

namespace biglittle {

at::Tensor blocked_convolution(const Conv2d&, const at::Tensor&, const at::Tensor&,
                               const at::Tensor&) {
  TORCH_CHECK(false, "built without oneDNN 2");
}

bool multiplies_bf16_in_blocks() { return false; }

bool has_winograd() { return false; }

bool convolves_in_blocks(const Conv2d&, const at::Tensor&) { return false; }

}  // namespace biglittle
