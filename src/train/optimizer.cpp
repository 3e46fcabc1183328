// SPDX-License-Identifier: MIT
#include "train/optimizer.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"

namespace biglittle {

float average_decay(double ema, std::int64_t step) {
  const auto t = static_cast<double>(step);
  return static_cast<float>(std::min(ema, (1.0 + t) / (10.0 + t)));
}

Optimizer::Optimizer(const TrainOptions& options, std::vector<std::uint8_t> decays)
    : options_(options), decays_(std::move(decays)), first_(decays_.size(), 0.0f) {
  if (options_.optimizer == OptimizerKind::adamw) second_.assign(decays_.size(), 0.0f);
  if (options_.ema > 0.0) averaged_.assign(decays_.size(), 0.0f);
}

void Optimizer::restore(const State& state, std::int64_t steps) {
  const auto take = [](std::span<const float> from, std::vector<float>& to) {
    if (from.size() != to.size()) {
      throw Error(ErrorKind::bad_data,
                  fmt::format("the saved state has {} of the optimizer's numbers, expected {}",
                              from.size(), to.size()));
    }
    std::ranges::copy(from, to.begin());
  };
  take(state.first, first_);
  take(state.second, second_);
  take(state.averaged, averaged_);
  steps_ = steps;
}

void Optimizer::begin_step(double learning_rate) {
  ++steps_;
  rate_ = static_cast<float>(learning_rate);
}

void Optimizer::update(std::span<float> parameters, std::span<const float> gradients,
                       std::size_t begin, std::size_t end) {
  if (options_.optimizer == OptimizerKind::sgd) {
    update_sgd(parameters, gradients, begin, end);
  } else {
    update_adamw(parameters, gradients, begin, end);
  }
  if (averaged_.empty()) return;
  const float keep = average_decay(options_.ema, steps_);
  for (std::size_t i = begin; i < end; ++i) {
    averaged_[i] =
        steps_ == 1 ? parameters[i] : keep * averaged_[i] + (1.0f - keep) * parameters[i];
  }
}

void Optimizer::update_sgd(std::span<float> parameters, std::span<const float> gradients,
                           std::size_t begin, std::size_t end) {
  const auto momentum = static_cast<float>(options_.momentum);
  const auto decay = static_cast<float>(options_.weight_decay);
  for (std::size_t i = begin; i < end; ++i) {
    const float g = gradients[i] + decay * static_cast<float>(decays_[i]) * parameters[i];
    first_[i] = momentum * first_[i] + g;
    parameters[i] -= rate_ * (g + momentum * first_[i]);
  }
}

void Optimizer::update_adamw(std::span<float> parameters, std::span<const float> gradients,
                             std::size_t begin, std::size_t end) {
  const auto steps = static_cast<double>(steps_);
  const auto correct1 = static_cast<float>(1.0 / (1.0 - std::pow(double{kBeta1}, steps)));
  const auto correct2 = static_cast<float>(1.0 / (1.0 - std::pow(double{kBeta2}, steps)));
  const auto decay = rate_ * static_cast<float>(options_.weight_decay);
  for (std::size_t i = begin; i < end; ++i) {
    const float g = gradients[i];
    first_[i] = kBeta1 * first_[i] + (1.0f - kBeta1) * g;
    second_[i] = kBeta2 * second_[i] + (1.0f - kBeta2) * g * g;
    parameters[i] -= decay * static_cast<float>(decays_[i]) * parameters[i];
    parameters[i] -= rate_ * first_[i] * correct1 / (std::sqrt(second_[i] * correct2) + kEpsilon);
  }
}

}  // namespace biglittle
