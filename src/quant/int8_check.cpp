// SPDX-License-Identifier: MIT
// What every reader of an Int8Model may rely on: check_int8_model and the bounds it rests on.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "core/error.h"
#include "quant/arithmetic.h"
#include "quant/int8_model.h"

namespace biglittle {
namespace {

bool is_layer(const Node& node) {
  return std::holds_alternative<Conv2d>(node.op) || std::holds_alternative<Linear>(node.op);
}

bool keeps_quantization(const Op& op) {
  return std::holds_alternative<Relu>(op) || std::holds_alternative<Relu6>(op) ||
         std::holds_alternative<MaxPool>(op) || std::holds_alternative<Flatten>(op);
}

/// The checks share the model and the words that begin every message.
class Checker {
 public:
  Checker(const Int8Model& model, std::string_view name) : model_(model), name_(name) {}

  void check() const {
    check_graph();
    check_activations();
    check_input();
    check_tensors();
    for (const Node& node : model_.graph.nodes()) {
      if (is_layer(node)) check_layer(node);
      check_pooling(node);
    }
    check_classes();
  }

 private:
  [[noreturn]] void refuse(const std::string& message) const {
    throw Error(ErrorKind::bad_data, name_ + ": " + message);
  }

  void check_graph() const {
    const auto& nodes = model_.graph.nodes();
    if (nodes.empty()) refuse("the graph has no nodes");
    if (!std::holds_alternative<Linear>(nodes.back().op)) {
      refuse("the int8 network ends in " + std::string(op_name(nodes.back().op)) + " node " +
             nodes.back().name + ", expected a linear layer");
    }
    for (const Node& node : nodes) {
      if (std::holds_alternative<BatchNorm>(node.op) || std::holds_alternative<Dropout>(node.op)) {
        refuse("node " + node.name + " is a " + std::string(op_name(node.op)) +
               ", which an int8 network does not have; fold it first");
      }
    }
  }

  void check_scale(float scale, const std::string& what) const {
    if (!(scale >= kSmallestScale && scale <= kLargestScale)) {
      refuse(fmt::format("{} is {}, expected 2^-40 to 2^20", what, scale));
    }
  }

  void check_activations() const {
    const auto& nodes = model_.graph.nodes();
    std::set<std::string> expected;
    for (std::size_t i = 0; i + 1 < nodes.size(); ++i) {
      const Node& node = nodes[i];
      expected.insert(node.name);
      const auto found = model_.activations.find(node.name);
      if (found == model_.activations.end()) refuse("node " + node.name + " has no quantization");
      check_scale(found->second.scale, "scale of node " + node.name);
      if (found->second.zero_point < -128 || found->second.zero_point > 127) {
        refuse("zero point of node " + node.name + " is " +
               std::to_string(found->second.zero_point) + ", expected -128 to 127");
      }
      if (keeps_quantization(node.op) &&
          found->second != model_.activations.at(node.inputs.at(0))) {
        refuse("node " + node.name + " is a " + std::string(op_name(node.op)) +
               " and must carry the quantization of its input " + node.inputs.at(0));
      }
    }
    for (const auto& [node, quantization] : model_.activations) {
      if (!expected.contains(node)) {
        refuse("quantization for " + node + ", which is no node with an int8 output");
      }
    }
  }

  void check_input() const {
    const Preprocessing& raw = model_.preprocessing;
    if (raw.with_mirror) refuse("preprocessing asks for a mirror image, expected none in int8");
    const Quantization& input = model_.activations.at(model_.graph.input().name);
    if (raw.type == SampleType::u8) {
      if (!(raw.offset >= 0 && raw.offset <= 255) || raw.offset != std::floor(raw.offset)) {
        refuse(fmt::format("preprocessing offset is {}, expected a whole byte for uint8 samples",
                           raw.offset));
      }
      if (input.zero_point != static_cast<std::int32_t>(raw.offset) - 128 ||
          input.scale != static_cast<float>(raw.scale)) {
        refuse(fmt::format(
            "quantization of the input is not the preprocessing: expected scale {} and zero point "
            "{}",
            static_cast<float>(raw.scale), static_cast<std::int32_t>(raw.offset) - 128));
      }
      return;
    }
    check_scale(model_.input_step, "input_step");
    if (!(std::abs(raw.offset) <= kLargestFloatOffset)) {
      refuse(fmt::format("preprocessing offset is {}, expected at most 1e30", raw.offset));
    }
    if (input.scale != static_cast<float>(raw.scale * double{model_.input_step})) {
      refuse(fmt::format("scale of the input is {}, expected preprocessing scale times input_step",
                         input.scale));
    }
  }

