// SPDX-License-Identifier: MIT
#include "train/libtorch/int8_module.h"

#include <ATen/ATen.h>

#include "train/libtorch/int8_ops.h"

namespace biglittle {
namespace {

/// float32 counts by ones up to here.
constexpr std::int64_t kExactFloat = std::int64_t{1} << 24;

template <typename T>
at::Tensor copy_as(const Tensor& tensor, at::ScalarType from, at::ScalarType to) {
  const auto values = tensor.values<T>();
  return at::from_blob(const_cast<T*>(values.data()), tensor.shape(), from)
      .to(to, /*non_blocking=*/false, /*copy=*/true);
}

at::Tensor padded(const at::Tensor& x, const Window& w, double value) {
  if (w.pad_left + w.pad_right + w.pad_top + w.pad_bottom == 0) return x;
  return at::constant_pad_nd(x, {w.pad_left, w.pad_right, w.pad_top, w.pad_bottom}, value);
}

RequantizeLimits limits_of(const Int8Node& node) {
  return {-128 - node.zero_point, 127 - node.zero_point};
}

at::Tensor find(const std::map<std::string, at::Tensor>& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  return found == tensors.end() ? at::Tensor() : found->second;
}

/// One pass through the graph.
class Pass {
 public:
  Pass(const Graph& graph, const Int8Tensors& integers, const Int8Learned& learned)
      : graph_(graph), integers_(integers), learned_(learned) {}

  at::Tensor run(const at::Tensor& input, const SeeIntegers& see) {
    for (const Node& node : graph_.nodes()) {
      values_[node.name] = &node == &graph_.input() ? input : compute(node);
      if (see) see(node, values_[node.name]);
    }
    return values_.at(graph_.output().name);
  }

 private:
  at::Tensor compute(const Node& node) {
    const at::Tensor& x = values_.at(node.inputs.front());
    const Int8Node& constants = integers_.node(node.name);
    return std::visit(
        Overloaded{[&](const Conv2d& op) { return layer(node, &op, x); },
                   [&](const Linear&) { return layer(node, nullptr, x.flatten(1)); },
                   // With zero point -128 no d is negative.
                   [&](const Relu&) { return constants.zero_point == -128 ? x : at::relu(x); },
                   [&](const Relu6&) { return at::hardtanh(x, 0.0, constants.limit); },
                   [&](const MaxPool& op) { return max_pool(op.window, constants, x); },
                   [&](const AvgPool& op) {
                     const Window& w = op.window;
                     return round_off(
                         node,
                         at::avg_pool2d(padded(x, w, 0.0), {w.kernel_height, w.kernel_width},
                                        {w.stride_height, w.stride_width}, {0, 0}, false, true, 1));
                   },
                   [&](const GlobalAvgPool&) {
                     return round_off(node, x.sum({2, 3}, /*keepdim=*/true));
                   },
                   [&](const Add&) {
                     const at::Tensor& other = values_.at(node.inputs.at(1));
                     return round_off(node, x * constants.left + other * constants.right);
                   },
                   [&](const Flatten&) { return x.contiguous().flatten(1); },
                   [&](const auto&) -> at::Tensor {
                     TORCH_CHECK(false, "no int8 form of node ", node.name);
                   }},
        node.op);
  }

  at::Tensor layer(const Node& node, const Conv2d* conv, const at::Tensor& x) const {
    const Int8Tensors::Layer& layer = integers_.layer(node.name);
    const at::Tensor weight =
        stand_in(find(learned_.weights, node.name + ".weight"), layer.weight, layer.weight_step);
    const at::Tensor bias =
        stand_in(find(learned_.weights, node.name + ".bias"), layer.bias, layer.bias_step);
    const at::Tensor input = x.to(weight.scalar_type());
    at::Tensor acc;
    if (conv == nullptr) {
      acc = at::linear(input, weight, bias);
    } else {
      const Window& w = conv->window;
      const bool even = w.pad_top == w.pad_bottom && w.pad_left == w.pad_right;
      acc = at::conv2d(
          even ? input : padded(input, w, 0.0), weight, bias, {w.stride_height, w.stride_width},
          even ? std::vector<std::int64_t>{w.pad_top, w.pad_left} : std::vector<std::int64_t>{0, 0},
          {1, 1}, conv->groups);
    }
    if (&node == &graph_.output()) return acc;
    return requantize(acc, layer.multipliers, find(learned_.log_steps, node.name),
                      limits_of(integers_.node(node.name)));
  }

  at::Tensor round_off(const Node& node, const at::Tensor& acc) const {
    const Int8Node& constants = integers_.node(node.name);
    return requantize(acc, at::full({acc.size(1)}, constants.multipliers.at(0), at::kFloat),
                      find(learned_.log_steps, node.name), limits_of(constants));
  }

  /// Padding is the smallest value, q = -128: it never wins.
  static at::Tensor max_pool(const Window& w, const Int8Node& constants, const at::Tensor& x) {
    return at::max_pool2d(padded(x, w, -128 - constants.zero_point),
                          {w.kernel_height, w.kernel_width}, {w.stride_height, w.stride_width});
  }

  const Graph& graph_;
  const Int8Tensors& integers_;
  const Int8Learned& learned_;
  std::map<std::string, at::Tensor> values_;
};

}  // namespace

Int8Tensors::Int8Tensors(const Graph& graph, const Int8Constants& constants)
    : constants_(constants) {
  for (const Node& node : graph.nodes()) {
    if (std::holds_alternative<Conv2d>(node.op) || std::holds_alternative<Linear>(node.op)) {
      add_layer(graph, node);
    }
  }
}

void Int8Tensors::add_layer(const Graph& graph, const Node& node) {
  const Int8Node& constants = constants_.nodes.at(node.name);
  const bool is_conv = std::holds_alternative<Conv2d>(node.op);
  const auto type = constants.bound < kExactFloat ? at::kFloat : at::kDouble;
  const float input_scale = constants_.nodes.at(node.inputs.at(0)).scale;
  Layer layer;
  layer.weight =
      copy_as<std::int8_t>(constants_.weights.at(node.name + ".weight"), at::kChar, type);
  if (is_conv) layer.weight = layer.weight.contiguous(at::MemoryFormat::ChannelsLast);
  layer.bias = copy_as<std::int32_t>(constants_.weights.at(node.name + ".bias"), at::kInt, type);
  const at::Tensor scales =
      copy_as<float>(constants_.weights.at(node.name + ".weight_scale"), at::kFloat, at::kFloat);
  layer.weight_step = is_conv ? scales.view({-1, 1, 1, 1}) : scales.view({-1, 1});
  layer.bias_step = scales * input_scale;
  if (&node != &graph.output()) {
    layer.multipliers = at::tensor(constants.multipliers);
  }
  layers_[node.name] = std::move(layer);
}

at::Tensor quantize_input(const at::Tensor& raw, SampleType type, const Graph& graph,
                          const Int8Tensors& integers) {
  if (type == SampleType::u8) return raw;  // bytes are the quantized input
  const RequantizeLimits limits = limits_of(integers.node(graph.input().name));
  return (raw / integers.input_step()).clamp_(limits.low, limits.high).round_();
}

at::Tensor run_int8(const Graph& graph, const Int8Tensors& integers, const Int8Learned& learned,
                    const at::Tensor& input, const SeeIntegers& see) {
  return Pass(graph, integers, learned).run(input, see);
}

}  // namespace biglittle
