// SPDX-License-Identifier: MIT
#pragma once

// All weights of a graph in two flat float arrays, one trainable, one not. Layers see views of
// them, so that the optimizer, the sum over replicas, copies and checks are single passes over
// memory.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "graph/graph.h"

namespace biglittle {

class FlatLayout {
 public:
  explicit FlatLayout(const Graph& graph);

  struct Slot {
    WeightSpec spec;
    std::int64_t offset = 0;  ///< in its array
  };
  const std::vector<Slot>& slots() const { return slots_; }
  std::int64_t trainable_count() const { return trainable_count_; }
  std::int64_t buffer_count() const { return buffer_count_; }

  /// The slot's tensor inside `flat` (the trainable or the buffer array, whichever it belongs to).
  /// Convolution weights are channels-last there.
  static at::Tensor view(const at::Tensor& flat, const Slot& slot);

  /// 1 for each trainable number that weight decay applies to: weights of conv2d and linear.
  std::vector<std::uint8_t> decays() const;

  /// Copies between files' order and the flat arrays.
  void load(const TensorMap& weights, const at::Tensor& trainable, const at::Tensor& buffers) const;
  TensorMap store(const at::Tensor& trainable, const at::Tensor& buffers) const;

 private:
  std::vector<Slot> slots_;
  std::int64_t trainable_count_ = 0;
  std::int64_t buffer_count_ = 0;
};

/// The numbers of a contiguous float tensor.
std::span<float> numbers(const at::Tensor& tensor);

}  // namespace biglittle
