// SPDX-License-Identifier: MIT
#include "bench/naive_network.h"

#include <map>
#include <string>

#include "bench/naive_loops.h"
#include "core/error.h"
#include "quant/arithmetic.h"

namespace biglittle::bench {
namespace {

using Map = std::vector<std::int8_t>;

naive_shape shape_of(const Shape& shape) {
  return {static_cast<int>(shape.height), static_cast<int>(shape.width),
          static_cast<int>(shape.channels)};
}

naive_window window_of(const Window& window) {
  return {static_cast<int>(window.kernel_height), static_cast<int>(window.kernel_width),
          static_cast<int>(window.stride_height), static_cast<int>(window.stride_width),
          static_cast<int>(window.pad_top),       static_cast<int>(window.pad_left)};
}

/// Weights [out][channel][pixel] with the channel last: [out][pixel][channel].
Map channels_last(std::span<const std::int8_t> weight, std::int64_t channels, std::int64_t pixels) {
  Map reordered;
  reordered.reserve(weight.size());
  const auto row = static_cast<std::size_t>(channels * pixels);
  for (std::size_t first = 0; first < weight.size(); first += row) {
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
      for (std::int64_t c = 0; c < channels; ++c) {
        reordered.push_back(weight[first + static_cast<std::size_t>(c * pixels + pixel)]);
      }
    }
  }
  return reordered;
}

/// A layer and the arrays that it points to.
struct Layer {
  naive_layer call{};
  Map weight;
  std::vector<std::int32_t> bias;
  std::vector<float> multiplier;

  void point() {
    call.weight = weight.data();
    call.bias = bias.data();
    call.multiplier = multiplier.data();
  }
};

}  // namespace

struct NaiveNetwork::Storage {
  std::map<std::string, Map> maps;  ///< by node; nodes that change nothing share their input's
  std::vector<std::unique_ptr<Layer>> layers;
  std::vector<std::function<void()>> calls;
  Map* input = nullptr;
  std::vector<std::int32_t> accumulators;
};

/// Turns nodes into layers and calls.
class NaiveNetwork::Builder {
 public:
  Builder(const Int8Model& model, Storage& storage) : model_(model), storage_(storage) {}

  void build() {
    for (const Node& node : model_.graph.nodes()) {
      std::visit([&](const auto& op) { add(node, op); }, node.op);
    }
  }

 private:
  Map* made(const std::string& node) { return maps_.at(node); }

  Map* make(const Node& node) {
    Map& map = storage_.maps[node.name];
    map.resize(static_cast<std::size_t>(node.shape.count()));
    return maps_[node.name] = &map;
  }

  std::int32_t zero(const std::string& node) const {
    return model_.activations.at(node).zero_point;
  }

  Layer& new_layer(const Node& node) {
    Layer& layer = *storage_.layers.emplace_back(std::make_unique<Layer>());
    layer.call.input = shape_of(model_.graph.input_shape(node));
    layer.call.output = shape_of(node.shape);
    layer.call.range.input_zero = zero(node.inputs.at(0));
    if (&node != &model_.graph.output()) layer.call.range.output_zero = zero(node.name);
    layer.call.range.low = -128;
    layer.call.range.high = 127;
    return layer;
  }

  /// Adds `function` as a call from the node's first input to its output.
  void call(const Node& node, Layer& layer,
            void (*function)(const naive_layer*, const std::int8_t*, std::int8_t*)) {
    layer.point();
    storage_.calls.emplace_back(
        [function, call = &layer.call, input = made(node.inputs.at(0)), output = make(node)] {
          function(call, input->data(), output->data());
        });
  }

  void read_parameters(const Node& node, Layer& layer) {
    const auto bias = model_.weights.at(node.name + ".bias").values<std::int32_t>();
    layer.bias.assign(bias.begin(), bias.end());
    if (&node != &model_.graph.output()) layer.multiplier = channel_multipliers(model_, node);
  }

  std::span<const std::int8_t> weight(const Node& node) const {
    return model_.weights.at(node.name + ".weight").values<std::int8_t>();
  }

