// SPDX-License-Identifier: MIT
#pragma once

// 3x3 convolutions with fewer multiplications: Winograd's minimal filtering F(4x4, 3x3) makes 16
// outputs from 36 products a channel instead of 144 (Lavin and Gray, "Fast Algorithms for
// Convolutional Neural Networks", CVPR 2016, section 4.3). oneDNN computes it in float32 on
// processors with AVX-512, forward and for both gradients; LibTorch never asks it to.

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "graph/graph.h"

namespace biglittle {

/// `x` [n, C, H, W] of float32, blocked or not (blocked_maps.h), with `weight` [K, C, 3, 3] and
/// `bias` [K], undefined without one -> blocked [n, K, H, W], differentiable. Its relative error is
/// a few times that of the direct way: about 1e-6.
at::Tensor winograd_convolution(const at::Tensor& x, const at::Tensor& weight,
                                const at::Tensor& bias);

/// Whether this program and the processor have it at all.
bool has_winograd();

/// Whether winograd_convolution computes this on `x` in less time than LibTorch's convolution: a
/// 3x3 window at every pixel, a margin of one zero, no groups, enough channels in whole blocks,
/// and a processor for which oneDNN has the code. False without oneDNN.
bool winograd_pays(const Conv2d& op, const at::Tensor& x);

}  // namespace biglittle
