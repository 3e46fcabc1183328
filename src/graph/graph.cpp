// SPDX-License-Identifier: MIT
#include "graph/graph.h"

#include <algorithm>

#include "core/error.h"
#include "graph/shapes.h"

namespace biglittle {
namespace {

/// Far above any network of this project; bounds the work that a hostile file can cause.
constexpr std::size_t kMaxNodes = 10000;

[[noreturn]] void refuse(std::string_view node, const std::string& reason) {
  throw Error(ErrorKind::bad_data, "node '" + std::string(node) + "': " + reason);
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool well_formed(std::string_view name) {
  return !name.empty() && name.size() <= 200 && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

const Node* find(const std::vector<Node>& nodes, std::string_view name) {
  const auto found =
      std::find_if(nodes.begin(), nodes.end(), [&](const Node& node) { return node.name == name; });
  return found == nodes.end() ? nullptr : &*found;
}

}  // namespace

std::string to_string(const Shape& shape) {
  return std::to_string(shape.channels) + "x" + std::to_string(shape.height) + "x" +
         std::to_string(shape.width);
}

Window square_window(std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
  return {kernel, kernel, stride, stride, pad, pad, pad, pad};
}

std::string_view op_name(const Op& op) {
  return std::visit(
      Overloaded{[](const Input&) { return "input"; }, [](const Conv2d&) { return "conv2d"; },
                 [](const BatchNorm&) { return "batch_norm"; }, [](const Relu&) { return "relu"; },
                 [](const Relu6&) { return "relu6"; }, [](const MaxPool&) { return "max_pool"; },
                 [](const AvgPool&) { return "avg_pool"; },
                 [](const GlobalAvgPool&) { return "global_avg_pool"; },
                 [](const Add&) { return "add"; }, [](const Flatten&) { return "flatten"; },
                 [](const Linear&) { return "linear"; }, [](const Dropout&) { return "dropout"; }},
      op);
}

std::string Graph::append(std::string name, Op op, std::vector<std::string> inputs) {
  if (!well_formed(name)) {
    refuse(name, "the name must be letters, digits and '_', starting with a letter");
  }
  if (contains(name)) refuse(name, "the name is used twice");
  if (nodes_.size() == kMaxNodes) {
    refuse(name, "a graph has at most " + std::to_string(kMaxNodes) + " nodes");
  }
  if (std::holds_alternative<Input>(op) != nodes_.empty()) {
    refuse(name, nodes_.empty()
                     ? "the first node must be the input, not " + std::string(op_name(op))
                     : std::string("only the first node can be an input"));
  }
  std::vector<Shape> shapes;
  for (const std::string& input : inputs) {
    const Node* found = find(nodes_, input);
    if (found == nullptr) refuse(name, "reads '" + input + "', which is no earlier node");
    shapes.push_back(found->shape);
  }
  const Shape shape = infer_shape(name, op, shapes);
  nodes_.push_back({std::move(name), std::move(op), std::move(inputs), shape});
  return nodes_.back().name;
}

const Node& Graph::node(std::string_view name) const {
  const Node* found = find(nodes_, name);
  if (found == nullptr) {
    throw Error(ErrorKind::internal, "the graph has no node '" + std::string(name) + "'");
  }
  return *found;
}

bool Graph::contains(std::string_view name) const { return find(nodes_, name) != nullptr; }

std::vector<std::string> Graph::consumers(std::string_view name) const {
  std::vector<std::string> readers;
  for (const Node& node : nodes_) {
    if (std::find(node.inputs.begin(), node.inputs.end(), name) != node.inputs.end()) {
      readers.push_back(node.name);
    }
  }
  return readers;
}

const Shape& Graph::input_shape(const Node& node) const {
  if (node.inputs.empty()) {
    throw Error(ErrorKind::internal, "node '" + node.name + "' has no input");
  }
  return this->node(node.inputs.front()).shape;
}

std::vector<WeightSpec> Graph::weights(const Node& node) const {
  std::vector<WeightSpec> specs;
  const auto need = [&](const char* suffix, std::vector<std::int64_t> shape, bool trainable) {
    specs.push_back({node.name + suffix, std::move(shape), trainable});
  };
  if (const auto* conv = std::get_if<Conv2d>(&node.op)) {
    need(".weight",
         {conv->out_channels, input_shape(node).channels / conv->groups, conv->window.kernel_height,
          conv->window.kernel_width},
         true);
    if (conv->bias) need(".bias", {conv->out_channels}, true);
  } else if (const auto* linear = std::get_if<Linear>(&node.op)) {
    need(".weight", {linear->out_features, input_shape(node).channels}, true);
    if (linear->bias) need(".bias", {linear->out_features}, true);
  } else if (std::holds_alternative<BatchNorm>(node.op)) {
    const std::int64_t channels = node.shape.channels;
    need(".weight", {channels}, true);
    need(".bias", {channels}, true);
    need(".running_mean", {channels}, false);
    need(".running_var", {channels}, false);
  }
  return specs;
}

std::vector<WeightSpec> Graph::weights() const {
  std::vector<WeightSpec> all;
  for (const Node& node : nodes_) {
    for (WeightSpec& spec : weights(node)) all.push_back(std::move(spec));
  }
  return all;
}

}  // namespace biglittle
