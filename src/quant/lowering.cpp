// SPDX-License-Identifier: MIT
#include "quant/lowering.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"

namespace biglittle {
namespace {

/// Biases stay within this, a quarter of the accumulator limit, by enlarging the weight scale of a
/// channel whose weights are tiny beside its bias: there the bias needs the range, and 2^28 steps
/// are finer than any output step.
constexpr double kLargestBias = 0x1p28;

/// A layer's float weights as rows, one an output channel.
struct FloatLayer {
  std::span<const float> weights;
  std::size_t row = 0;
  std::vector<double> bias;

  std::size_t channels() const { return bias.size(); }
};

FloatLayer float_layer(const Network& folded, const Node& node) {
  const Tensor& weight = folded.weights.at(node.name + ".weight");
  const auto channels = static_cast<std::size_t>(weight.shape().at(0));
  FloatLayer layer{weight.values<float>(), weight.values<float>().size() / channels,
                   std::vector<double>(channels, 0.0)};
  const auto bias = folded.weights.find(node.name + ".bias");
  if (bias != folded.weights.end()) {
    const auto values = bias->second.values<float>();
    layer.bias.assign(values.begin(), values.end());
  }
  return layer;
}

std::vector<float> weight_scales(const FloatLayer& layer, double input_scale, bool shared) {
  std::vector<float> scales;
  for (std::size_t o = 0; o < layer.channels(); ++o) {
    double largest = 0.0;
    for (const float weight : layer.weights.subspan(o * layer.row, layer.row)) {
      largest = std::max(largest, std::abs(double{weight}));
    }
    const double for_bias = std::abs(layer.bias[o]) / (input_scale * kLargestBias);
    scales.push_back(static_cast<float>(std::clamp(std::max(largest / 127.0, for_bias),
                                                   double{kSmallestScale}, double{kLargestScale})));
  }
  if (shared)
    std::fill(scales.begin(), scales.end(), *std::max_element(scales.begin(), scales.end()));
  return scales;
}

void lower_layer(Int8Model& model, const Network& folded, const Node& node) {
  const FloatLayer layer = float_layer(folded, node);
  const double input_scale = model.activations.at(node.inputs.at(0)).scale;
  const std::vector<float> scales =
      weight_scales(layer, input_scale, node.name == folded.graph.output().name);
  std::vector<std::int8_t> weights(layer.weights.size());
  std::vector<std::int32_t> bias(layer.channels());
  for (std::size_t o = 0; o < layer.channels(); ++o) {
    const double scale = scales[o];
    for (std::size_t i = o * layer.row; i < (o + 1) * layer.row; ++i) {
      weights[i] = static_cast<std::int8_t>(
          std::clamp(std::nearbyint(layer.weights[i] / scale), -127.0, 127.0));
    }
    // Only a bias beyond every permitted scale is clamped here; check_int8_model refuses it.
    const double limit = static_cast<double>(kAccumulatorLimit);
    bias[o] = static_cast<std::int32_t>(
        std::clamp(std::nearbyint(layer.bias[o] / (input_scale * scale)), -limit, limit));
  }
  const auto channels = static_cast<std::int64_t>(layer.channels());
  model.weights[node.name + ".weight"] =
      Tensor::of<std::int8_t>(folded.weights.at(node.name + ".weight").shape(), weights);
  model.weights[node.name + ".bias"] = Tensor::of<std::int32_t>({channels}, bias);
  model.weights[node.name + ".weight_scale"] = Tensor::of<float>({channels}, scales);
}

/// The graph with a bias on every layer: an int8 layer always has one.
Graph graph_with_biases(const Graph& graph) {
  Graph result;
  for (const Node& node : graph.nodes()) {
    Op op = node.op;
    if (auto* conv = std::get_if<Conv2d>(&op)) conv->bias = true;
    if (auto* linear = std::get_if<Linear>(&op)) linear->bias = true;
    result.append(node.name, op, node.inputs);
  }
  return result;
}

Quantization input_quantization(Int8Model& model, const std::map<std::string, Range>& ranges) {
  const Preprocessing& raw = model.preprocessing;
  if (raw.type == SampleType::u8) {  // raw bytes are the quantized input
    return {static_cast<float>(raw.scale), static_cast<std::int32_t>(raw.offset) - 128};
  }
  Quantization quantization = quantization_of(ranges.at(model.graph.input().name));
  model.input_step = static_cast<float>(quantization.scale / raw.scale);
  quantization.scale = static_cast<float>(raw.scale * double{model.input_step});
  return quantization;
}

}  // namespace

Int8Model lower(const Network& folded, const Preprocessing& preprocessing,
                const std::map<std::string, Range>& ranges) {
  const Node& output = folded.graph.output();
  if (!std::holds_alternative<Linear>(output.op)) {
    throw Error(ErrorKind::bad_data, "the network ends in " + std::string(op_name(output.op)) +
                                         " node " + output.name +
                                         ", but int8 needs a linear layer last");
  }
  Int8Model model;
  model.graph = graph_with_biases(folded.graph);
  model.preprocessing = preprocessing;
  for (const Node& node : model.graph.nodes()) {
    if (node.name == output.name) continue;
    if (std::holds_alternative<Input>(node.op)) {
      model.activations[node.name] = input_quantization(model, ranges);
    } else if (has_own_range(node)) {
      model.activations[node.name] =
          quantization_of(ranges.at(range_source(model.graph, node).name));
    } else {
      model.activations[node.name] = model.activations.at(node.inputs.at(0));
    }
  }
  for (const Node& node : model.graph.nodes()) {
    if (std::holds_alternative<Conv2d>(node.op) || std::holds_alternative<Linear>(node.op)) {
      lower_layer(model, folded, node);
    }
  }
  return model;
}

}  // namespace biglittle
