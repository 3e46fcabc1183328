// SPDX-License-Identifier: MIT
#pragma once

// The int8 network that ships. Weights are int8 with zero point 0 and one scale per output channel
// (one for all rows of the last linear layer, so that its accumulators compare across classes),
// activations int8 with one scale and zero point per tensor, biases int32, accumulation in int32.
// The integers of every tensor are defined in quant/arithmetic.h and are the same in the
// interpreter, in the exported C code and in the exported ONNX graph.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/priority.h"
#include "graph/fold.h"

namespace biglittle {

inline constexpr int kInt8ModelVersion = 1;

/// Limits of every scale. With them no multiplier and no product of an accumulator with one is
/// infinite or subnormal, so that processors that flush subnormals to zero agree with others.
inline constexpr float kSmallestScale = 0x1p-40f;
inline constexpr float kLargestScale = 0x1p20f;

/// Accumulators of conv2d and linear stay below this for every input.
inline constexpr std::int64_t kAccumulatorLimit = std::int64_t{1} << 30;

/// Sums of pooling and add stay below this, where float32 still counts by ones.
inline constexpr std::int64_t kExactFloatLimit = std::int64_t{1} << 24;

/// real = scale * (q - zero_point), q in [-128, 127].
struct Quantization {
  float scale = 1.0f;
  std::int32_t zero_point = 0;
  bool operator==(const Quantization&) const = default;
};

/// Nodes: input, conv2d, relu, relu6, max_pool, avg_pool, global_avg_pool, add, flatten, linear (no
/// batch norm, no dropout); the last node is a linear layer whose int32 accumulators are the
/// result. Relu, relu6, max_pool and flatten carry the quantization of their input; a conv2d,
/// linear or add read only by a relu (or relu6) is given the relu's own range, so its clamp is the
/// relu.
struct Int8Model {
  Graph graph;
  std::map<std::string, Quantization> activations;  ///< of every node but the last
  /// Of each conv2d and linear `n`: "n.weight" i8, "n.bias" i32 [out], "n.weight_scale" f32 [out].
  TensorMap weights;
  Preprocessing preprocessing;
  /// float32 samples only: q = clamp(round_half_even((x - offset) / input_step) + zero_point).
  float input_step = 1.0f;
  std::vector<std::string> classes;  ///< one a network output
  std::optional<PriorityMap> priority;
  std::string source_digest;  ///< network_digest of the float network
  std::string config_toml;
  std::string program_version;
};

/// SHA-256 over graph, quantization (with the preprocessing), class names and weights: the identity
/// a policy is bound to.
std::string int8_digest(const Int8Model& model);

/// Atomic; the same model always gives the same bytes.
void save_int8_model(const std::filesystem::path& file, const Int8Model& model);

/// The largest |accumulator| of each output channel of a conv2d or linear node over all inputs:
/// sum |w| max |q - z_x| + |bias|.
std::vector<std::int64_t> accumulator_bounds(const Int8Model& model, const Node& node);

/// What one unit of the accumulators is worth: logits = logit_scale * accumulators, the product of
/// the last layer's input and weight scales.
float logit_scale(const Int8Model& model);

/// Reads and checks everything: permitted ops, shapes, types, finite positive scales, zero points
/// in
/// [-128, 127], shared quantization where the ops demand it, and that no accumulator can reach 2^30
/// for any input. Throws Error{missing_input} or Error{bad_data}.
Int8Model load_int8_model(const std::filesystem::path& file);

/// The checks of load_int8_model alone; `name` begins messages.
void check_int8_model(const Int8Model& model, std::string_view name);

}  // namespace biglittle
