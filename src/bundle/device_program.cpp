// SPDX-License-Identifier: MIT
#include "bundle/device_program.h"

#include <algorithm>
#include <map>
#include <string>

#include "quant/arithmetic.h"

namespace biglittle {
namespace {

constexpr std::int32_t kInt8Lowest = -128;
constexpr std::int32_t kInt8Highest = 127;

/// Ops that end in a clamp, which a relu behind them can narrow.
bool ends_in_clamp(const Op& op) {
  return std::visit(
      Overloaded{[](const Conv2d&) { return true; }, [](const Linear&) { return true; },
                 [](const AvgPool&) { return true; }, [](const GlobalAvgPool&) { return true; },
                 [](const Add&) { return true; }, [](const Relu&) { return true; },
                 [](const Relu6&) { return true; }, [](const auto&) { return false; }},
      op);
}

class Planner {
 public:
  explicit Planner(const Int8Model& model) : model_(model), nodes_(model.graph.nodes()) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) index_[nodes_[i].name] = i;
  }

  DeviceProgram plan() {
    for (const Node& node : nodes_) lower(node);
    program_.arena = plan_arena(program_.tensors);
    return std::move(program_);
  }

 private:
  /// The tensor that holds a node's output, and the map's shape where its order in memory differs
  /// from the graph's.
  struct Value {
    std::size_t tensor = 0;
    std::optional<Shape> flattened_map;
  };

  void lower(const Node& node) {
    if (std::holds_alternative<Relu>(node.op)) {
      lower_clamp(node, kInt8Highest);
    } else if (std::holds_alternative<Relu6>(node.op)) {
      lower_clamp(node, relu6_limit(model_.activations.at(node.name)));
    } else if (std::holds_alternative<Flatten>(node.op)) {
      lower_flatten(node);
    } else if (std::holds_alternative<Add>(node.op)) {
      lower_add(node);
    } else {
      add_step(node, std::nullopt);
    }
  }

  void lower_clamp(const Node& node, std::int32_t high) {
    const std::int32_t low = model_.activations.at(node.name).zero_point;
    const Value input = values_.at(node.inputs[0]);
    const bool dies = dies_at(input.tensor, node);
    DeviceStep& writer = program_.steps[writer_.at(input.tensor)];
    if (only_reader(input.tensor, node) && ends_in_clamp(writer.node->op)) {
      writer.low = std::max(writer.low, low);
      writer.high = std::min(writer.high, high);
      forget(input.tensor);
      values_[node.name] = input;
    } else if (low == kInt8Lowest && high == kInt8Highest) {
      values_[node.name] = input;
    } else {
      DeviceStep& step = add_step(node, dies ? std::optional(input.tensor) : std::nullopt);
      step.low = low;
      step.high = high;
    }
  }

  void lower_flatten(const Node& node) {
    const Shape& map = model_.graph.input_shape(node);
    Value value = values_.at(node.inputs[0]);
    const bool same_order = map.channels == 1 || map.height * map.width == 1;
    const std::vector<std::string> readers = model_.graph.consumers(node.name);
    const bool only_linear = std::all_of(readers.begin(), readers.end(), [&](const auto& reader) {
      return std::holds_alternative<Linear>(model_.graph.node(reader).op);
    });
    if (!same_order && !only_linear) {
      add_step(node, std::nullopt);
      return;
    }
    if (!same_order) value.flattened_map = map;
    values_[node.name] = value;
  }

  void lower_add(const Node& node) {
    std::optional<std::size_t> in_place;
    for (const std::string& input : node.inputs) {
      const std::size_t tensor = values_.at(input).tensor;
      if (!in_place && dies_at(tensor, node)) in_place = tensor;
    }
    add_step(node, in_place);
  }

  /// Whether no later node reads what `tensor` holds before `node` runs.
  bool dies_at(std::size_t tensor, const Node& node) const {
    return std::all_of(values_.begin(), values_.end(), [&](const auto& named) {
      if (named.second.tensor != tensor) return true;
      const std::vector<std::string> readers = model_.graph.consumers(named.first);
      return std::all_of(readers.begin(), readers.end(), [&](const std::string& reader) {
        return index_.at(reader) <= index_.at(node.name);
      });
    });
  }

  /// Whether nothing else reads, or has read, what `tensor` holds.
  bool only_reader(std::size_t tensor, const Node& node) const {
    return std::all_of(values_.begin(), values_.end(), [&](const auto& named) {
      if (named.second.tensor != tensor) return true;
      const std::vector<std::string> readers = model_.graph.consumers(named.first);
      return std::all_of(readers.begin(), readers.end(), [&](const std::string& reader) {
        const auto alias = values_.find(reader);
        return reader == node.name || (alias != values_.end() && alias->second.tensor == tensor);
      });
    });
  }

  /// Nothing is known to lie in `tensor` any more: it is overwritten.
  void forget(std::size_t tensor) {
    std::erase_if(values_, [&](const auto& named) { return named.second.tensor == tensor; });
  }

  DeviceStep& add_step(const Node& node, std::optional<std::size_t> in_place) {
    const std::size_t index = program_.steps.size();
    const auto time = static_cast<std::int64_t>(index);
    DeviceStep step;
    step.node = &node;
    for (const std::string& input : node.inputs) {
      const Value& value = values_.at(input);
      program_.tensors[value.tensor].last = time;
      step.inputs.push_back(value.tensor);
      step.flattened_map = value.flattened_map;
    }
    if (in_place) {
      step.output = *in_place;
      forget(step.output);
    } else {
      const bool last = &node == &nodes_.back();
      const auto element = static_cast<std::int64_t>(last ? sizeof(std::int32_t) : 1);
      step.output = program_.tensors.size();
      program_.tensors.push_back({node.shape.count() * element, time, time});
    }
    writer_[step.output] = index;
    values_[node.name] = Value{step.output, std::nullopt};
    return program_.steps.emplace_back(std::move(step));
  }

  const Int8Model& model_;
  const std::vector<Node>& nodes_;
  std::map<std::string, std::size_t> index_;
  std::map<std::string, Value> values_;        ///< what the tensors hold now
  std::map<std::size_t, std::size_t> writer_;  ///< tensor -> the step that wrote it last
  DeviceProgram program_;
};

}  // namespace

DeviceProgram plan_device_program(const Int8Model& model) { return Planner(model).plan(); }

}  // namespace biglittle
