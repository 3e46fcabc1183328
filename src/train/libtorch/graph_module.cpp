// SPDX-License-Identifier: MIT
#include "train/libtorch/graph_module.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "train/libtorch/blocked_convolution.h"
#include "train/libtorch/blocked_maps.h"
#include "train/libtorch/fused_ops.h"
#include "train/libtorch/pooled_norm_kernels.h"
#include "train/libtorch/step_clock.h"

namespace biglittle {
namespace {

// Zero padding that LibTorch's own symmetric argument cannot express is applied beforehand.
std::pair<at::Tensor, std::vector<std::int64_t>> pad_as_needed(const at::Tensor& x, const Window& w,
                                                               double value) {
  if (w.pad_top == w.pad_bottom && w.pad_left == w.pad_right) {
    return {x, {w.pad_top, w.pad_left}};
  }
  return {at::constant_pad_nd(x, {w.pad_left, w.pad_right, w.pad_top, w.pad_bottom}, value),
          {0, 0}};
}

// `weights` are weight and bias.
at::Tensor convolve(const Conv2d& op, const at::Tensor& x, const std::vector<at::Tensor>& weights) {
  const auto [padded, padding] = pad_as_needed(x, op.window, 0.0);
  return at::conv2d(padded, weights[0], weights[1],
                    {op.window.stride_height, op.window.stride_width}, padding, {1, 1}, op.groups);
}

// The same by what this program has for it.
at::Tensor convolve_ours(const Conv2d& op, const at::Tensor& x,
                         const std::vector<at::Tensor>& weights) {
  if (convolves_in_blocks(op, x)) return blocked_convolution(op, x, weights[0], weights[1]);
  if (is_fusable_depthwise(op, x)) return fused_depthwise(x, weights[0], op.window);
  return convolve(op, as_maps(x), weights);
}

// In float32 also of bf16 maps: exact, and LibTorch's sum of those is several times slower.
at::Tensor average(const at::Tensor& x) {
  const at::ScalarType type = x.scalar_type() == at::kBFloat16 ? at::kFloat : x.scalar_type();
  return x.mean({2, 3}, /*keepdim=*/false, type).flatten(1).unsqueeze(2).unsqueeze(3);
}

at::Tensor pool_max(const Window& w, const at::Tensor& x) {
  // LibTorch allows at most half a kernel of padding.
  const bool fits = w.pad_top == w.pad_bottom && w.pad_left == w.pad_right &&
                    2 * w.pad_top <= w.kernel_height && 2 * w.pad_left <= w.kernel_width;
  const at::Tensor padded =
      fits ? x
           : at::constant_pad_nd(x, {w.pad_left, w.pad_right, w.pad_top, w.pad_bottom},
                                 -std::numeric_limits<double>::infinity());
  const std::vector<std::int64_t> padding =
      fits ? std::vector<std::int64_t>{w.pad_top, w.pad_left} : std::vector<std::int64_t>{0, 0};
  return at::max_pool2d(padded, {w.kernel_height, w.kernel_width},
                        {w.stride_height, w.stride_width}, padding);
}

at::Tensor pool_average(const Window& w, const at::Tensor& x) {
  const at::Tensor padded =
      at::constant_pad_nd(x, {w.pad_left, w.pad_right, w.pad_top, w.pad_bottom}, 0.0);
  return at::avg_pool2d(padded, {w.kernel_height, w.kernel_width},
                        {w.stride_height, w.stride_width});
}

// A relu may overwrite its input when nobody else reads it and the input's own derivative does not
// need it.
bool may_overwrite(const Graph& graph, const Node& relu) {
  const Node& producer = graph.node(relu.inputs.front());
  const bool keeps_no_output = std::holds_alternative<Conv2d>(producer.op) ||
                               std::holds_alternative<BatchNorm>(producer.op) ||
                               std::holds_alternative<Linear>(producer.op) ||
                               std::holds_alternative<Add>(producer.op);
  return keeps_no_output && graph.consumers(producer.name).size() == 1;
}

bool is_over_maps(const Node& node) {
  return std::holds_alternative<BatchNorm>(node.op) && node.shape.height * node.shape.width > 1;
}

Activation activation_of(const Node& node) {
  if (std::holds_alternative<Relu>(node.op)) return Activation::relu;
  return std::holds_alternative<Relu6>(node.op) ? Activation::relu6 : Activation::none;
}

Part part_of(const Node& node) {
  return std::visit(Overloaded{
                        [](const Conv2d&) { return Part::convolution_forward; },
                        [](const BatchNorm&) { return Part::norm_forward; },
                        [](const Relu&) { return Part::norm_forward; },
                        [](const Relu6&) { return Part::norm_forward; },
                        [](const Add&) { return Part::norm_forward; },
                        [](const MaxPool&) { return Part::pool; },
                        [](const AvgPool&) { return Part::pool; },
                        [](const GlobalAvgPool&) { return Part::pool; },
                        [](const Linear&) { return Part::linear; },
                        [](const auto&) { return Part::other; },
                    },
                    node.op);
}

bool is_two_by_two(const Window& w) {
  return w == square_window(/*kernel=*/2, /*stride=*/2, /*pad=*/0);
}

// Whether a batch norm before it can compute it, too.
bool is_poolable(const Node& node) {
  const MaxPool* const pool = std::get_if<MaxPool>(&node.op);
  return pool != nullptr && is_two_by_two(pool->window) &&
         node.shape.channels % kPooledNormChannels == 0;
}

// Whether the node's operation, other than a fused batch norm, computes on blocked maps, too.
bool takes_blocks(const Node& node) {
  const auto* const pool = std::get_if<MaxPool>(&node.op);
  return std::holds_alternative<Conv2d>(node.op) || std::holds_alternative<Relu>(node.op) ||
         std::holds_alternative<Relu6>(node.op) || std::holds_alternative<Add>(node.op) ||
         std::holds_alternative<GlobalAvgPool>(node.op) || (pool && is_two_by_two(pool->window));
}

}  // namespace

GraphModule::GraphModule(const Graph& graph, const FlatLayout& layout, const at::Tensor& trainable,
                         const at::Tensor& buffers, const at::Tensor& gradients, Kernels kernels)
    : kernels_(kernels),
      generator_(at::globalContext().defaultGenerator(trainable.device()).clone()) {
  std::map<std::string, at::Tensor> tensors;
  for (const FlatLayout::Slot& slot : layout.slots()) {
    at::Tensor tensor = FlatLayout::view(slot.spec.trainable ? trainable : buffers, slot).detach();
    if (slot.spec.trainable && gradients.defined()) {
      tensor.set_requires_grad(true);
      tensor.mutable_grad() = FlatLayout::view(gradients, slot);
    }
    tensors[slot.spec.name] = tensor;
  }
  std::map<std::string, std::size_t> position;
  std::vector<std::size_t> last_use;
  for (const Node& node : graph.nodes()) {
    Step step;
    step.node = &node;
    for (const std::string& input : node.inputs) step.inputs.push_back(position.at(input));
    for (const char* suffix : {".weight", ".bias", ".running_mean", ".running_var"}) {
      const auto found = tensors.find(node.name + suffix);
      step.weights.push_back(found == tensors.end() ? at::Tensor() : found->second);
    }
    const bool clamps =
        std::holds_alternative<Relu>(node.op) || std::holds_alternative<Relu6>(node.op);
    step.overwrites_input = clamps && may_overwrite(graph, node);
    position[node.name] = steps_.size();
    last_use.push_back(steps_.size());
    for (const std::size_t input : step.inputs) last_use[input] = steps_.size();
    steps_.push_back(std::move(step));
  }
  for (std::size_t i = 0; i + 1 < steps_.size(); ++i) steps_[last_use[i]].finished.push_back(i);
  if (kernels == Kernels::plain) return;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (is_over_maps(*steps_[i].node)) fuse(i, graph);
  }
}

