// SPDX-License-Identifier: MIT
#include "train/libtorch/quantized_training.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

#include "train/libtorch/inference.h"

namespace biglittle {

QuantizedTraining::QuantizedTraining(const FitRequest& request, const FlatLayout& layout)
    : request_(request), layout_(layout), unscaled_(request.preprocessing) {
  unscaled_.scale = 1.0;
  if (!request.quantization->learn_steps) return;
  const Int8Constants start = request.quantization->integers(request.initial.value(), {});
  for (const Node& node : request.graph.nodes()) {
    // Nodes that requantize; others carry the scale of their input.
    const Int8Node& constants = start.nodes.at(node.name);
    if (!constants.multipliers.empty()) first_scales_.emplace_back(node.name, constants.scale);
  }
}

std::map<std::string, float> QuantizedTraining::scales(const at::Tensor& parameters) const {
  std::map<std::string, float> scales;
  const auto logarithms =
      numbers(parameters)
          .subspan(static_cast<std::size_t>(layout_.trainable_count()), first_scales_.size());
  for (std::size_t i = 0; i < first_scales_.size(); ++i) {
    const auto& [node, first] = first_scales_[i];
    scales[node] = static_cast<float>(first * std::exp(double{logarithms[i]}));
  }
  return scales;
}

void QuantizedTraining::refresh(const at::Tensor& parameters) {
  const TensorMap weights = layout_.store(parameters, at::empty({layout_.buffer_count()}));
  integers_.emplace(request_.graph, request_.quantization->integers(weights, scales(parameters)));
}

Int8Learned QuantizedTraining::leaves(const at::Tensor& parameters,
                                      const at::Tensor& gradients) const {
  const auto leaf = [](at::Tensor value, at::Tensor gradient) {
    at::Tensor result = value.detach();
    result.set_requires_grad(true);
    result.mutable_grad() = std::move(gradient);
    return result;
  };
  Int8Learned learned;
  for (const FlatLayout::Slot& slot : layout_.slots()) {
    learned.weights[slot.spec.name] =
        leaf(FlatLayout::view(parameters, slot), FlatLayout::view(gradients, slot));
  }
  for (std::int64_t i = 0; i < scale_count(); ++i) {
    const std::int64_t at = layout_.trainable_count() + i;
    learned.log_steps[first_scales_[static_cast<std::size_t>(i)].first] =
        leaf(parameters.narrow(0, at, 1), gradients.narrow(0, at, 1));
  }
  return learned;
}

at::Tensor QuantizedTraining::logits(const Int8Learned& learned, const at::Tensor& batch) const {
  const Graph& graph = request_.graph;
  const at::Tensor input = quantize_input(batch, request_.preprocessing.type, graph, *integers_);
  return run_int8(graph, *integers_, learned, input).to(at::kFloat) *
         integers_->node(graph.output().name).scale;
}

std::vector<float> QuantizedTraining::infer(WorkerPool& pool, const Samples& samples) const {
  const std::int64_t outputs = request_.graph.output().shape.channels;
  std::vector<float> result(static_cast<std::size_t>(samples.count() * outputs));
  pool.run([&](std::int64_t worker) {
    const c10::NoGradGuard no_gradients;
    const auto [first, last] = share(samples.count(), worker, pool.size());
    std::vector<float> values;
    for (std::int64_t begin = first; begin < last; begin += kInferenceBatch) {
      const std::int64_t end = std::min(begin + kInferenceBatch, last);
      values.resize(static_cast<std::size_t>((end - begin) * samples.shape.count()));
      fill_batch(samples, begin, end, unscaled_, Mirror::no, values);
      const at::Tensor outcome =
          logits(Int8Learned(), as_batch(values, samples.shape)).contiguous();
      std::copy_n(outcome.data_ptr<float>(), (end - begin) * outputs,
                  result.begin() + begin * outputs);
    }
  });
  return result;
}

}  // namespace biglittle
