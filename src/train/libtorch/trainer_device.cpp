// SPDX-License-Identifier: MIT
// What a trainer does with a replica on a device in place of those on the processor's threads.

#include <ATen/ATen.h>

#include "train/libtorch/trainer.h"

namespace biglittle {

DeviceReplica::Host Trainer::host_copies() {
  const Replica& host = replicas_.front();
  return {trainable_, host.buffers, host.gradients, optimizer_};
}

void Trainer::send_to_device() {
  if (device_) device_->send(host_copies());
}

void Trainer::fetch_from_device() {
  if (device_) device_->fetch(host_copies());
}

void Trainer::add_over_devices() {
  const at::Tensor& gradients = device_->gradients();
  if (ranks_.sums_on_devices()) {
    ranks_.sum(gradients);
  } else {
    const at::Tensor& sum = replicas_.front().gradients;
    sum.copy_(gradients);
    ranks_.sum(sum);
    gradients.copy_(sum);
  }
  device_step_.finite_gradients = device_->has_finite_gradients();
}

bool Trainer::update_on_device(double rate) {
  if (!device_step_.finite_gradients) return false;
  device_->update(rate);
  return true;
}

}  // namespace biglittle
