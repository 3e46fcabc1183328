// SPDX-License-Identifier: MIT
#include <cmath>
#include <optional>
#include <set>
#include <string>

#include "core/error.h"
#include "graph/fold.h"

namespace biglittle {
namespace {

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + "]";
}

/// What is wrong with one tensor, if anything.
std::optional<std::string> fault(const Tensor& tensor, const WeightSpec& spec) {
  if (tensor.dtype() != DType::f32) {
    return "is " + std::string(name_of(tensor.dtype())) + " but must be F32";
  }
  if (tensor.shape() != spec.shape) {
    return "has shape " + shape_text(tensor.shape()) + " but the graph needs " +
           shape_text(spec.shape);
  }
  const bool variance = spec.name.ends_with(".running_var");
  const auto values = tensor.values<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) return "is not finite at element " + std::to_string(i);
    if (variance && values[i] < 0.0f) {
      return "is a variance but negative at element " + std::to_string(i);
    }
  }
  return std::nullopt;
}

}  // namespace

void check_weights(const Graph& graph, const TensorMap& weights, std::string_view name) {
  const auto refuse = [&](const std::string& tensor, const std::string& reason) {
    throw Error(ErrorKind::bad_data, std::string(name) + ": tensor '" + tensor + "' " + reason);
  };
  std::set<std::string_view> needed;
  const std::vector<WeightSpec> specs = graph.weights();
  for (const WeightSpec& spec : specs) {
    needed.insert(spec.name);
    const auto found = weights.find(spec.name);
    if (found == weights.end()) {
      refuse(spec.name, "is missing");
    } else if (const auto reason = fault(found->second, spec)) {
      refuse(spec.name, *reason);
    }
  }
  for (const auto& [tensor, value] : weights) {
    if (!needed.contains(tensor)) refuse(tensor, "belongs to no node of the graph");
  }
}

}  // namespace biglittle
