// SPDX-License-Identifier: MIT
// What a trainer does with a replica on a device in place of those on the processor's threads.

#include <ATen/ATen.h>

#include "train/finite.h"
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

bool Trainer::update_on_device(double rate) {
  if (ranks_.size() > 1) {
    const at::Tensor& sum = replicas_.front().gradients;
    device_step_.finite_gradients = all_finite(numbers(sum));
    device_->gradients().copy_(sum);
  }
  if (!device_step_.finite_gradients) return false;
  device_->update(rate);
  return true;
}

}  // namespace biglittle
