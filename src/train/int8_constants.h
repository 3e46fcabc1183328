// SPDX-License-Identifier: MIT
#pragma once

// The integers of an int8 network as plain data: what a training step needs to compute exactly what
// the int8 network will compute. They are made by the layer that owns the int8 arithmetic
// (quant/fine_tune.h), so that rounding is decided in one place.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace biglittle {

/// One node's share. With d = q - zero_point for every tensor, a conv2d, linear, pool or add gives
/// acc from the d of its inputs and then
/// d = clamp(round_half_even(float32(acc) * multiplier), -128 - zero_point, 127 - zero_point).
struct Int8Node {
  float scale = 1.0f;  ///< of its output; of its accumulators for the last node
  std::int32_t zero_point = 0;
  /// One an output channel for conv2d and linear, one for pools and add; empty for others and for
  /// the last node, whose accumulators are the result.
  std::vector<float> multipliers;
  std::int64_t bound = 0;  ///< no sum on the way to acc is larger in magnitude
  std::int32_t left = 0;   ///< add: acc = left d_a + right d_b
  std::int32_t right = 0;
  std::int32_t limit = 255;  ///< relu6: largest d
};

struct Int8Constants {
  std::map<std::string, Int8Node> nodes;
  /// Of each conv2d and linear `n`: "n.weight" i8, "n.bias" i32 [out], "n.weight_scale" f32 [out].
  TensorMap weights;
  /// float32 samples: d = clamp(round_half_even((x - offset) / input_step), ...). For uint8 d is
  /// the byte minus the preprocessing's offset.
  float input_step = 1.0f;
};

/// Training through the int8 network: forward with its integers, backward as if rounding were not
/// there (straight-through, Bengio et al. 2013).
struct QuantizationAware {
  /// The integers for float weights of the request's graph, which has no batch norm or dropout and
  /// a bias on every layer. `scales` replaces activation scales, by the node that rounds to them.
  std::function<Int8Constants(const TensorMap& weights, const std::map<std::string, float>& scales)>
      integers;
  bool learn_steps = false;  ///< learn activation scales, too (Esser et al. 2020)
};

}  // namespace biglittle
