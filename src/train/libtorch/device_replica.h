// SPDX-License-Identifier: MIT
#pragma once

// A network being trained on a device: weights, gradients, samples and the optimizer's memory lie
// there from step to step. The trainer's own arrays on the host are copies of them when they are
// needed: at an epoch's end, for a saved state, and to name what is no number.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "train/libtorch/device_optimizer.h"
#include "train/libtorch/device_samples.h"
#include "train/libtorch/graph_module.h"
#include "train/libtorch/objective.h"

namespace biglittle {

class DeviceReplica {
 public:
  /// `request` and `layout` must outlive it.
  DeviceReplica(const FitRequest& request, const FlatLayout& layout, at::Device device,
                bool use_bf16);
  DeviceReplica(const DeviceReplica&) = delete;  // the module refers to its neighbours
  DeviceReplica& operator=(const DeviceReplica&) = delete;

  /// The trainer's arrays of the same contents.
  struct Host {
    const at::Tensor& trainable;
    const at::Tensor& buffers;
    const at::Tensor& gradients;
    Optimizer& optimizer;
  };
  void send(const Host& host);
  void fetch(const Host& host) const;

  struct Step {
    double loss = 0.0;             ///< sum over the rows
    bool finite_gradients = true;  ///< no NaN, no infinity
  };
  /// Gradients of the loss's sum over `rows`, divided by `batch_size`. Waits for the device.
  Step compute_gradients(std::span<const std::int64_t> rows, std::int64_t epoch, double batch_size,
                         std::uint64_t dropout_seed, const TeacherBeliefs* teacher);

  /// [P], to be replaced by their sum over ranks.
  const at::Tensor& gradients() const { return gradients_; }

  /// No NaN, no infinity. Waits for the device.
  bool has_finite_gradients() const;

  void update(double learning_rate) { optimizer_.update(trainable_, gradients_, learning_rate); }

 private:
  const FitRequest& request_;
  bool use_bf16_;
  DeviceSamples samples_;
  at::Tensor labels_;  // int64 [N]
  at::Tensor trainable_;
  at::Tensor gradients_;
  at::Tensor buffers_;
  GraphModule module_;
  DeviceOptimizer optimizer_;
};

}  // namespace biglittle
