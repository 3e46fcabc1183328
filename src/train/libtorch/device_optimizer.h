// SPDX-License-Identifier: MIT
#pragma once

// Optimizer's updates as a few operations of LibTorch over whole flat arrays, for a device.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "train/optimizer.h"

namespace biglittle {

class DeviceOptimizer {
 public:
  /// As Optimizer's.
  DeviceOptimizer(const TrainOptions& options, std::span<const std::uint8_t> decays,
                  at::Device device);

  /// Goes on from `host`.
  void send(const Optimizer& host);

  /// Lets `host` go on from here.
  void fetch(Optimizer& host) const;

  /// One step over `parameters` [P], float32, on the device.
  void update(const at::Tensor& parameters, const at::Tensor& gradients, double learning_rate);

 private:
  void update_sgd(const at::Tensor& parameters, const at::Tensor& gradients, double rate);
  void update_adamw(const at::Tensor& parameters, const at::Tensor& gradients, double rate);

  TrainOptions options_;
  at::Tensor decay_;   // weight decay of each parameter
  at::Tensor first_;   // momentum, or Adam's first moment
  at::Tensor second_;  // Adam's second moment; like averaged_, empty when there is none
  at::Tensor averaged_;
  std::int64_t steps_ = 0;
};

}  // namespace biglittle
