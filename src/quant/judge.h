// SPDX-License-Identifier: MIT
#pragma once

// An int8 network and what it loses, from a float network and ranges: the one way to a
// QuantizeResult, for post-training quantization and for fine-tuning.

#include <map>
#include <span>
#include <string>

#include "quant/quantize.h"
#include "quant/ranges.h"

namespace biglittle {

/// What quantizations are judged on.
struct TuneSet {
  const Samples& samples;
  std::span<const std::int64_t> labels;
  ComputeOptions compute;
};

/// The same with precision fp32: bf16 would blur what int8 is compared with.
ComputeOptions in_float32(ComputeOptions compute);

/// At most `count` samples, evenly spaced, so that a split sorted by class is covered too.
Samples spread(const Samples& samples, std::int64_t count);

/// Lowers `folded` with `ranges`, gives the model what `checkpoint` says about itself, and compares
/// it with both float networks on `tune`. Throws what lower and Interpreter throw.
QuantizeResult judge(const Checkpoint& checkpoint, Network folded,
                     const std::map<std::string, Range>& ranges, const TuneSet& tune,
                     const Engine& engine);

}  // namespace biglittle
