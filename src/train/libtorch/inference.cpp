// SPDX-License-Identifier: MIT
#include "train/libtorch/inference.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "train/libtorch/device.h"

namespace biglittle {
namespace {

// A GPU wants more to do at once.
constexpr std::int64_t kGpuBatch = 1000;

}  // namespace

FrozenNetwork::FrozenNetwork(const Network& network, at::Device device)
    : network_(fold_batch_norm(network)),
      layout_(network_.graph),
      trainable_(at::empty({layout_.trainable_count()}, device)),
      buffers_(at::empty({layout_.buffer_count()}, device)),
      module_(network_.graph, layout_, trainable_, buffers_, at::Tensor()) {
  layout_.load(network_.weights, trainable_, buffers_);
}

at::Tensor FrozenNetwork::forward(const at::Tensor& batch, const GraphModule::See& see) const {
  return module_.forward(batch, Mode::inference, see);
}

at::Tensor as_batch(std::span<float> values, const Shape& shape) {
  const auto n = static_cast<std::int64_t>(values.size()) / shape.count();
  return at::from_blob(values.data(), {n, shape.height, shape.width, shape.channels}, at::kFloat)
      .permute({0, 3, 1, 2});
}

std::vector<float> infer(WorkerPool& pool, const FrozenNetwork& network,
                         const Preprocessing& preprocessing, const Samples& samples, Mirror mirror,
                         bool use_bf16) {
  const std::int64_t outputs = network.outputs();
  const std::int64_t most = network.device().is_cpu() ? kInferenceBatch : kGpuBatch;
  const Mirror other = mirror == Mirror::no ? Mirror::yes : Mirror::no;
  std::vector<float> result(static_cast<std::size_t>(samples.count() * outputs));
  pool.run([&](std::int64_t worker) {
    const c10::InferenceMode guard;
    const AutocastScope scope(network.device(), use_bf16);
    const auto [first, last] = share(samples.count(), worker, pool.size());
    std::vector<float> values;
    for (std::int64_t begin = first; begin < last; begin += most) {
      const std::int64_t end = std::min(begin + most, last);
      values.resize(static_cast<std::size_t>((end - begin) * samples.shape.count()));
      const auto seen = [&](Mirror way) {
        fill_batch(samples, begin, end, preprocessing, way, values);
        const at::Tensor batch = as_batch(values, samples.shape).to(network.device());
        return network.forward(batch).to(at::kFloat).cpu().contiguous();
      };
      at::Tensor logits = seen(mirror);
      if (preprocessing.with_mirror) logits = (logits + seen(other)) * 0.5;
      std::copy_n(logits.data_ptr<float>(), (end - begin) * outputs,
                  result.begin() + begin * outputs);
    }
  });
  return result;
}

}  // namespace biglittle
