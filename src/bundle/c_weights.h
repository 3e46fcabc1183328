// SPDX-License-Identifier: MIT
#pragma once

// Weights and parameters in the orders in which the kernels of bl_runtime.h read them.

#include <cstdint>
#include <span>
#include <vector>

#include "graph/graph.h"

namespace biglittle {

/// The integers of one conv2d or linear layer as the graph has them: weight [out, depth, taps].
struct LayerWeights {
  std::span<const std::int8_t> weight;
  std::int64_t outputs = 0;
  std::int64_t depth = 0;  ///< input channels of a group
  std::int64_t kernel_height = 1;
  std::int64_t kernel_width = 1;

  std::int64_t taps() const { return kernel_height * kernel_width; }
};

/// Output channels that wide kernels compute at once.
inline constexpr std::int64_t kDeviceLanes = 16;

/// [out][kernel_height][kernel_width][depth].
std::vector<std::int8_t> tight_weights(const LayerWeights& layer);

/// [kernel_height][kernel_width][channel]; depth is 1.
std::vector<std::int8_t> tight_depthwise_weights(const LayerWeights& layer);

/// [blocks][kernel_height][steps][16][4]: a row of the kernel is one run of kernel_width * depth
/// values, cut into steps of four.
std::vector<std::int8_t> packed_weights(const LayerWeights& layer);

/// [blocks][kernel_height][ceil(kernel_width / 4)][16][4], lanes as lane_channels says; depth is 1.
std::vector<std::int8_t> packed_depthwise_weights(const LayerWeights& layer);

/// The channel of every lane of packed parameters, -1 for a lane without one: channels in order,
/// filled up to whole blocks. Where `repeats` and 16 is a multiple of the channels, one block holds
/// all of them several times.
std::vector<std::int64_t> lane_channels(std::int64_t channels, bool repeats);

/// The sum of each output channel's weights.
std::vector<std::int32_t> weight_sums(const LayerWeights& layer);

}  // namespace biglittle
