// SPDX-License-Identifier: MIT
#include "bundle/c_layers.h"

#include <fmt/format.h>

#include <vector>

#include "bundle/c_text.h"
#include "quant/arithmetic.h"

namespace biglittle {
namespace {

std::size_t index(std::int64_t value) { return static_cast<std::size_t>(value); }

/// A linear layer whose result is the network's: int32, not requantized.
bool makes_accumulators(const Int8Model& model, const Node& node) {
  return node.name == model.graph.output().name;
}

bool is_depthwise(const Node& node, const Shape& input) {
  const auto* conv = std::get_if<Conv2d>(&node.op);
  return conv != nullptr && conv->groups > 1 && conv->groups == input.channels &&
         conv->groups == conv->out_channels;
}

/// From [out, depth, taps] to the order in which the kernels read.
std::vector<std::int8_t> reorder_conv(std::span<const std::int8_t> weight, std::int64_t outputs,
                                      std::int64_t depth, std::int64_t taps, bool depthwise) {
  std::vector<std::int8_t> ordered(weight.size());
  for (std::int64_t o = 0; o < outputs; ++o) {
    for (std::int64_t i = 0; i < depth; ++i) {
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        const std::int64_t to =
            depthwise ? tap * outputs + o : (o * taps + tap) * depth + i;  // depth is 1 there
        ordered[index(to)] = weight[index((o * depth + i) * taps + tap)];
      }
    }
  }
  return ordered;
}

/// One C layer at a time; the members are what its text is made from.
class LayerWriter {
 public:
  LayerWriter(const Int8Model& model, const DeviceProgram& program, const DeviceStep& step)
      : model_(model),
        program_(program),
        step_(step),
        node_(*step.node),
        prefix_("bl_model_" + node_.name) {}

  LayerText write() {
    std::visit(
        Overloaded{[&](const Input&) { write_input(); }, [&](const Conv2d& op) { write_conv(op); },
                   [&](const Linear&) { write_linear(); },
                   [&](const MaxPool& op) { write_pool("bl_max_pool", op.window, 1.0f); },
                   [&](const AvgPool& op) {
                     write_pool("bl_avg_pool", op.window, pool_multiplier(model_, node_));
                   },
                   [&](const GlobalAvgPool&) {
                     write_pool("bl_global_avg_pool", Window{}, pool_multiplier(model_, node_));
                   },
                   [&](const Add&) { write_add(); },
                   [&](const Flatten&) {
                     text_.call =
                         fmt::format("bl_flatten({}, {}, {});", map_name(), read(0), written());
                     define("bl_shape", map_name(), shape(input_shape()));
                   },
                   [&](const auto&) { write_clamp(); }},
        node_.op);
    return std::move(text_);
  }

 private:
  const Shape& input_shape() const { return model_.graph.input_shape(node_); }
  std::string map_name() const { return prefix_ + "_map"; }
  std::string layer_name() const { return prefix_ + "_layer"; }

  std::string at(std::size_t tensor) const {
    return fmt::format("memory + {}", program_.arena.offsets[tensor]);
  }
  std::string read(std::size_t input) const { return at(step_.inputs.at(input)); }
  std::string written() const { return at(step_.output); }

  std::int32_t zero_point(const std::string& node) const {
    return model_.activations.at(node).zero_point;
  }

  /// A bl_range initializer.
  std::string range() const {
    const bool last = makes_accumulators(model_, node_);
    return fmt::format("{{{}, {}, {}, {}}}", zero_point(node_.inputs.at(0)),
                       last ? 0 : zero_point(node_.name), step_.low, step_.high);
  }

  static std::string shape(const Shape& shape) {
    return fmt::format("{{{}, {}, {}}}", shape.height, shape.width, shape.channels);
  }

  static std::string window(const Window& window) {
    return fmt::format("{{{}, {}, {}, {}, {}, {}}}", window.kernel_height, window.kernel_width,
                       window.stride_height, window.stride_width, window.pad_top, window.pad_left);
  }

  void define(std::string_view type, std::string_view name, std::string_view initializer) {
    text_.data += fmt::format("static const {} {} = {};\n\n", type, name, initializer);
  }

  template <typename T>
  void define_array(std::string_view type, std::string_view suffix, std::span<const T> values) {
    text_.data += c_array(type, prefix_ + std::string(suffix), values);
    text_.constant_bytes += static_cast<std::int64_t>(values.size_bytes());
  }

