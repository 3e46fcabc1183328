// SPDX-License-Identifier: MIT
// In place of winograd.cpp where LibTorch came without oneDNN 2: nothing pays.

#include <ATen/ATen.h>

#include "train/libtorch/winograd.h"

namespace biglittle {

at::Tensor winograd_convolution(const at::Tensor&, const at::Tensor&, const at::Tensor&) {
  TORCH_CHECK(false, "built without oneDNN 2");
}

bool has_winograd() { return false; }

bool winograd_pays(const Conv2d&, const at::Tensor&) { return false; }

}  // namespace biglittle
