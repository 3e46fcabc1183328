// SPDX-License-Identifier: MIT
#include "train/libtorch/flat_weights.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

namespace biglittle {
namespace {

std::int64_t count_of(const std::vector<std::int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
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

std::span<float> numbers(const at::Tensor& tensor) {
  return {tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

}  // namespace biglittle
