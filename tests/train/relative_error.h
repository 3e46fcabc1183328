// SPDX-License-Identifier: MIT
#pragma once

#include <ATen/ATen.h>

namespace biglittle::testing {

/// |a - b| / |b|, Euclidean norms over all numbers, in float64.
inline double relative_error(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor expected = b.to(at::kDouble);
  return (a.to(at::kDouble) - expected).norm().item<double>() / expected.norm().item<double>();
}

}  // namespace biglittle::testing
