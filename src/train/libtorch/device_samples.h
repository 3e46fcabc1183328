// SPDX-License-Identifier: MIT
#pragma once

// Training batches for a device. Where its memory has room for the raw samples they lie there, and
// a batch is cropped, mirrored, blanked and normalized there too; otherwise batches are made by the
// processor and sent one by one.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "train/batch.h"

namespace biglittle {

/// Where the raw samples lie.
enum class Residence { device, host };

class DeviceSamples {
 public:
  /// `samples` must outlive it.
  DeviceSamples(const Samples& samples, at::Device device, Residence residence);

  /// On the device when it has room for the samples and for training.
  static Residence choose(const Samples& samples, at::Device device);

  struct Batch {
    at::Tensor values;    ///< float32 [n, C, H, W], channels-last: what fill_training_batch writes
    at::Tensor rows;      ///< int64 [n]
    at::Tensor mirrored;  ///< int64 [n], 1 for samples that were mirrored
  };

  /// Rows of the samples, changed at random as fill_training_batch does, all on the device.
  Batch batch(std::span<const std::int64_t> rows, const Preprocessing& preprocessing,
              const AugmentOptions& augment, AugmentSeed seed);

 private:
  at::Tensor send(const at::Tensor& values) const;
  at::Tensor change(const at::Tensor& facts, const Preprocessing& preprocessing,
                    const AugmentOptions& augment) const;
  at::Tensor fill(std::span<const std::int64_t> rows, const Preprocessing& preprocessing,
                  const AugmentOptions& augment, AugmentSeed seed);

  const Samples& samples_;
  at::Device device_;
  at::Tensor raw_;  // [N, H, W, C] as they are, when they lie on the device
  std::vector<std::uint8_t> flipped_;
};

}  // namespace biglittle