  void check_tensor(const std::string& tensor, DType dtype,
                    const std::vector<std::int64_t>& shape) const {
    const auto found = model_.weights.find(tensor);
    if (found == model_.weights.end()) refuse("tensor " + tensor + " is missing");
    if (found->second.dtype() != dtype) {
      refuse("tensor " + tensor + " is " + std::string(name_of(found->second.dtype())) +
             ", expected " + std::string(name_of(dtype)));
    }
    if (found->second.shape() != shape) {
      refuse("tensor " + tensor + " has shape " + Json(found->second.shape()).dump() +
             ", expected " + Json(shape).dump());
    }
  }

  void check_tensors() const {
    std::set<std::string> expected;
    for (const Node& node : model_.graph.nodes()) {
      if (!is_layer(node)) continue;
      const std::vector<std::int64_t> shape = model_.graph.weights(node).at(0).shape;
      check_tensor(node.name + ".weight", DType::i8, shape);
      check_tensor(node.name + ".bias", DType::i32, {shape.at(0)});
      check_tensor(node.name + ".weight_scale", DType::f32, {shape.at(0)});
      expected.insert({node.name + ".weight", node.name + ".bias", node.name + ".weight_scale"});
    }
    for (const auto& [tensor, value] : model_.weights) {
      if (!expected.contains(tensor)) refuse("tensor " + tensor + " belongs to no layer");
    }
  }

  void check_layer(const Node& node) const {
    const auto scales = model_.weights.at(node.name + ".weight_scale").values<float>();
    for (const float scale : scales) {
      check_scale(scale, "a value of " + node.name + ".weight_scale");
    }
    if (node.name == model_.graph.output().name &&
        std::any_of(scales.begin(), scales.end(), [&](float s) { return s != scales[0]; })) {
      refuse("the rows of the last layer " + node.name +
             " have different scales, so its accumulators do not compare");
    }
    const auto weights = model_.weights.at(node.name + ".weight").values<std::int8_t>();
    if (std::find(weights.begin(), weights.end(), std::int8_t{-128}) != weights.end()) {
      refuse("tensor " + node.name + ".weight contains -128, expected -127 to 127");
    }
    const std::vector<std::int64_t> bounds = accumulator_bounds(model_, node);
    const std::int64_t worst = *std::max_element(bounds.begin(), bounds.end());
    if (worst >= kAccumulatorLimit) {
      refuse("accumulators of " + node.name + " can reach " + std::to_string(worst) +
             ", expected less than 2^30; the layer sums too many inputs");
    }
  }

  void check_pooling(const Node& node) const {
    std::int64_t values = 0;
    if (const auto* average = std::get_if<AvgPool>(&node.op)) {
      values = average->window.kernel_height * average->window.kernel_width;
    } else if (std::holds_alternative<GlobalAvgPool>(node.op)) {
      const Shape& input = model_.graph.input_shape(node);
      values = input.height * input.width;
    }
    if (values * 255 >= kExactFloatLimit) {
      refuse(std::string(op_name(node.op)) + " " + node.name + " averages " +
             std::to_string(values) + " values, expected at most " +
             std::to_string(kExactFloatLimit / 255));
    }
  }

  void check_classes() const {
    const auto classes = static_cast<std::int64_t>(model_.classes.size());
    const std::int64_t outputs = model_.graph.output().shape.channels;
    if (classes != outputs) {
      refuse(std::to_string(classes) + " class names for " + std::to_string(outputs) + " outputs");
    }
    if (outputs < 2) refuse("the network has one output, expected at least 2");
    if (model_.priority && model_.priority->names != model_.classes) {
      refuse("the priority map names other classes than the network");
    }
  }

  static constexpr double kLargestFloatOffset = 1e30;

  const Int8Model& model_;
  std::string name_;
};

}  // namespace

std::vector<std::int64_t> accumulator_bounds(const Int8Model& model, const Node& node) {
  const auto weights = model.weights.at(node.name + ".weight").values<std::int8_t>();
  const auto bias = model.weights.at(node.name + ".bias").values<std::int32_t>();
  const std::int64_t zero = model.activations.at(node.inputs.at(0)).zero_point;
  const std::int64_t largest = std::max(127 - zero, zero + 128);
  const std::size_t row = weights.size() / bias.size();
  std::vector<std::int64_t> bounds;
  for (std::size_t o = 0; o < bias.size(); ++o) {
    std::int64_t sum = 0;
    for (const std::int8_t weight : weights.subspan(o * row, row)) sum += std::abs(weight);
    bounds.push_back(sum * largest + std::abs(std::int64_t{bias[o]}));
  }
  return bounds;
}

void check_int8_model(const Int8Model& model, std::string_view name) {
  Checker(model, name).check();
}

}  // namespace biglittle
