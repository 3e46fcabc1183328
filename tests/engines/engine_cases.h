// SPDX-License-Identifier: MIT
#pragma once

// A folder of exported networks with samples and the outputs that engines must reproduce, in the
// form that run_cases.mjs reads.

#include <filesystem>
#include <string>
#include <vector>

#include "core/json.h"
#include "quant/int8_model.h"

namespace biglittle::testing {

class EngineCases {
 public:
  explicit EngineCases(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// NAME.qdq.onnx at the levels where engines fuse, NAME.qoperator.onnx at every level; expected
  /// values from the interpreter.
  void add_int8(const std::string& name, const Int8Model& model, const Samples& samples);

  /// NAME.onnx of the folded network; expected values from plain loops over the unfolded one.
  void add_float(const std::string& name, const Network& network,
                 const Preprocessing& preprocessing, const Samples& samples);

  /// Writes cases.json.
  void finish() const;

  const std::vector<std::string>& models() const { return models_; }

 private:
  void add_case(const std::string& model, const std::string& tensors, const std::string& kind,
                const std::vector<std::string>& levels, std::span<const std::byte> bytes);

  std::filesystem::path folder_;
  Json cases_ = Json::array();
  std::vector<std::string> models_;
};

/// Random weights that keep the size of activations about the same from layer to layer.
Network random_float_network(const Graph& graph, unsigned seed);

}  // namespace biglittle::testing
