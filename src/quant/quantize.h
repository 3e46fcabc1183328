// SPDX-License-Identifier: MIT
#pragma once

// Post-training quantization: batch norm folded, activation ranges from the tune split, weights per
// channel, biases in int32.

#include <cstdint>
#include <string>
#include <vector>

#include "core/options.h"
#include "quant/int8_model.h"
#include "train/checkpoint.h"
#include "train/engine.h"

namespace biglittle {

enum class RangeMethod { min_max, percentile, mse };
template <>
struct EnumNames<RangeMethod> {
  static constexpr std::array<std::string_view, 3> names = {"min-max", "percentile", "mse"};
};

struct QuantizeOptions {
  RangeMethod range = RangeMethod::mse;
  double percentile = 99.99;          ///< of values kept on each side, for range = "percentile"
  std::int64_t range_samples = 2000;  ///< tune samples used for ranges
  double max_drop = 0.01;             ///< accuracy drop (rate) on tune above which the gate fails
};
void describe(QuantizeOptions& options, OptionVisitor& visitor);

/// Float against int8 of one node on a few tune samples. A layer whose clamp is its reader's relu
/// has no row: its float values below 0 are cut off on purpose.
struct LayerNoise {
  std::string node;
  double sqnr_db = 0.0;  ///< 10 log10(sum x^2 / sum (x - x_int8)^2), in [-120, 120]
};

struct QuantizeResult {
  Int8Model model;
  std::vector<LayerNoise> noise;  ///< in graph order
  double float_accuracy = 0.0;    ///< on tune, in [0, 1]
  double int8_accuracy = 0.0;
  double agreement = 0.0;  ///< share of tune samples on which both choose the same class
};

/// Quantizes a checkpoint (float values in float32, whatever `compute.precision` says) with ranges
/// from `tune` (labels in the checkpoint's own classes). Throws Error{gate} naming the three worst
/// layers when the drop exceeds max_drop, Error{bad_data} when an accumulator could overflow or the
/// network does not end in a linear layer.
QuantizeResult quantize(const Checkpoint& checkpoint, const Samples& tune,
                        std::span<const std::int64_t> tune_labels, const QuantizeOptions& options,
                        const ComputeOptions& compute, const Engine& engine);

}  // namespace biglittle
