// SPDX-License-Identifier: MIT
#include "bundle/random_int8_model.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace biglittle::testing {
namespace {

std::size_t index(std::int64_t value) { return static_cast<std::size_t>(value); }

class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}

  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint32_t>(high - low + 1));
  }
  bool chance(std::int64_t one_in) { return between(1, one_in) == 1; }
  float real(float low, float high) {
    return low + (high - low) * static_cast<float>(engine_()) / 4294967296.0f;
  }
  template <typename T>
  const T& pick(const std::vector<T>& values) {
    return values[index(between(0, static_cast<std::int64_t>(values.size()) - 1))];
  }

 private:
  std::mt19937 engine_;
};

std::int32_t random_zero_point(Random& random) {
  return random.chance(3) ? -128 : static_cast<std::int32_t>(random.between(-128, 127));
}

/// Fills in one conv2d or linear layer and the quantization of its output.
void add_layer(Int8Model& model, const Node& node, Random& random) {
  const bool last = node.name == model.graph.output().name;
  const std::vector<std::int64_t> shape = model.graph.weights(node).at(0).shape;
  const std::int64_t outputs = shape.at(0);
  std::int64_t row = 1;
  for (std::size_t axis = 1; axis < shape.size(); ++axis) row *= shape[axis];
  std::vector<std::int8_t> weight(index(outputs * row));
  for (std::int8_t& value : weight) value = static_cast<std::int8_t>(random.between(-127, 127));
  std::vector<std::int32_t> bias(index(outputs));
  for (std::int32_t& value : bias) value = static_cast<std::int32_t>(random.between(-9000, 9000));
  // Keeps the scale of activations about the same from layer to layer, however deep.
  const float usual = 1.0f / (73.0f * std::sqrt(static_cast<float>(row)));
  std::vector<float> scale(index(outputs), usual);
  if (!last) {
    for (float& value : scale) value = usual * random.real(0.5f, 2.0f);
  }
  model.weights[node.name + ".weight"] = Tensor::of<std::int8_t>(shape, weight);
  model.weights[node.name + ".bias"] = Tensor::of<std::int32_t>({outputs}, bias);
  model.weights[node.name + ".weight_scale"] = Tensor::of<float>({outputs}, scale);
  if (last) return;
  const float input = model.activations.at(node.inputs[0]).scale;
  model.activations[node.name] = {input * random.real(0.6f, 1.8f), random_zero_point(random)};
}

void add_priorities(Int8Model& model) {
  const std::int64_t outputs = model.graph.output().shape.channels;
  PriorityMap map;
  for (std::int64_t i = 0; i + 1 < outputs; ++i) {
    map.names.push_back("class " + std::to_string(i));
    map.little_of_big.push_back(i);
  }
  map.names.push_back("other");
  map.little_of_big.push_back(outputs - 1);
  model.classes = map.names;
  model.priority = map;
}

/// Appends random nodes to a graph, keeping the one it grows from.
class Grower {
 public:
  explicit Grower(std::uint32_t seed) : random_(seed) {
    Shape shape{random_.between(1, 4), random_.between(7, 17), random_.between(7, 17)};
    if (random_.chance(5)) shape.height = 1;
    tip_ = graph_.append("input", Input{shape});
  }

  Graph grow(std::int64_t length) {
    for (std::int64_t i = 0; i < length; ++i) grow_once();
    finish();
    return std::move(graph_);
  }

 private:
  const Shape& shape() const { return graph_.node(tip_).shape; }

  std::string append(Op op, std::vector<std::string> inputs) {
    seen_.push_back(tip_);
    return tip_ = graph_.append(std::string("n").append(std::to_string(graph_.nodes().size())),
                                std::move(op), std::move(inputs));
  }

  /// A window that fits the tip; padding stays below the kernel.
  Window window(std::int64_t largest) {
    const auto axis = [&](std::int64_t size, std::int64_t& kernel, std::int64_t& stride,
                          std::int64_t& begin, std::int64_t& end) {
      kernel = random_.between(1, std::min(largest, size));
      stride = random_.chance(2) ? 1 : random_.between(1, 3);
      begin = random_.between(0, kernel - 1);
      end = random_.between(0, kernel - 1);
    };
    Window w;
    axis(shape().height, w.kernel_height, w.stride_height, w.pad_top, w.pad_bottom);
    axis(shape().width, w.kernel_width, w.stride_width, w.pad_left, w.pad_right);
    return w;
  }

  Conv2d convolution() {
    Conv2d conv;
    conv.window = window(5);
    conv.out_channels = random_.between(1, 19);
    const std::int64_t channels = shape().channels;
    if (random_.chance(3)) {
      conv.groups = conv.out_channels = channels;
    } else if (random_.chance(3)) {
      while (channels % (conv.groups = random_.between(1, channels)) != 0) continue;
      conv.out_channels = conv.groups * random_.between(1, 6);
    }
    return conv;
  }

