// SPDX-License-Identifier: MIT
#include "quant/naive_int8.h"

#include <algorithm>
#include <cmath>

#include "quant/naive_layers.h"

namespace biglittle::testing {
namespace {

using Integers = std::vector<std::int64_t>;

float to_float(double exact) { return static_cast<float>(exact); }

template <typename T>
Integers integers(const Tensor& tensor) {
  const auto values = tensor.values<T>();
  return Integers(values.begin(), values.end());
}

std::int64_t clamp_int8(std::int64_t value) { return std::clamp<std::int64_t>(value, -128, 127); }

/// One model's formulas; `values` are the nodes computed so far.
struct NaiveRun {
  const Int8Model& model;
  std::map<std::string, Integers> values;

  double scale(const std::string& node) const { return model.activations.at(node).scale; }
  std::int64_t zero(const std::string& node) const { return model.activations.at(node).zero_point; }

  /// The first input's values minus its zero point.
  Integers centered(const Node& node, std::size_t which = 0) const {
    Integers result = values.at(node.inputs.at(which));
    for (auto& value : result) value -= zero(node.inputs.at(which));
    return result;
  }

  Integers rescale(const Node& node, Integers sums, float multiplier) const {
    for (auto& sum : sums) sum = naive_requantize(sum, multiplier, zero(node.name));
    return sums;
  }

  Integers layer(const Node& node) const {
    const Integers weight = integers<std::int8_t>(model.weights.at(node.name + ".weight"));
    const Integers bias = integers<std::int32_t>(model.weights.at(node.name + ".bias"));
    const auto* conv = std::get_if<Conv2d>(&node.op);
    Integers sums = conv != nullptr ? naive_conv(centered(node), model.graph.input_shape(node),
                                                 weight, bias, *conv, node.shape)
                                    : naive_linear(centered(node), weight, bias);
    if (node.name == model.graph.output().name) return sums;
    const auto weight_scale = model.weights.at(node.name + ".weight_scale").values<float>();
    const std::size_t pixels = sums.size() / bias.size();
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const float product = to_float(scale(node.inputs[0]) * double{weight_scale[i / pixels]});
      const float multiplier = to_float(double{product} / scale(node.name));
      sums[i] = naive_requantize(sums[i], multiplier, zero(node.name));
    }
    return sums;
  }

  Integers pool(const Node& node, const Window& window) const {
    const double count = static_cast<double>(window.kernel_height * window.kernel_width);
    const float multiplier = to_float(scale(node.inputs[0]) / (count * scale(node.name)));
    return rescale(
        node, naive_window_sum(centered(node), model.graph.input_shape(node), window, node.shape),
        multiplier);
  }

  Integers add(const Node& node) const {
    const double left = scale(node.inputs[0]);
    const double right = scale(node.inputs[1]);
    const double larger = left > right ? left : right;
    const auto a = static_cast<std::int64_t>(naive_round_half_even(left / larger * 16384));
    const auto b = static_cast<std::int64_t>(naive_round_half_even(right / larger * 16384));
    Integers sums = centered(node, 0);
    const Integers other = centered(node, 1);
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = a * sums[i] + b * other[i];
    return rescale(node, sums, to_float(larger / (16384 * scale(node.name))));
  }

  Integers clamp_to(const Node& node, std::int64_t high) const {
    Integers result = values.at(node.inputs[0]);
    for (auto& value : result) value = std::min(high, std::max(value, zero(node.name)));
    return result;
  }

  Integers compute(const Node& node) const {
    if (std::holds_alternative<Relu>(node.op)) return clamp_to(node, 127);
    if (std::holds_alternative<Relu6>(node.op)) {
      const auto steps = static_cast<std::int64_t>(naive_round_half_even(6.0 / scale(node.name)));
      return clamp_to(node, std::min<std::int64_t>(127, steps + zero(node.name)));
    }
    if (const auto* max_pool = std::get_if<MaxPool>(&node.op)) {
      return naive_window_max(values.at(node.inputs[0]), model.graph.input_shape(node),
                              max_pool->window, node.shape);
    }
    if (const auto* average = std::get_if<AvgPool>(&node.op)) return pool(node, average->window);
    if (std::holds_alternative<GlobalAvgPool>(node.op)) {
      return pool(node, whole_image(model.graph.input_shape(node)));
    }
    if (std::holds_alternative<Add>(node.op)) return add(node);
    if (std::holds_alternative<Flatten>(node.op)) return values.at(node.inputs[0]);
    return layer(node);
  }
};

Integers quantized_input(const Int8Model& model, const Samples& samples, std::int64_t row) {
  const std::int64_t count = samples.shape.count();
  const std::int64_t zero = model.activations.at(model.graph.input().name).zero_point;
  Integers result;
  for (std::int64_t i = row * count; i < (row + 1) * count; ++i) {
    const auto place = static_cast<std::size_t>(i);
    if (samples.type() == SampleType::u8) {
      result.push_back(std::int64_t{samples.bytes()[place]} - 128);
      continue;
    }
    const float shifted =
        to_float(double{samples.floats()[place]} - double{to_float(model.preprocessing.offset)});
    const float steps = to_float(double{shifted} / double{model.input_step});
    result.push_back(clamp_int8(
        static_cast<std::int64_t>(naive_round_half_even(std::clamp(double{steps}, -1e6, 1e6))) +
        zero));
  }
  return result;
}

}  // namespace

double naive_round_half_even(double x) {
  const double below = std::floor(x);
  const double rest = x - below;
  if (rest != 0.5) return rest < 0.5 ? below : below + 1.0;
  return std::fmod(below, 2.0) == 0.0 ? below : below + 1.0;
}

std::int64_t naive_requantize(std::int64_t acc, float multiplier, std::int64_t zero_point) {
  const float exact_acc = to_float(static_cast<double>(acc));
  const float product = to_float(double{exact_acc} * double{multiplier});
  const double rounded = naive_round_half_even(std::clamp(double{product}, -1e6, 1e6));
  return clamp_int8(static_cast<std::int64_t>(rounded) + zero_point);
}

std::map<std::string, Integers> run_naive(const Int8Model& model, const Samples& samples,
                                          std::int64_t row) {
  NaiveRun run{model, {}};
  for (const Node& node : model.graph.nodes()) {
    run.values[node.name] = std::holds_alternative<Input>(node.op)
                                ? quantized_input(model, samples, row)
                                : run.compute(node);
  }
  return run.values;
}

}  // namespace biglittle::testing
