// SPDX-License-Identifier: MIT
#pragma once

// Kernels of our own as differentiable operations on [n, C, H, W] channels-last tensors of float32
// or bfloat16, or on blocked maps (blocked_maps.h).

#include <ATen/core/Tensor.h>

#include "graph/graph.h"
#include "train/libtorch/fused_kernels.h"

namespace biglittle {

/// Batch norm in training mode, then its tail; `skip` ordered as `x`, undefined without a residual.
/// `weight`, `bias` and running statistics are float32 [C]; the running ones are updated. With
/// pooling C must be a multiple of kPooledNormChannels (pooled_norm_kernels.h).
at::Tensor fused_batch_norm(const at::Tensor& x, const at::Tensor& skip, const at::Tensor& weight,
                            const at::Tensor& bias, const at::Tensor& running_mean,
                            const at::Tensor& running_variance, const BatchNorm& options,
                            NormTail tail);

/// Maximum over 2x2 windows with stride 2.
at::Tensor fused_max_pool(const at::Tensor& x);

/// Whether fused_depthwise computes this on `x`: a 3x3 window for each channel, no bias, and no
/// more zeros on a side than the window can reach over.
bool is_fusable_depthwise(const Conv2d& op, const at::Tensor& x);

/// The convolution of `x` with `weight`, float32 [C, 1, 3, 3], each channel with its own window.
at::Tensor fused_depthwise(const at::Tensor& x, const at::Tensor& weight, const Window& window);

}  // namespace biglittle
