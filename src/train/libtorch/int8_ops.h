// SPDX-License-Identifier: MIT
#pragma once

// The rounding steps of the int8 network as differentiable operations: forward the exact integers,
// backward the slope of the real function that they approximate (straight-through estimators).

#include <ATen/core/Tensor.h>

#include "train/libtorch/int8_kernels.h"

namespace biglittle {

/// `integers` in place of the real `learned` = step * integers: backward divides by `step`, which
/// broadcasts over `learned`. Without a gradient wanted it is `integers` itself.
at::Tensor stand_in(const at::Tensor& learned, const at::Tensor& integers, const at::Tensor& step);

/// d = clamp(round_half_even(float32(acc) * multiplier), low, high), float32. `acc` [n, C] or [n,
/// C, H, W] holds whole numbers in float32 or float64, `multiplier` broadcasts over it. Backward:
/// the multiplier where v = float32(acc) * multiplier lies between the limits, 0 elsewhere.
/// `log_step` [1], where defined, is the logarithm of the step s of d: with x = s d it receives
/// dL/dlog s = sum dL/dx * s * (d - v inside the limits, d outside) (Esser et al. 2020, equation
/// 3), times 1 / sqrt(127 values of one sample) as in their section 2.2. A logarithm keeps the step
/// positive (Jain et al. 2020, arXiv 1903.08066).
at::Tensor requantize(const at::Tensor& acc, const at::Tensor& multipliers,
                      const at::Tensor& log_step, RequantizeLimits limits);

}  // namespace biglittle
