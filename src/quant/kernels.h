// SPDX-License-Identifier: MIT
#pragma once

// The integer loops of the interpreter, on one sample in height, width, channel order. Values are
// those of quant/arithmetic.h; layouts are chosen so that the compiler vectorises over channels.

#include <cstdint>
#include <span>
#include <vector>

#include "quant/int8_model.h"

namespace biglittle {

/// Output channels (depthwise: channels) computed together; packed arrays are padded to it.
inline constexpr std::int64_t kLanes = 16;

/// A conv2d or linear node made ready to run. A linear layer is a 1x1 convolution of a 1x1 image.
struct PackedConv {
  Shape input;
  Shape output;
  Window window;
  std::int64_t groups = 1;
  bool depthwise = false;  ///< one input and one output channel a group
  std::int32_t input_zero = 0;
  std::int32_t output_zero = 0;
  std::int64_t blocks = 0;            ///< of kLanes output channels, a group
  std::vector<std::int16_t> weights;  ///< [groups, blocks, kh, kw, in/groups, kLanes];
                                      ///< depthwise: [blocks, kh, kw, kLanes]
  std::vector<std::int32_t> bias;     ///< [groups, blocks, kLanes]; depthwise: [blocks, kLanes]
  std::vector<float> multipliers;     ///< like bias; empty for the last layer
};

/// Packs node `node` (a conv2d or linear) of `model`.
PackedConv pack_conv(const Int8Model& model, const Node& node);

/// Values of `input` minus its zero point, with kLanes spare values behind them.
void widen(std::span<const std::int8_t> input, std::int32_t zero_point,
           std::vector<std::int16_t>& widened);

/// Requantized output. `widened` is the input as `widen` makes it.
void run_conv(const PackedConv& conv, std::span<const std::int16_t> widened,
              std::span<std::int8_t> output);

/// Accumulators, not requantized: the last layer.
void run_conv(const PackedConv& conv, std::span<const std::int16_t> widened,
              std::span<std::int32_t> accumulators);

void run_max_pool(const Shape& input, const Shape& output, const Window& window,
                  std::span<const std::int8_t> values, std::span<std::int8_t> result);

/// avg_pool, and global_avg_pool as a window over the whole image.
struct PoolConstants {
  std::int32_t input_zero = 0;
  std::int32_t output_zero = 0;
  float multiplier = 1.0f;
};
void run_avg_pool(const Shape& input, const Shape& output, const Window& window,
                  const PoolConstants& constants, std::span<const std::int8_t> values,
                  std::span<std::int8_t> result);

}  // namespace biglittle
