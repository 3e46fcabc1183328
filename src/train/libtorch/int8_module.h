// SPDX-License-Identifier: MIT
#pragma once

// Runs a graph with LibTorch tensors as the int8 network runs it: every tensor holds the whole
// numbers d = q - zero_point, every sum is exact, and gradients pass through the rounding.

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "graph/graph.h"
#include "train/int8_constants.h"

namespace biglittle {

/// The integers of one moment as tensors; shared by all replicas of a step.
class Int8Tensors {
 public:
  Int8Tensors(const Graph& graph, const Int8Constants& constants);

  struct Layer {
    at::Tensor weight;  ///< whole numbers; float64 where float32 could not hold every sum
    at::Tensor bias;
    at::Tensor weight_step;  ///< real weight = step * weight; broadcasts over it
    at::Tensor bias_step;    ///< [out]
    at::Tensor multipliers;  ///< [out]
  };
  const Int8Node& node(const std::string& name) const { return constants_.nodes.at(name); }
  const Layer& layer(const std::string& name) const { return layers_.at(name); }
  float input_step() const { return constants_.input_step; }

 private:
  void add_layer(const Graph& graph, const Node& node);

  Int8Constants constants_;
  std::map<std::string, Layer> layers_;
};

/// What is learned: autograd leaves by name. Missing ones are not learned.
struct Int8Learned {
  std::map<std::string, at::Tensor> weights;    ///< "<node>.weight", "<node>.bias"
  std::map<std::string, at::Tensor> log_steps;  ///< [1], by the node that rounds to the step
};

/// d of the input from raw samples minus the preprocessing's offset, [n, C, H, W].
at::Tensor quantize_input(const at::Tensor& raw, SampleType type, const Graph& graph,
                          const Int8Tensors& integers);

/// The last node's accumulators [n, outputs], whole numbers; times the last node's scale they are
/// the logits. `graph` has no batch norm and no dropout. `see` is given each node's d, or
/// accumulators for the last.
using SeeIntegers = std::function<void(const Node&, const at::Tensor&)>;
at::Tensor run_int8(const Graph& graph, const Int8Tensors& integers, const Int8Learned& learned,
                    const at::Tensor& input, const SeeIntegers& see = {});

}  // namespace biglittle
