// SPDX-License-Identifier: MIT
#include "bundle/c_layers.h"

#include <fmt/format.h>

#include <numeric>
#include <vector>

#include "bundle/c_text.h"
#include "bundle/c_weights.h"
#include "quant/arithmetic.h"

namespace biglittle {
namespace {

std::size_t index(std::int64_t value) { return static_cast<std::size_t>(value); }

/// A linear layer whose result is the network's: int32, not requantized.
bool makes_accumulators(const Int8Model& model, const Node& node) {
  return node.name == model.graph.output().name;
}

std::string bias_text(std::int32_t bias, std::int32_t zero, std::int32_t sum) {
  return fmt::format("BL_FOLDED_BIAS({}, {}, {})", bias, zero, sum);
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
                     define("bl_map", map_name(), input_map(0));
                     text_.call =
                         fmt::format("bl_flatten(&{}, {}, {});", map_name(), read(0), written());
                   },
                   [&](const auto&) { write_clamp(); }},
        node_.op);
    if (step_.fills_padding) fill_padding();
    return std::move(text_);
  }

 private:
  const Shape& input_shape() const { return model_.graph.input_shape(node_); }
  std::string map_name() const { return prefix_ + "_map"; }
  std::string layer_name() const { return prefix_ + "_layer"; }

  bool is_wide() const { return program_.layout == DeviceLayout::wide; }

  /// A pointer to the first pixel.
  std::string at(std::size_t tensor) const {
    if (program_.tensors[tensor].is_callers_input) return "input";
    return fmt::format("memory + {}",
                       program_.arena.offsets[tensor] + program_.tensors[tensor].first_pixel());
  }
  std::string read(std::size_t input) const { return at(step_.inputs.at(input)); }
  std::string written() const { return at(step_.output); }

  /// A bl_map initializer: `tensor` seen as `shape`.
  std::string map(std::size_t tensor, const Shape& shape) const {
    const DeviceTensor& memory = program_.tensors[tensor];
    const std::int64_t row =
        memory.shape == shape ? memory.row_bytes() : shape.width * shape.channels;
    return fmt::format("{{{}, {}, {}, {}}}", shape.height, shape.width, shape.channels, row);
  }
  std::string input_map(std::size_t input) const {
    return map(step_.inputs.at(input), model_.graph.node(node_.inputs.at(input)).shape);
  }
  std::string output_map() const { return map(step_.output, node_.shape); }

  std::int32_t zero_point(const std::string& node) const {
    return model_.activations.at(node).zero_point;
  }

  /// A bl_range initializer.
  std::string range() const {
    const bool last = makes_accumulators(model_, node_);
    return fmt::format("{{{}, {}, {}, {}}}", zero_point(node_.inputs.at(0)),
                       last ? 0 : zero_point(node_.name), step_.low, step_.high);
  }

  static std::string window(const Window& window) {
    return fmt::format("{{{}, {}, {}, {}, {}, {}}}", window.kernel_height, window.kernel_width,
                       window.stride_height, window.stride_width, window.pad_top, window.pad_left);
  }

  void define(std::string_view type, std::string_view name, std::string_view initializer) {
    text_.data += fmt::format("static const {} {} = {};\n\n", type, name, initializer);
  }

  /// Wide kernels load whole vectors of parameters.
  std::string array_type(std::string_view type) const {
    return (is_wide() ? "BL_ALIGN64 " : "") + std::string(type);
  }

  template <typename T>
  void define_array(std::string_view type, std::string_view suffix, std::span<const T> values) {
    text_.data += c_array(array_type(type), prefix_ + std::string(suffix), values);
    text_.constant_bytes += static_cast<std::int64_t>(values.size_bytes());
  }

  /// Weights in kernel order, folded biases, multipliers, each with one entry a lane; returns the
  /// three pointers of a layer struct.
  std::string define_parameters(const std::vector<std::int8_t>& ordered,
                                const std::vector<std::int64_t>& lanes,
                                const LayerWeights& weights) {
    define_array("int8_t", "_weight", std::span(ordered));
    const auto bias = model_.weights.at(node_.name + ".bias").values<std::int32_t>();
    const std::vector<std::int32_t> sums = weight_sums(weights);
    const std::int32_t zero = zero_point(node_.inputs.at(0));
    std::vector<std::string> folded;
    for (const std::int64_t lane : lanes) {
      folded.push_back(lane < 0 ? "0" : bias_text(bias[index(lane)], zero, sums[index(lane)]));
    }
    text_.data +=
        c_array(array_type("int32_t"), prefix_ + "_bias", std::span<const std::string>(folded));
    text_.constant_bytes += std::ssize(folded) * static_cast<std::int64_t>(sizeof(std::int32_t));
    if (makes_accumulators(model_, node_)) return fmt::format("{0}_weight, {0}_bias, 0", prefix_);
    const std::vector<float> channel = channel_multipliers(model_, node_);
    std::vector<float> multipliers;
    for (const std::int64_t lane : lanes) {
      multipliers.push_back(lane < 0 ? 0.0f : channel[index(lane)]);
    }
    define_array("float", "_multiplier", std::span<const float>(multipliers));
    return fmt::format("{0}_weight, {0}_bias, {0}_multiplier", prefix_);
  }

  std::vector<std::int64_t> lanes_of(std::int64_t outputs, bool packed, bool repeats) const {
    if (packed) return lane_channels(outputs, repeats);
    std::vector<std::int64_t> lanes(index(outputs));
    std::iota(lanes.begin(), lanes.end(), std::int64_t{0});
    return lanes;
  }

  std::span<const std::int8_t> weight() const {
    return model_.weights.at(node_.name + ".weight").values<std::int8_t>();
  }

  void write_input() {
    if (program_.tensors[step_.output].is_callers_input) return;
    define("bl_map", map_name(), output_map());
    if (model_.preprocessing.type == SampleType::u8) {
      text_.call = fmt::format("bl_input_u8(&{}, input, {});", map_name(), written());
      return;
    }
    text_.call = fmt::format("bl_input_f32(&{}, input, {}, {}, {}, {});", map_name(),
                             c_float(static_cast<float>(model_.preprocessing.offset)),
                             c_float(model_.input_step), zero_point(node_.name), written());
  }

  void write_conv(const Conv2d& conv) {
    const LayerWeights weights{weight(), conv.out_channels, input_shape().channels / conv.groups,
                               conv.window.kernel_height, conv.window.kernel_width};
    const bool depthwise = is_depthwise(node_, input_shape());
    const bool grouped = conv.groups > 1 && !depthwise;
    const bool packed = is_wide() && !grouped;
    const std::vector<std::int8_t> ordered =
        packed ? (depthwise ? packed_depthwise_weights(weights) : packed_weights(weights))
               : (depthwise ? tight_depthwise_weights(weights) : tight_weights(weights));
    const std::string parameters =
        define_parameters(ordered, lanes_of(conv.out_channels, packed, depthwise), weights);
    define("bl_conv2d_layer", layer_name(),
           fmt::format("{{\n    {}, {}, {}, {}, {},\n    {}}}", input_map(0), output_map(),
                       window(conv.window), conv.groups, range(), parameters));
    if (depthwise || grouped) {
      text_.call = fmt::format("{}(&{}, {}, {});", depthwise ? "bl_depthwise2d" : "bl_grouped2d",
                               layer_name(), read(0), written());
      return;
    }
    const std::string scratch =
        step_.scratch ? fmt::format("arena + {}", program_.arena.offsets[*step_.scratch] / 4) : "0";
    text_.call =
        fmt::format("bl_conv2d(&{}, {}, {}, {});", layer_name(), read(0), written(), scratch);
  }

  void write_linear() {
    const std::int64_t inputs = input_shape().count();
    const std::int64_t outputs = node_.shape.channels;
    LayerWeights weights{weight(), outputs, inputs};
    std::vector<std::int8_t> in_memory_order;
    if (const std::optional<Shape>& map = step_.flattened_map) {
      in_memory_order = tight_weights({weight(), outputs, map->channels, map->height, map->width});
      weights.weight = in_memory_order;
    }
    const std::string parameters =
        define_parameters(is_wide() ? packed_weights(weights) : tight_weights(weights),
                          lanes_of(outputs, is_wide(), false), weights);
    define("bl_linear_layer", layer_name(),
           fmt::format("{{{}, {}, {},\n    {}}}", inputs, outputs, range(), parameters));
    text_.call =
        makes_accumulators(model_, node_)
            ? fmt::format("bl_linear_accumulators(&{}, {}, accumulators);", layer_name(), read(0))
            : fmt::format("bl_linear(&{}, {}, {});", layer_name(), read(0), written());
  }

  void write_pool(std::string_view kernel, const Window& shape_of_window, float multiplier) {
    define("bl_pool_layer", layer_name(),
           fmt::format("{{\n    {}, {}, {}, {}, {}}}", input_map(0), output_map(),
                       window(shape_of_window), range(), c_float(multiplier)));
    text_.call = fmt::format("{}(&{}, {}, {});", kernel, layer_name(), read(0), written());
  }

  void write_add() {
    const AddConstants constants = add_constants(model_, node_);
    define("bl_add_layer", layer_name(),
           fmt::format("{{\n    {}, {}, {}, {}, {}, {}, {}, {}}}", input_map(0), input_map(1),
                       output_map(), constants.left, constants.right,
                       zero_point(node_.inputs.at(1)), range(), c_float(constants.multiplier)));
    text_.call = fmt::format("bl_add(&{}, {}, {}, {});", layer_name(), read(0), read(1), written());
  }

  void write_clamp() {
    define("bl_map", map_name(), input_map(0));
    define("bl_map", layer_name(), output_map());
    text_.call = fmt::format("bl_clamp(&{}, &{}, {}, {}, {}, {});", map_name(), layer_name(),
                             step_.low, step_.high, read(0), written());
  }

  /// The padding that the output's readers see, as far as the whole tensor has it.
  void fill_padding() {
    const DeviceTensor& tensor = program_.tensors[step_.output];
    const std::string name = prefix_ + "_padded";
    define("bl_map", name, output_map());
    text_.call += fmt::format("\n  bl_fill_padding(&{}, {}, {}, {}, {}, {}, {});", name,
                              tensor.padding.top, tensor.padding.left, tensor.padding.bottom,
                              tensor.padding.right, zero_point(node_.name), written());
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
