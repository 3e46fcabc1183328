// SPDX-License-Identifier: MIT
#include "quant/arithmetic.h"

#include <algorithm>
#include <cmath>

#include "quant/rounding.h"

namespace biglittle {
namespace {

const Quantization& quantization_of(const Int8Model& model, const std::string& node) {
  const auto found = model.activations.find(node);
  if (found == model.activations.end()) {
    throw Error(ErrorKind::internal, "no quantization for node " + node);
  }
  return found->second;
}

}  // namespace

std::int8_t requantize(std::int32_t acc, float multiplier, std::int32_t zero_point) {
  return round_to_int8(static_cast<float>(acc) * multiplier, zero_point);
}

std::int8_t quantize_input(float value, float offset, float step, std::int32_t zero_point) {
  const float shifted = value - offset;
  return round_to_int8(shifted / step, zero_point);
}

float conv_multiplier(float input_scale, float weight_scale, float output_scale) {
  const float product = input_scale * weight_scale;
  return product / output_scale;
}

std::vector<float> channel_multipliers(const Int8Model& model, const Node& node) {
  const float input_scale = quantization_of(model, node.inputs.at(0)).scale;
  const float output_scale = quantization_of(model, node.name).scale;
  std::vector<float> multipliers;
  for (const float weight_scale : model.weights.at(node.name + ".weight_scale").values<float>()) {
    multipliers.push_back(conv_multiplier(input_scale, weight_scale, output_scale));
  }
  return multipliers;
}

float pool_multiplier(const Int8Model& model, const Node& node) {
  std::int64_t count = 0;
  if (const auto* pool = std::get_if<AvgPool>(&node.op)) {
    count = pool->window.kernel_height * pool->window.kernel_width;
  } else {
    const Shape& input = model.graph.input_shape(node);
    count = input.height * input.width;
  }
  const double input_scale = quantization_of(model, node.inputs.at(0)).scale;
  const double output_scale = quantization_of(model, node.name).scale;
  return static_cast<float>(input_scale / (static_cast<double>(count) * output_scale));
}

AddConstants add_constants(const Int8Model& model, const Node& node) {
  const double left = quantization_of(model, node.inputs.at(0)).scale;
  const double right = quantization_of(model, node.inputs.at(1)).scale;
  const double larger = std::max(left, right);
  const double output = quantization_of(model, node.name).scale;
  constexpr double kUnit = 16384.0;  // 2^14: both terms together stay below 2^24
  return {static_cast<std::int32_t>(std::nearbyint(left / larger * kUnit)),
          static_cast<std::int32_t>(std::nearbyint(right / larger * kUnit)),
          static_cast<float>(larger / (kUnit * output))};
}

std::int32_t relu6_limit(const Quantization& quantization) {
  const double steps = std::nearbyint(6.0 / static_cast<double>(quantization.scale));
  return static_cast<std::int32_t>(std::min(127.0, steps + quantization.zero_point));
}

}  // namespace biglittle