  void add(const Node& node, const Input&) { storage_.input = make(node); }

  void add(const Node& node, const Conv2d& op) {
    Layer& layer = new_layer(node);
    layer.call.window = window_of(op.window);
    read_parameters(node, layer);
    const std::int64_t channels = model_.graph.input_shape(node).channels;
    const std::int64_t taps = op.window.kernel_height * op.window.kernel_width;
    const bool depthwise = op.groups == channels && op.out_channels == channels && channels > 1;
    if (op.groups != 1 && !depthwise) refuse(node);
    // [channel][tap] of a depthwise layer becomes [tap][channel].
    layer.weight = channels_last(weight(node), channels, taps);
    call(node, layer, depthwise ? naive_depthwise2d : naive_conv2d);
  }

  /// A linear layer behind a flatten reads the map as it lies, with its columns in that order.
  void add(const Node& node, const Linear&) {
    Layer& layer = new_layer(node);
    read_parameters(node, layer);
    const Node& from = model_.graph.node(node.inputs.at(0));
    const bool flattened = std::holds_alternative<Flatten>(from.op);
    const Shape& map = flattened ? model_.graph.input_shape(from) : from.shape;
    layer.weight = channels_last(weight(node), map.channels, map.height * map.width);
    if (&node != &model_.graph.output()) {
      call(node, layer, naive_linear);
      return;
    }
    layer.point();
    storage_.accumulators.resize(static_cast<std::size_t>(node.shape.channels));
    storage_.calls.emplace_back([call = &layer.call, input = made(from.name), &all = storage_] {
      naive_linear_accumulators(call, input->data(), all.accumulators.data());
    });
  }

  void add(const Node& node, const MaxPool& op) {
    Layer& layer = new_layer(node);
    layer.call.window = window_of(op.window);
    call(node, layer, naive_max_pool);
  }

  void add(const Node& node, const GlobalAvgPool&) {
    Layer& layer = new_layer(node);
    layer.multiplier = {pool_multiplier(model_, node)};
    call(node, layer, naive_global_average);
  }

  void add(const Node& node, const Add&) {
    const AddConstants constants = add_constants(model_, node);
    Layer& layer = new_layer(node);
    layer.multiplier = {constants.multiplier};
    layer.point();
    storage_.calls.emplace_back(
        [call = &layer.call, left_factor = constants.left, right_factor = constants.right,
         right_zero = zero(node.inputs.at(1)), left = made(node.inputs.at(0)),
         right = made(node.inputs.at(1)), output = make(node)] {
          const std::int32_t factors[2] = {left_factor, right_factor};
          naive_add(call, factors, right_zero, left->data(), right->data(), output->data());
        });
  }

  /// The clamp of the layer before is the relu, because their zero point is the smallest value.
  void add(const Node& node, const Relu&) {
    if (zero(node.name) != -128) refuse(node);
    maps_[node.name] = made(node.inputs.at(0));
  }

  void add(const Node& node, const Flatten&) { maps_[node.name] = made(node.inputs.at(0)); }

  template <typename Other>
  void add(const Node& node, const Other&) {
    refuse(node);
  }

  [[noreturn]] static void refuse(const Node& node) {
    throw Error(ErrorKind::internal, "the naive loops cannot compute node " + node.name);
  }

  const Int8Model& model_;
  Storage& storage_;
  std::map<std::string, Map*> maps_;
};

NaiveNetwork::NaiveNetwork(const Int8Model& model) : storage_(std::make_unique<Storage>()) {
  Builder(model, *storage_).build();
}

NaiveNetwork::~NaiveNetwork() = default;

std::span<const std::int32_t> NaiveNetwork::run(std::span<const std::uint8_t> sample) {
  Map& input = *storage_->input;
  for (std::size_t i = 0; i < input.size(); ++i) {
    input[i] = static_cast<std::int8_t>(sample[i] - 128);
  }
  for (const auto& call : storage_->calls) call();
  return storage_->accumulators;
}

}  // namespace biglittle::bench
