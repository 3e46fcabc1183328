// SPDX-License-Identifier: MIT
#include "bundle/device_program.h"

#include <algorithm>
#include <map>
#include <set>
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

Padding larger_of(const Padding& a, const Padding& b) {
  return {std::max(a.top, b.top), std::max(a.left, b.left), std::max(a.bottom, b.bottom),
          std::max(a.right, b.right)};
}

/// Pixels that the last window reaches past the end of the image.
std::int64_t overhang(std::int64_t size, std::int64_t outputs, std::int64_t kernel,
                      std::int64_t stride, std::int64_t pad_before) {
  return std::max(std::int64_t{0}, (outputs - 1) * stride + kernel - pad_before - size);
}

/// The padding that a wide convolution wants its input to carry; others look for the bounds.
Padding wanted_padding(const Node& node, const Shape& input) {
  const auto* conv = std::get_if<Conv2d>(&node.op);
  if (conv == nullptr || (conv->groups > 1 && !is_depthwise(node, input))) return {};
  const Window& w = conv->window;
  return {w.pad_top, w.pad_left,
          overhang(input.height, node.shape.height, w.kernel_height, w.stride_height, w.pad_top),
          overhang(input.width, node.shape.width, w.kernel_width, w.stride_width, w.pad_left)};
}

class Planner {
 public:
  Planner(const Int8Model& model, DeviceLayout layout)
      : model_(model), nodes_(model.graph.nodes()) {
    program_.layout = layout;
    for (std::size_t i = 0; i < nodes_.size(); ++i) index_[nodes_[i].name] = i;
  }

  DeviceProgram plan() {
    for (const Node& node : nodes_) lower(node);
    program_.arena = plan_arena(arena_tensors(program_));
    return std::move(program_);
  }

 private:
  /// The tensor that holds a node's output, and the map's shape where its order in memory differs
  /// from the graph's.
  struct Value {
    std::size_t tensor = 0;
    std::optional<Shape> flattened_map;
  };

  /// The padding that readers of `node`'s output want to find around it.
  Padding padding_around(const Node& node) const {
    Padding padding;
    if (program_.layout == DeviceLayout::tight) return padding;
    for (const std::string& reader : model_.graph.consumers(node.name)) {
      padding = larger_of(padding, wanted_padding(model_.graph.node(reader), node.shape));
    }
    return padding;
  }

  /// Whether the output of `node` can lie in `tensor`: a flattened map stays without gaps.
  bool may_hold(std::size_t tensor, const Node& node) const {
    return !flattened_.contains(tensor) || padding_around(node) == Padding{};
  }

  /// `node`'s output is what `value` holds.
  void assign(const Node& node, const Value& value) {
    values_[node.name] = value;
    const Padding padding = padding_around(node);
    if (padding == Padding{}) return;
    DeviceTensor& tensor = program_.tensors[value.tensor];
    tensor.padding = larger_of(tensor.padding, padding);
    program_.steps[writer_.at(value.tensor)].fills_padding = true;
  }

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
    const bool in_place = dies_at(input.tensor, node) && may_hold(input.tensor, node);
    DeviceStep& writer = program_.steps[writer_.at(input.tensor)];
    if (only_reader(input.tensor, node) && may_hold(input.tensor, node) &&
        ends_in_clamp(writer.node->op)) {
      writer.low = std::max(writer.low, low);
      writer.high = std::min(writer.high, high);
      forget(input.tensor);
      assign(node, input);
    } else if (low == kInt8Lowest && high == kInt8Highest && may_hold(input.tensor, node)) {
      assign(node, input);
    } else {
      DeviceStep& step = add_step(node, in_place ? std::optional(input.tensor) : std::nullopt);
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
    const bool has_gaps = program_.tensors[value.tensor].padding != Padding{};
    if (has_gaps || padding_around(node) != Padding{} || (!same_order && !only_linear)) {
      add_step(node, std::nullopt);
      return;
    }
    flattened_.insert(value.tensor);
    if (!same_order) value.flattened_map = map;
    assign(node, value);
  }

  void lower_add(const Node& node) {
    std::optional<std::size_t> in_place;
    for (const std::string& input : node.inputs) {
      const std::size_t tensor = values_.at(input).tensor;
      if (!in_place && dies_at(tensor, node) && may_hold(tensor, node)) in_place = tensor;
    }
    add_step(node, in_place);
  }

  /// Whether no later node reads what `tensor` holds before `node` runs.
  bool dies_at(std::size_t tensor, const Node& node) const {
    if (program_.tensors[tensor].is_callers_input) return false;
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
      step.output = program_.tensors.size();
      program_.tensors.push_back(output_tensor(node, time));
    }
    if (const std::int64_t bytes = scratch_bytes(node); bytes > 0) {
      step.scratch = program_.tensors.size();
      program_.tensors.push_back({.shape = {bytes}, .first = time, .last = time});
    }
    const Value value{step.output, std::nullopt};
    writer_[step.output] = index;
    program_.steps.push_back(std::move(step));
    assign(node, value);
    return program_.steps.back();
  }

  DeviceTensor output_tensor(const Node& node, std::int64_t time) const {
    DeviceTensor tensor{.shape = node.shape, .first = time, .last = time};
    if (&node == &nodes_.back()) tensor.element_bytes = sizeof(std::int32_t);
    tensor.is_callers_input = std::holds_alternative<Input>(node.op) &&
                              program_.layout == DeviceLayout::tight &&
                              model_.preprocessing.type == SampleType::u8;
    return tensor;
  }

  /// BL_CONV_SCRATCH of bl_runtime.h.
  std::int64_t scratch_bytes(const Node& node) const {
    const auto* conv = std::get_if<Conv2d>(&node.op);
    if (program_.layout == DeviceLayout::wide || conv == nullptr || conv->groups > 1) return 0;
    const std::int64_t window = conv->window.kernel_height * conv->window.kernel_width *
                                model_.graph.input_shape(node).channels;
    return (window + 3) / 4 * 16;
  }

  const Int8Model& model_;
  const std::vector<Node>& nodes_;
  std::map<std::string, std::size_t> index_;
  std::map<std::string, Value> values_;        ///< what the tensors hold now
  std::map<std::size_t, std::size_t> writer_;  ///< tensor -> the step that wrote it last
  std::set<std::size_t> flattened_;            ///< tensors read as one run of values
  DeviceProgram program_;
};

}  // namespace

std::int64_t DeviceTensor::row_bytes() const {
  return (padding.left + shape.width + padding.right) * shape.channels * element_bytes;
}

std::int64_t DeviceTensor::first_pixel() const {
  return padding.top * row_bytes() + padding.left * shape.channels * element_bytes;
}

std::int64_t DeviceTensor::bytes() const {
  return is_callers_input ? 0 : (padding.top + shape.height + padding.bottom) * row_bytes();
}

bool is_depthwise(const Node& node, const Shape& input) {
  const auto* conv = std::get_if<Conv2d>(&node.op);
  return conv != nullptr && conv->groups > 1 && conv->groups == input.channels &&
         conv->groups == conv->out_channels;
}

std::vector<ArenaTensor> arena_tensors(const DeviceProgram& program) {
  std::vector<ArenaTensor> lives;
  for (const DeviceTensor& tensor : program.tensors) {
    lives.push_back({tensor.bytes(), tensor.first, tensor.last});
  }
  return lives;
}

DeviceProgram plan_device_program(const Int8Model& model, DeviceLayout layout) {
  return Planner(model, layout).plan();
}

}  // namespace biglittle
