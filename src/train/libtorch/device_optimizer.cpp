// SPDX-License-Identifier: MIT
#include "train/libtorch/device_optimizer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "train/libtorch/flat_weights.h"

namespace biglittle {
namespace {

void copy_to(const at::Tensor& there, std::span<const float> values) {
  there.copy_(at::from_blob(const_cast<float*>(values.data()), {std::ssize(values)}, at::kFloat));
}

}  // namespace

DeviceOptimizer::DeviceOptimizer(const TrainOptions& options, std::span<const std::uint8_t> decays,
                                 at::Device device)
    : options_(options) {
  const std::int64_t count = std::ssize(decays);
  decay_ = at::from_blob(const_cast<std::uint8_t*>(decays.data()), {count}, at::kByte)
               .to(at::kFloat)
               .mul_(options.weight_decay)
               .to(device);
  const auto zeros = [&](bool wanted) {
    return at::zeros({wanted ? count : 0}, at::TensorOptions(at::kFloat).device(device));
  };
  first_ = zeros(true);
  second_ = zeros(options.optimizer == OptimizerKind::adamw);
  averaged_ = zeros(options.ema > 0.0);
}

void DeviceOptimizer::send(const Optimizer& host) {
  const Optimizer::State state = host.state();
  copy_to(first_, state.first);
  copy_to(second_, state.second);
  copy_to(averaged_, state.averaged);
  steps_ = host.steps();
}

void DeviceOptimizer::fetch(Optimizer& host) const {
  const at::Tensor first = first_.cpu();
  const at::Tensor second = second_.cpu();
  const at::Tensor averaged = averaged_.cpu();
  host.restore({numbers(first), numbers(second), numbers(averaged)}, steps_);
}

void DeviceOptimizer::update(const at::Tensor& parameters, const at::Tensor& gradients,
                             double learning_rate) {
  const c10::NoGradGuard no_gradients;
  ++steps_;
  if (options_.optimizer == OptimizerKind::sgd) {
    update_sgd(parameters, gradients, learning_rate);
  } else {
    update_adamw(parameters, gradients, learning_rate);
  }
  if (averaged_.numel() == 0) return;
  if (steps_ == 1) {
    averaged_.copy_(parameters);
  } else {
    averaged_.lerp_(parameters, 1.0 - double{average_decay(options_.ema, steps_)});
  }
}

void DeviceOptimizer::update_sgd(const at::Tensor& parameters, const at::Tensor& gradients,
                                 double rate) {
  const at::Tensor g = at::addcmul(gradients, decay_, parameters);
  first_.mul_(options_.momentum).add_(g);
  parameters.sub_(g.add_(first_, options_.momentum), rate);
}

void DeviceOptimizer::update_adamw(const at::Tensor& parameters, const at::Tensor& gradients,
                                   double rate) {
  const auto steps = static_cast<double>(steps_);
  const double correct1 = 1.0 / (1.0 - std::pow(double{kBeta1}, steps));
  const double correct2 = 1.0 / (1.0 - std::pow(double{kBeta2}, steps));
  first_.mul_(kBeta1).add_(gradients, 1.0f - kBeta1);
  second_.mul_(kBeta2).addcmul_(gradients, gradients, 1.0f - kBeta2);
  parameters.addcmul_(decay_, parameters, -rate);
  const at::Tensor deviation = (second_ * correct2).sqrt_().add_(kEpsilon);
  parameters.addcdiv_(first_, deviation, -rate * correct1);
}

}  // namespace biglittle
