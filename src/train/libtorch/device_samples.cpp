// SPDX-License-Identifier: MIT
#include "train/libtorch/device_samples.h"

#include <ATen/ATen.h>
#include <ATen/TensorIndexing.h>
#include <c10/util/Exception.h>

namespace biglittle {
namespace {

// What a batch is made of, one row of numbers a fact, one column a sample.
enum Fact : std::int64_t {
  kRow,
  kDown,
  kRight,
  kMirrored,
  kBlankTop,
  kBlankBottom,
  kBlankLeft,
  kBlankRight,
  kFacts
};

/// [N, C, H, W] over the samples' own memory.
at::Tensor as_planes(const Samples& samples) {
  const Shape& shape = samples.shape;
  const auto over = [&](const auto& values, at::ScalarType type) {
    return at::from_blob(const_cast<void*>(static_cast<const void*>(values.data())),
                         {samples.count(), shape.channels, shape.height, shape.width}, type);
  };
  if (samples.type() == SampleType::u8) return over(samples.bytes(), at::kByte);
  return over(samples.floats(), at::kFloat);
}

}  // namespace

DeviceSamples::DeviceSamples(const Samples& samples, at::Device device, Residence residence)
    : samples_(samples), device_(device) {
  if (residence == Residence::host) return;
  raw_ = as_planes(samples).to(device).permute({0, 2, 3, 1}).contiguous();
}

Residence DeviceSamples::choose(const Samples& samples, at::Device device) {
  if (device.is_cpu()) return Residence::device;
  constexpr std::int64_t kRoomForTraining = std::int64_t{2} << 30;
  // Twice, since they are brought into pixel order there.
  const auto bytes = 2 * static_cast<std::int64_t>(as_planes(samples).nbytes());
  try {
    at::empty({bytes + kRoomForTraining}, at::TensorOptions(at::kByte).device(device));
    return Residence::device;
  } catch (const c10::Error&) {
    return Residence::host;
  }
}

// Without waiting where the device can fetch by itself, from memory that the system may not move.
at::Tensor DeviceSamples::send(const at::Tensor& values) const {
  if (device_.is_cpu()) return values;
  return values.pin_memory().to(device_, /*non_blocking=*/true);
}

DeviceSamples::Batch DeviceSamples::batch(std::span<const std::int64_t> rows,
                                          const Preprocessing& preprocessing,
                                          const AugmentOptions& augment, AugmentSeed seed) {
  const std::int64_t n = std::ssize(rows);
  const at::Tensor facts = at::empty({kFacts, n}, at::kLong);
  auto fact = facts.accessor<std::int64_t, 2>();
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t row = rows[static_cast<std::size_t>(i)];
    const SampleChange change = draw_change(augment, samples_.shape, seed, row);
    fact[kRow][i] = row;
    fact[kDown][i] = change.dy;
    fact[kRight][i] = change.shift_x();
    fact[kMirrored][i] = change.mirrored ? 1 : 0;
    fact[kBlankTop][i] = change.blank_top;
    fact[kBlankBottom][i] = change.blank_bottom;
    fact[kBlankLeft][i] = change.blank_left;
    fact[kBlankRight][i] = change.blank_right;
  }
  const at::Tensor there = send(facts);
  Batch batch;
  batch.values = raw_.defined() ? change(there, preprocessing, augment)
                                : fill(rows, preprocessing, augment, seed);
  batch.rows = there[kRow];
  batch.mirrored = there[kMirrored];
  return batch;
}

// Every pixel of the batch looks up where it comes from, at most at the sample's edge.
at::Tensor DeviceSamples::change(const at::Tensor& facts, const Preprocessing& preprocessing,
                                 const AugmentOptions& augment) const {
  const Shape& shape = samples_.shape;
  const auto of_each = [&](Fact fact) { return facts[fact].unsqueeze(1); };  // [n, 1]
  const at::Tensor y = at::arange(shape.height, facts.options()).unsqueeze(0);
  const at::Tensor x = at::arange(shape.width, facts.options()).unsqueeze(0);
  const at::Tensor from_y = (y + of_each(kDown)).clamp(0, shape.height - 1);  // [n, H]
  const at::Tensor to_right = (x + of_each(kRight)).clamp(0, shape.width - 1);
  const at::Tensor from_x =
      at::where(of_each(kMirrored) == 1, shape.width - 1 - to_right, to_right);  // [n, W]
  // [n, H, W, C]
  const at::Tensor values =
      raw_.index({facts[kRow].view({-1, 1, 1}), from_y.unsqueeze(2), from_x.unsqueeze(1)})
          .to(at::kFloat)
          .sub_(preprocessing.offset)
          .mul_(preprocessing.scale);
  if (augment.cutout > 0) {
    const at::Tensor blank_y = (y >= of_each(kBlankTop)) & (y < of_each(kBlankBottom));
    const at::Tensor blank_x = (x >= of_each(kBlankLeft)) & (x < of_each(kBlankRight));
    values.masked_fill_((blank_y.unsqueeze(2) & blank_x.unsqueeze(1)).unsqueeze(3), 0.0);
  }
  return values.permute({0, 3, 1, 2});
}

at::Tensor DeviceSamples::fill(std::span<const std::int64_t> rows,
                               const Preprocessing& preprocessing, const AugmentOptions& augment,
                               AugmentSeed seed) {
  const Shape& shape = samples_.shape;
  const at::Tensor values =
      at::empty({std::ssize(rows), shape.height, shape.width, shape.channels},
                at::TensorOptions(at::kFloat).pinned_memory(!device_.is_cpu()));
  flipped_.resize(rows.size());
  fill_training_batch(samples_, rows, preprocessing, augment, seed,
                      {values.data_ptr<float>(), static_cast<std::size_t>(values.numel())},
                      flipped_);
  return values.to(device_, /*non_blocking=*/true).permute({0, 3, 1, 2});
}

}  // namespace biglittle
