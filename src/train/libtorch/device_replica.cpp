// SPDX-License-Identifier: MIT
#include "train/libtorch/device_replica.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "train/libtorch/device.h"

namespace biglittle {
namespace {

at::Tensor zeros_on(at::Device device, std::int64_t count) {
  return at::zeros({count}, at::TensorOptions(at::kFloat).device(device));
}

at::Tensor labels_on(at::Device device, std::span<const std::int64_t> labels) {
  return at::from_blob(const_cast<std::int64_t*>(labels.data()), {std::ssize(labels)}, at::kLong)
      .to(device);
}

}  // namespace

DeviceReplica::DeviceReplica(const FitRequest& request, const FlatLayout& layout, at::Device device,
                             bool use_bf16)
    : request_(request),
      use_bf16_(use_bf16),
      samples_(*request.train, device, DeviceSamples::choose(*request.train, device)),
      labels_(labels_on(device, request.train_labels)),
      trainable_(zeros_on(device, layout.trainable_count())),
      gradients_(zeros_on(device, layout.trainable_count())),
      buffers_(zeros_on(device, layout.buffer_count())),
      module_(request.graph, layout, trainable_, buffers_, gradients_, Kernels::plain),
      optimizer_(request.options, layout.decays(), device) {}

void DeviceReplica::send(const Host& host) {
  const c10::NoGradGuard no_gradients;
  trainable_.copy_(host.trainable);
  buffers_.copy_(host.buffers);
  optimizer_.send(host.optimizer);
}

void DeviceReplica::fetch(const Host& host) const {
  const c10::NoGradGuard no_gradients;
  host.trainable.copy_(trainable_);
  host.buffers.copy_(buffers_);
  host.gradients.copy_(gradients_);
  optimizer_.fetch(host.optimizer);
}

DeviceReplica::Step DeviceReplica::compute_gradients(std::span<const std::int64_t> rows,
                                                     std::int64_t epoch, double batch_size,
                                                     std::uint64_t dropout_seed,
                                                     const TeacherBeliefs* teacher) {
  gradients_.zero_();
  if (rows.empty()) return {};
  module_.seed_dropout(dropout_seed);
  const DeviceSamples::Batch batch =
      samples_.batch(rows, request_.preprocessing, request_.options.augment,
                     {static_cast<std::uint64_t>(request_.seed), epoch});
  at::Tensor logits;
  at::Tensor beliefs;
  {
    const AutocastScope scope(trainable_.device(), use_bf16_);
    if (teacher != nullptr) beliefs = teacher->of(batch.values, batch.rows, batch.mirrored);
    logits = module_.forward(batch.values, Mode::training).to(at::kFloat);
  }
  const at::Tensor loss = loss_sum(logits, labels_.index_select(0, batch.rows), beliefs,
                                   request_.distillation ? &*request_.distillation : nullptr,
                                   request_.options.label_smoothing);
  (loss / batch_size).backward();
  // Both at once: each answer that the host needs makes it wait for all that was asked before.
  const at::Tensor answers =
      at::stack({loss.detach().to(at::kDouble), at::isfinite(gradients_).all().to(at::kDouble)})
          .cpu();
  return {answers[0].item<double>(), answers[1].item<double>() != 0.0};
}

bool DeviceReplica::has_finite_gradients() const {
  return at::isfinite(gradients_).all().item<bool>();
}

}  // namespace biglittle
