// SPDX-License-Identifier: MIT
#pragma once

// Convolutions over maps in blocks (blocked_maps.h) on processors with AVX-512, by oneDNN, which
// LibTorch would ask for channels-last ones: in float32, and in bf16 where vectors multiply it
// (under autocast). In float32 a 3x3 window takes fewer multiplications where that pays: Winograd's
// minimal filtering F(4x4, 3x3) makes 16 outputs from 36 products a channel instead of 144 (Lavin
// and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016, section 4.3). LibTorch
// never asks for it.

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "graph/graph.h"

namespace biglittle {

/// Whether `op` on `x` is computed here: on the processor, no groups, inputs and outputs in whole
/// blocks of channels, or of an image of the dataset, which has few channels and no gradient. Maps
/// that are not in blocks yet are reordered: what follows stays in blocks. False without oneDNN.
bool convolves_in_blocks(const Conv2d& op, const at::Tensor& x);

/// `x` [n, C, H, W] or in blocks, with `weight` [K, C, R, S], its input channel last in memory, and
/// `bias` [K], both float32, the latter undefined without one -> [n, K, ...] in blocks,
/// differentiable; an image has no gradient. In bf16 products are summed in float32. The relative
/// error of Winograd's way is a few times that of the direct one: about 1e-6.
at::Tensor blocked_convolution(const Conv2d& op, const at::Tensor& x, const at::Tensor& weight,
                               const at::Tensor& bias);

/// Whether convolutions in bf16 are: the processor has AVX512_BF16 and not AMX, whose tiles are
/// faster over channels-last maps.
bool multiplies_bf16_in_blocks();

/// Whether this program and the processor have Winograd's way.
bool has_winograd();

}  // namespace biglittle
