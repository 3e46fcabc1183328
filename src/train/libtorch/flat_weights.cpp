// SPDX-License-Identifier: MIT
#include "train/libtorch/flat_weights.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/random.h"

namespace biglittle {
namespace {

std::int64_t count_of(const std::vector<std::int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

void fill_normal(std::span<float> values, double deviation, Random& random) {
  for (float& value : values) value = static_cast<float>(deviation * random.normal());
}

}  // namespace

FlatLayout::FlatLayout(const Graph& graph) {
  for (WeightSpec& spec : graph.weights()) {
    std::int64_t& count = spec.trainable ? trainable_count_ : buffer_count_;
    const std::int64_t offset = count;
    count += count_of(spec.shape);
    slots_.push_back({std::move(spec), offset});
  }
}

at::Tensor FlatLayout::view(const at::Tensor& flat, const Slot& slot) {
  const std::vector<std::int64_t>& shape = slot.spec.shape;
  at::Tensor piece = flat.narrow(0, slot.offset, count_of(shape));
  if (shape.size() != 4) return piece.view(shape);
  return piece.view({shape[0], shape[2], shape[3], shape[1]}).permute({0, 3, 1, 2});
}

std::vector<std::uint8_t> FlatLayout::decays() const {
  std::vector<std::uint8_t> decays(static_cast<std::size_t>(trainable_count_), 0);
  for (const Slot& slot : slots_) {
    if (!slot.spec.trainable || slot.spec.shape.size() < 2) continue;
    std::fill_n(decays.begin() + slot.offset, count_of(slot.spec.shape), std::uint8_t{1});
  }
  return decays;
}

void FlatLayout::load(const TensorMap& weights, const at::Tensor& trainable,
                      const at::Tensor& buffers) const {
  for (const Slot& slot : slots_) {
    const Tensor& tensor = weights.at(slot.spec.name);
    const auto values = tensor.values<float>();
    const at::Tensor source =
        at::from_blob(const_cast<float*>(values.data()), slot.spec.shape, at::kFloat);
    view(slot.spec.trainable ? trainable : buffers, slot).copy_(source);
  }
}

TensorMap FlatLayout::store(const at::Tensor& trainable, const at::Tensor& buffers) const {
  TensorMap weights;
  for (const Slot& slot : slots_) {
    const at::Tensor values = view(slot.spec.trainable ? trainable : buffers, slot).contiguous();
    weights[slot.spec.name] =
        Tensor::of<float>(slot.spec.shape, std::span<const float>(numbers(values)));
  }
  return weights;
}

TensorMap fresh_weights(const Graph& graph, std::uint64_t seed) {
  TensorMap weights;
  std::uint64_t index = 0;
  for (const Node& node : graph.nodes()) {
    const bool normalizes = std::holds_alternative<BatchNorm>(node.op);
    for (const WeightSpec& spec : graph.weights(node)) {
      Random random(seed, ++index);
      Tensor tensor(DType::f32, spec.shape);
      const auto values = tensor.values<float>();
      if (spec.shape.size() >= 2) {
        const auto fan_in = static_cast<double>(count_of(spec.shape) / spec.shape[0]);
        const double gain = &node == &graph.output() ? 1.0 : 2.0;
        fill_normal(values, std::sqrt(gain / fan_in), random);
      } else if (normalizes &&
                 (spec.name.ends_with(".weight") || spec.name.ends_with(".running_var"))) {
        std::fill(values.begin(), values.end(), 1.0f);
      }
      weights[spec.name] = std::move(tensor);
    }
  }
  return weights;
}

std::span<float> numbers(const at::Tensor& tensor) {
  return {tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

}  // namespace biglittle
