// SPDX-License-Identifier: MIT
#pragma once

// Runs an Int8Model with plain integer loops over samples, several threads, no LibTorch. It is the
// definition that exported code is compared with, fast enough for whole splits of small networks.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "quant/int8_model.h"

namespace biglittle {

class Interpreter {
 public:
  /// Prepares (packs) the model; the model is not referenced afterwards.
  explicit Interpreter(const Int8Model& model);
  ~Interpreter();
  Interpreter(Interpreter&&) noexcept;

  /// The last layer's int32 accumulators, [N, outputs] row by row. `threads` 0: one per core.
  /// Throws Error{bad_data} when the samples' shape or type is not the model's.
  std::vector<std::int32_t> run(const Samples& samples, std::int64_t threads = 0) const;

  /// One sample (row `index`), giving each node's int8 output in C, H, W order to `see` (not the
  /// last node's accumulators, which are returned).
  using SeeTensor = std::function<void(std::string_view node, std::span<const std::int8_t> values)>;
  std::vector<std::int32_t> trace(const Samples& samples, std::int64_t index,
                                  const SeeTensor& see) const;

 private:
  struct Program;
  std::unique_ptr<Program> program_;
};

/// What the device decides from one sample's accumulators.
struct Decision {
  std::int64_t top = 0;     ///< class of the largest accumulator, the lowest index on a tie
  std::int64_t second = 0;  ///< class of the second largest, the lowest index on a tie
  std::int64_t margin = 0;  ///< acc[top] - acc[second] >= 0
};

/// Throws Error{internal} for fewer than two classes.
Decision decide(std::span<const std::int32_t> accumulators);

}  // namespace biglittle