// Takes what follows a batch norm into it as long as nobody else reads the values between:
// norm, activation; norm, activation, pool; norm, activation, sum; norm, sum, activation.
void GraphModule::fuse(std::size_t norm, const Graph& graph) {
  const auto only_reader = [&](std::size_t of) -> std::optional<std::size_t> {
    const std::vector<std::string> readers = graph.consumers(steps_[of].node->name);
    if (readers.size() != 1) return std::nullopt;
    const auto found = std::ranges::find_if(
        steps_, [&](const Step& step) { return step.node->name == readers.front(); });
    return static_cast<std::size_t>(found - steps_.begin());
  };
  FusedNorm fused{norm, {}, steps_[norm].inputs.front(), std::nullopt};
  std::size_t place = norm;  // where it is computed
  std::size_t last = norm;   // what it has taken in
  while (const std::optional<std::size_t> next = only_reader(last)) {
    Step& step = steps_[*next];
    const Activation activation = activation_of(*step.node);
    if (activation != Activation::none && fused.tail.activation == Activation::none) {
      if (fused.skip) fused.tail.residual = Residual::inside;
      fused.tail.activation = activation;
      step.hands_on = true;
    } else if (std::holds_alternative<Add>(step.node->op) && !fused.skip && !step.norm &&
               step.inputs[0] != step.inputs[1]) {
      fused.skip = step.inputs[0] == last ? step.inputs[1] : step.inputs[0];
      fused.tail.residual = Residual::outside;
      for (const std::size_t done : {norm, last}) steps_[done].hands_on = true;
      fused.input = last;
      place = *next;
    } else if (is_poolable(*step.node) && !fused.skip) {
      fused.tail.pools = true;
      step.hands_on = true;
      break;
    } else {
      break;
    }
    // What is added outside must come last.
    last = *next;
    if (fused.tail.residual == Residual::outside && fused.tail.activation != Activation::none)
      break;
  }
  steps_[place].norm = fused;
}