  /// A convolution to `channels` whose output does not depend on the kernel's size.
  Conv2d same_size(const Shape& input, std::int64_t channels, std::int64_t stride) {
    const auto axis = [&](std::int64_t size, std::int64_t& kernel, std::int64_t& begin,
                          std::int64_t& end) {
      kernel = random_.between(1, std::min<std::int64_t>(5, size));
      begin = random_.between(0, kernel - 1);
      end = kernel - 1 - begin;
    };
    Conv2d conv;
    axis(input.height, conv.window.kernel_height, conv.window.pad_top, conv.window.pad_bottom);
    axis(input.width, conv.window.kernel_width, conv.window.pad_left, conv.window.pad_right);
    conv.window.stride_height = conv.window.stride_width = stride;
    conv.out_channels = channels;
    if (channels == input.channels && random_.chance(2)) conv.groups = channels;
    return conv;
  }

  /// The sum of two convolutions of one map, which want different padding around it.
  void fork() {
    const std::string map = tip_;
    const Shape input = shape();
    const std::int64_t channels = random_.chance(2) ? input.channels : random_.between(1, 19);
    const std::int64_t stride = random_.between(1, 2);
    const std::string left = append(same_size(input, channels, stride), {map});
    const std::string right = append(same_size(input, channels, stride), {map});
    append(Add{}, {left, right});
  }

  void grow_once() {
    switch (random_.between(0, 10)) {
      case 0:
      case 1:
      case 2:
      case 3:
        append(convolution(), {tip_});
        break;
      case 4:
        append(MaxPool{window(3)}, {tip_});
        break;
      case 5:
        append(AvgPool{window(3)}, {tip_});
        break;
      case 6:
        append(Relu{}, {tip_});
        break;
      case 7:
        append(Relu6{}, {tip_});
        break;
      case 8:
        fork();
        break;
      default:
        append(Add{}, {tip_, partner()});
    }
  }

  /// Something of the tip's shape to add to it; the order of branches is left to chance.
  std::string partner() {
    std::vector<std::string> same = {tip_};
    for (const std::string& name : seen_) {
      if (graph_.node(name).shape == shape()) same.push_back(name);
    }
    return random_.pick(same);
  }

  void finish() {
    switch (random_.between(0, 4)) {
      case 0:
        append(GlobalAvgPool{}, {tip_});
        append(Flatten{}, {tip_});
        break;
      case 1:
        append(Flatten{}, {tip_});
        break;
      case 2:
        append(Flatten{}, {tip_});
        append(Linear{random_.between(1, 13)}, {tip_});
        append(Relu{}, {tip_});
        break;
      case 3:  // a flatten that a convolution reads
        append(Flatten{}, {tip_});
        append(Conv2d{random_.between(1, 19), square_window(1, 1, 0)}, {tip_});
        break;
      default:  // a flatten that not only a linear layer reads
        append(Flatten{}, {tip_});
        append(Relu{}, {tip_});
        append(Add{}, {tip_, seen_.back()});
    }
    append(Linear{random_.between(2, 11)}, {tip_});
  }

  Random random_;
  Graph graph_;
  std::string tip_;
  std::vector<std::string> seen_;
};

}  // namespace

Int8Model random_int8_model(const Graph& graph, std::uint32_t seed, SampleType type) {
  Random random(seed);
  Int8Model model;
  model.graph = graph;
  model.preprocessing = {type, 0.02, type == SampleType::u8 ? 77.0 : -1.25};
  model.input_step = 0.037f;
  for (const Node& node : graph.nodes()) {
    Quantization& made = model.activations[node.name];
    if (std::holds_alternative<Input>(node.op)) {
      made = type == SampleType::u8
                 ? Quantization{0.02f, 77 - 128}
                 : Quantization{static_cast<float>(0.02 * double{model.input_step}), 9};
    } else if (std::holds_alternative<Conv2d>(node.op) || std::holds_alternative<Linear>(node.op)) {
      add_layer(model, node, random);
    } else {
      made = model.activations.at(node.inputs[0]);
      const bool pool = std::holds_alternative<AvgPool>(node.op) ||
                        std::holds_alternative<GlobalAvgPool>(node.op);
      if (pool) made = {made.scale * random.real(0.3f, 0.9f), random_zero_point(random)};
      if (std::holds_alternative<Add>(node.op)) {
        const float other = model.activations.at(node.inputs[1]).scale;
        made = {(made.scale + other) * random.real(0.3f, 0.8f), random_zero_point(random)};
      }
    }
  }
  model.activations.erase(graph.output().name);
  add_priorities(model);
  check_int8_model(model, "random network");
  return model;
}

Graph random_graph(std::uint32_t seed, std::int64_t length) { return Grower(seed).grow(length); }

Samples random_samples(const Int8Model& model, std::int64_t count, std::uint32_t seed) {
  Random random(seed);
  Samples samples;
  samples.shape = model.graph.input().shape;
  const std::size_t size = index(count * samples.shape.count());
  if (model.preprocessing.type == SampleType::u8) {
    std::vector<std::uint8_t> bytes(size);
    for (auto& value : bytes) value = static_cast<std::uint8_t>(random.between(0, 255));
    samples.values = std::move(bytes);
  } else {
    std::vector<float> floats(size);
    for (auto& value : floats) value = random.real(-8.0f, 6.0f);
    samples.values = std::move(floats);
  }
  return samples;
}

}  // namespace biglittle::testing