  /// Weights in kernel order, biases, multipliers; returns the three pointers of a layer struct.
  std::string define_parameters(const std::vector<std::int8_t>& weight) {
    define_array("int8_t", "_weight", std::span(weight));
    define_array("int32_t", "_bias",
                 model_.weights.at(node_.name + ".bias").values<std::int32_t>());
    if (makes_accumulators(model_, node_)) return fmt::format("{0}_weight, {0}_bias, 0", prefix_);
    const std::vector<float> multipliers = channel_multipliers(model_, node_);
    define_array("float", "_multiplier", std::span(multipliers));
    return fmt::format("{0}_weight, {0}_bias, {0}_multiplier", prefix_);
  }

  std::span<const std::int8_t> weight() const {
    return model_.weights.at(node_.name + ".weight").values<std::int8_t>();
  }

  void write_input() {
    const std::int64_t count = node_.shape.count();
    if (model_.preprocessing.type == SampleType::u8) {
      text_.call = fmt::format("bl_input_u8({}, input, {});", count, written());
      return;
    }
    text_.call = fmt::format("bl_input_f32({}, input, {}, {}, {}, {});", count,
                             c_float(static_cast<float>(model_.preprocessing.offset)),
                             c_float(model_.input_step), zero_point(node_.name), written());
  }

  void write_conv(const Conv2d& conv) {
    const bool depthwise = is_depthwise(node_, input_shape());
    const std::string parameters = define_parameters(
        reorder_conv(weight(), conv.out_channels, input_shape().channels / conv.groups,
                     conv.window.kernel_height * conv.window.kernel_width, depthwise));
    define("bl_conv2d_layer", layer_name(),
           fmt::format("{{\n    {}, {}, {}, {}, {},\n    {}}}", shape(input_shape()),
                       shape(node_.shape), window(conv.window), conv.groups, range(), parameters));
    text_.call = fmt::format("{}(&{}, {}, {});", depthwise ? "bl_depthwise2d" : "bl_conv2d",
                             layer_name(), read(0), written());
  }

  void write_linear() {
    const std::int64_t inputs = input_shape().count();
    const std::int64_t outputs = node_.shape.channels;
    std::vector<std::int8_t> ordered(weight().begin(), weight().end());
    if (const std::optional<Shape>& map = step_.flattened_map) {
      ordered = reorder_conv(weight(), outputs, map->channels, map->height * map->width, false);
    }
    const std::string parameters = define_parameters(ordered);
    define("bl_linear_layer", layer_name(),
           fmt::format("{{{}, {}, {},\n    {}}}", inputs, outputs, range(), parameters));
    text_.call =
        makes_accumulators(model_, node_)
            ? fmt::format("bl_linear_accumulators(&{}, {}, accumulators);", layer_name(), read(0))
            : fmt::format("bl_linear(&{}, {}, {});", layer_name(), read(0), written());
  }

  void write_pool(std::string_view kernel, const Window& shape_of_window, float multiplier) {
    define("bl_pool_layer", layer_name(),
           fmt::format("{{\n    {}, {}, {}, {}, {}}}", shape(input_shape()), shape(node_.shape),
                       window(shape_of_window), range(), c_float(multiplier)));
    text_.call = fmt::format("{}(&{}, {}, {});", kernel, layer_name(), read(0), written());
  }

  void write_add() {
    const AddConstants constants = add_constants(model_, node_);
    define("bl_add_layer", layer_name(),
           fmt::format("{{{}, {}, {}, {}, {}, {}}}", node_.shape.count(), constants.left,
                       constants.right, zero_point(node_.inputs.at(1)), range(),
                       c_float(constants.multiplier)));
    text_.call = fmt::format("bl_add(&{}, {}, {}, {});", layer_name(), read(0), read(1), written());
  }

  void write_clamp() {
    text_.call = fmt::format("bl_clamp({}, {}, {}, {}, {});", node_.shape.count(), step_.low,
                             step_.high, read(0), written());
  }

  const Int8Model& model_;
  const DeviceProgram& program_;
  const DeviceStep& step_;
  const Node& node_;
  std::string prefix_;
  LayerText text_;
};

}  // namespace

LayerText layer_text(const Int8Model& model, const DeviceProgram& program, const DeviceStep& step) {
  return LayerWriter(model, program, step).write();
}

}  // namespace biglittle
