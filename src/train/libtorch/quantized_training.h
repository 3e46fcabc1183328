// SPDX-License-Identifier: MIT
#pragma once

// What the training loop does differently when it trains through the int8 network: integers are
// made anew from the float weights before each step, and activation scales may be learned. Learned
// scales stand behind the weights in the flat arrays, as log(scale / first scale).

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "train/libtorch/flat_weights.h"
#include "train/libtorch/inference.h"
#include "train/libtorch/int8_module.h"

namespace biglittle {

class QuantizedTraining {
 public:
  /// `request` (with quantization and initial weights) and `layout` must outlive it.
  QuantizedTraining(const FitRequest& request, const FlatLayout& layout);

  /// How many learned scales follow the weights.
  std::int64_t scale_count() const { return static_cast<std::int64_t>(first_scales_.size()); }

  /// Learned scales at `parameters`, by node.
  std::map<std::string, float> scales(const at::Tensor& parameters) const;

  /// Makes the integers of `parameters`; logits and infer use them until the next call.
  void refresh(const at::Tensor& parameters);

  /// Leaves over `parameters` whose gradients go to `gradients`.
  Int8Learned leaves(const at::Tensor& parameters, const at::Tensor& gradients) const;

  /// What batches are filled with: samples minus the offset, not scaled.
  const Preprocessing& unscaled() const { return unscaled_; }

  /// float32 logits [n, classes] of a batch filled with `unscaled`.
  at::Tensor logits(const Int8Learned& learned, const at::Tensor& batch) const;

  /// The same for every sample, row by row, without gradients.
  std::vector<float> infer(WorkerPool& pool, const Samples& samples) const;

 private:
  const FitRequest& request_;
  const FlatLayout& layout_;
  Preprocessing unscaled_;
  std::vector<std::pair<std::string, double>> first_scales_;
  std::optional<Int8Tensors> integers_;
};

}  // namespace biglittle
