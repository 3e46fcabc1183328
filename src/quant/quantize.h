// SPDX-License-Identifier: MIT
#pragma once

// Post-training quantization: batch norm folded, activation ranges from the tune split, weights per
// channel, biases in int32. Fine-tuning after it is in fine_tune.h.

#include <cstdint>
#include <string>
#include <vector>

#include "core/json.h"
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

/// Quantization-aware fine-tuning; see fine_tune.h.
struct FineTuneOptions {
  std::int64_t epochs = 0;      ///< 0: post-training quantization alone
  double learning_rate = 1e-3;  ///< the schedule's peak
  bool learn_steps = false;     ///< learn activation scales, too
};
void describe(FineTuneOptions& options, OptionVisitor& visitor);

struct QuantizeOptions {
  RangeMethod range = RangeMethod::mse;
  double percentile = 99.99;          ///< of values kept on each side, for range = "percentile"
  std::int64_t range_samples = 2000;  ///< tune samples used for ranges
  bool equalize = false;              ///< balance channels of consecutive layers first
  double max_drop = 0.01;             ///< accuracy drop (rate) on tune above which the gate fails
  FineTuneOptions fine_tune;
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
  Network folded;                 ///< the float network that `model` holds in integers
  std::vector<LayerNoise> noise;  ///< of `model` against `folded`, in graph order
  double float_accuracy = 0.0;    ///< of the checkpoint on tune, in [0, 1]
  double int8_accuracy = 0.0;
  double drop = 0.0;       ///< float_accuracy - int8_accuracy, from whole counts
  double int8_loss = 0.0;  ///< mean cross-entropy of the accumulators' real logits on tune
  double agreement = 0.0;  ///< share of tune samples on which both choose the same class
};

/// Quantizes a checkpoint (float values in float32, whatever `compute.precision` says) with ranges
/// from `tune` (labels in the checkpoint's own classes). Throws Error{bad_data} when an accumulator
/// could overflow or the network does not end in a linear layer. How much accuracy is lost is for
/// check_drop to judge.
QuantizeResult quantize(const Checkpoint& checkpoint, const Samples& tune,
                        std::span<const std::int64_t> tune_labels, const QuantizeOptions& options,
                        const ComputeOptions& compute, const Engine& engine);

/// Throws Error{gate} naming the three noisiest layers when int8 loses more than `max_drop` of
/// accuracy on tune.
void check_drop(const QuantizeResult& result, double max_drop);

/// Accuracies, agreement and every layer's SQNR with the noisiest layers named, for logs.
Json to_json(const QuantizeResult& result);

}  // namespace biglittle
