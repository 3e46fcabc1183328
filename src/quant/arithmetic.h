// SPDX-License-Identifier: MIT
#pragma once

// The integer arithmetic of the int8 network, stated once. q are int8 values, z zero points, acc
// int32. round_half_even is IEEE round-to-nearest-even of a float32; products of floats are rounded
// once (no fused multiply-add with anything).
//
//   input            u8: q = byte - 128;  f32: q = quantize_input(x, offset, step, z)
//   conv2d, linear   acc = bias[o] + sum w[o,i] (q_i - z_x);  y = requantize(acc, m[o], z_y)
//                    m[o] = (s_x * s_w[o]) / s_y in float32, in that order, as ONNX Runtime's
//                    QLinearConv does; padding contributes 0 (q = z_x)
//   last linear      acc itself, not requantized
//   global_avg_pool  acc = sum (q - z_x);       y = requantize(acc, float32(s_x / (n s_y)), z_y)
//   avg_pool         the same over the window, n = kernel_height kernel_width, padding adds 0
//   add              acc = A (q_a - z_a) + B (q_b - z_b), A = round(s_a / S 2^14), B likewise,
//                    S = max(s_a, s_b);          y = requantize(acc, float32(S / (2^14 s_y)), z_y)
//   relu             y = max(q, z)               relu6: also y <= min(127, round(6 / s) + z)
//   max_pool         y = max q over the window inside the image
//   flatten          values in channel, row, column order
//   requantize(acc, m, z) = clamp(round_half_even(float32(acc) * m) + z, -128, 127)
//
// docs/int8.md gives the reasons and the bounds. |acc| of global_avg_pool, avg_pool and add stays
// below 2^24, so float32(acc) is exact there and standard float ONNX ops express them exactly.

#include <cstdint>
#include <vector>

#include "quant/int8_model.h"

namespace biglittle {

/// clamp(round_half_even(float32(acc) * multiplier) + zero_point, -128, 127).
std::int8_t requantize(std::int32_t acc, float multiplier, std::int32_t zero_point);

/// A float32 sample value as the network's input: clamp(round_half_even((x - offset) / step) + z,
/// -128, 127), every operation in float32; NaN gives -128.
std::int8_t quantize_input(float value, float offset, float step, std::int32_t zero_point);

/// m of one output channel: (input_scale * weight_scale) / output_scale, rounded to float32 twice.
float conv_multiplier(float input_scale, float weight_scale, float output_scale);

/// m of each output channel of a conv2d or linear node that is not the last.
std::vector<float> channel_multipliers(const Int8Model& model, const Node& node);

/// m of an avg_pool or global_avg_pool node.
float pool_multiplier(const Int8Model& model, const Node& node);

/// A, B and m of an add node.
struct AddConstants {
  std::int32_t left = 0;
  std::int32_t right = 0;
  float multiplier = 0.0f;
};
AddConstants add_constants(const Int8Model& model, const Node& node);

/// Largest value a relu6 lets through, in [-128, 127].
std::int32_t relu6_limit(const Quantization& quantization);

}  // namespace biglittle