at::Tensor GraphModule::forward(const at::Tensor& input, Mode mode) const {
  return forward(input, mode, See());
}

at::Tensor GraphModule::forward(const at::Tensor& input, Mode mode, const See& see) const {
  std::vector<at::Tensor> values(steps_.size());
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const ScopedPart part(part_of(*steps_[i].node));
    values[i] = i == 0 ? input : compute(steps_[i], values, mode);
    if (see) see(*steps_[i].node, as_maps(values[i]));
    for (const std::size_t finished : steps_[i].finished) values[finished].reset();
  }
  return values.back();
}

at::Tensor GraphModule::normalize(const FusedNorm& fused,
                                  const std::vector<at::Tensor>& values) const {
  const Step& step = steps_[fused.norm];
  const at::Tensor& x = values[fused.input];
  const at::Tensor skip =
      fused.skip ? ordered_as(x, values[*fused.skip]).to(x.scalar_type()) : at::Tensor();
  return fused_batch_norm(x, skip, step.weights[0], step.weights[1], step.weights[2],
                          step.weights[3], std::get<BatchNorm>(step.node->op), fused.tail);
}

at::Tensor GraphModule::normalize_alone(const BatchNorm& op, const at::Tensor& x,
                                        const std::vector<at::Tensor>& weights, Mode mode) const {
  if (kernels_ == Kernels::fused && mode == Mode::training && x.dim() == 4) {
    return fused_batch_norm(x, {}, weights[0], weights[1], weights[2], weights[3], op, {});
  }
  const at::Tensor maps = x.dim() == 4 ? x : x.unsqueeze(2).unsqueeze(3);
  const at::Tensor y =
      at::batch_norm(maps, weights[0], weights[1], weights[2], weights[3], mode == Mode::training,
                     op.momentum, op.epsilon, /*cudnn_enabled=*/true);
  return x.dim() == 4 ? y : y.flatten(1);
}

at::Tensor GraphModule::drop(const at::Tensor& x, double rate) const {
  const double keep = 1.0 - rate;
  const at::Tensor mask = at::empty_like(x).bernoulli_(keep, generator_);
  return x * mask.div_(keep);
}

at::Tensor GraphModule::compute(const Step& step, const std::vector<at::Tensor>& values,
                                Mode mode) const {
  const at::Tensor& input = values[step.inputs.front()];
  const auto& weights = step.weights;
  const bool training = mode == Mode::training;
  const bool by_ours = kernels_ == Kernels::fused && input.is_cpu();
  if (training && step.hands_on) return input;
  if (training && step.norm) return normalize(*step.norm, values);
  const at::Tensor x = takes_blocks(*step.node) ? input : as_maps(input);
  return std::visit(
      Overloaded{
          [&](const Input&) { return x; },
          [&](const Conv2d& op) {
            return by_ours ? convolve_ours(op, x, weights) : convolve(op, x, weights);
          },
          [&](const BatchNorm& op) { return normalize_alone(op, x, weights, mode); },
          [&](const Relu&) {
            return step.overwrites_input ? at::relu_(const_cast<at::Tensor&>(x)) : at::relu(x);
          },
          [&](const Relu6&) { return at::hardtanh(x, 0.0, 6.0); },
          [&](const MaxPool& op) {
            return by_ours && is_two_by_two(op.window) ? fused_max_pool(x) : pool_max(op.window, x);
          },
          [&](const AvgPool& op) { return pool_average(op.window, x); },
          [&](const GlobalAvgPool&) { return average(x); },
          [&](const Add&) { return at::add(x, ordered_as(x, values[step.inputs[1]])); },
          [&](const Flatten&) { return x.contiguous().flatten(1); },
          [&](const Linear&) { return at::linear(x.flatten(1), weights[0], weights[1]); },
          [&](const Dropout& op) { return training ? drop(x, op.rate) : x; },
      },
      step.node->op);
}

}  // namespace biglittle
