// SPDX-License-Identifier: MIT
// What a trainer keeps for a later run, and how a later run goes on from it.

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "train/libtorch/trainer.h"

namespace biglittle {

void Trainer::require_same_computing(const FitState& state) const {
  if (request_.allow_changes) return;
  const std::string precision = use_bf16_ ? "bf16" : "fp32";
  if (state.ranks != ranks_.size()) {
    throw Error(ErrorKind::config,
                fmt::format("the interrupted training ran in {} process(es), this one in {}: start "
                            "as many, or allow changes",
                            state.ranks, ranks_.size()));
  }
  if (state.device != name_of(place_)) {
    throw Error(ErrorKind::config,
                fmt::format("the interrupted training ran on {0}, this one on {1}: set "
                            "compute.device = \"{0}\", or allow changes",
                            state.device, name_of(place_)));
  }
  if (state.threads == pool_.size() && state.precision == precision) return;
  throw Error(ErrorKind::config,
              fmt::format("the interrupted training used {} thread(s) and {}, this one {} and {}: "
                          "set compute.threads and compute.precision alike, or allow changes",
                          state.threads, state.precision, pool_.size(), precision));
}

void Trainer::restore(const FitState& state) {
  require_same_computing(state);
  step_ = state.step;
  rollbacks_ = state.rollbacks;
  best_.weights = state.best;
  best_.scales = state.best_scales;
  best_.history = state.history;
  best_.tune_accuracy = state.best_accuracy;
  best_loss_ = state.best_loss;
  best_epoch_ = state.best_epoch;
  const std::int64_t replicas = state.ranks * state.threads;
  if (replicas == ranks_.size() * pool_.size()) last_good_ = state.last_good;
  if (request_.options.budget_minutes > 0.0) epochs_ = state.epochs;
  restore_tensors(state.tensors, replicas);
  // After a change of batch size the epoch that was interrupted begins again.
  const std::int64_t begin = epochs_done() * steps_an_epoch_;
  const bool is_inside = step_ >= begin && step_ <= begin + steps_an_epoch_;
  if (state.steps_an_epoch != steps_an_epoch_ || !is_inside) step_ = begin;
}

void Trainer::restore_tensors(const TensorMap& tensors, std::int64_t replicas) {
  const c10::NoGradGuard no_gradients;
  const auto saved = [&](const std::string& name, std::int64_t count) {
    const auto found = tensors.find(name);
    const std::int64_t there = found == tensors.end() ? 0 : found->second.count();
    if (there != count) {
      throw Error(
          ErrorKind::bad_data,
          fmt::format(
              "the saved state has {} numbers of '{}', this network {}: what was changed cannot "
              "be gone on with, begin again without --resume",
              there, name, count));
    }
    return count == 0 ? std::span<const float>() : found->second.values<float>();
  };
  const std::int64_t running = layout_.buffer_count();
  std::ranges::copy(saved("trainable", trainable_.numel()), numbers(trainable_).begin());
  const std::span<const float> buffers = saved("buffers", replicas * running);
  for (std::int64_t i = 0; i < pool_.size(); ++i) {
    const std::int64_t place = ranks_.rank() * pool_.size() + i;
    const std::int64_t from = std::min(place, replicas - 1) * running;
    std::ranges::copy(
        buffers.subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(running)),
        numbers(replicas_[static_cast<std::size_t>(i)].buffers).begin());
  }
  const Optimizer::State sizes = optimizer_.state();
  optimizer_.restore(
      {saved("first", std::ssize(sizes.first)), saved("second", std::ssize(sizes.second)),
       saved("averaged", std::ssize(sizes.averaged))},
      step_);
  send_to_device();
}

void Trainer::keep_state(double epoch_loss) const {
  // Ranks gather the state together, though only one keeps it.
  if (!request_.on_state && ranks_.size() == 1) return;
  const FitState now = state(epoch_loss);
  if (request_.on_state) request_.on_state(now);
}

TensorMap Trainer::tensors() const {
  TensorMap tensors;
  const auto keep = [&](const std::string& name, std::span<const float> values) {
    if (!values.empty()) {
      tensors.emplace(name, Tensor::of<float>({std::ssize(values)}, values));
    }
  };
  keep("trainable", numbers(trainable_));
  std::vector<float> buffers;
  for (const Replica& replica : replicas_) {
    const std::span<const float> values = numbers(replica.buffers);
    buffers.insert(buffers.end(), values.begin(), values.end());
  }
  keep("buffers", ranks_.gather(buffers));
  keep("first", optimizer_.state().first);
  keep("second", optimizer_.state().second);
  keep("averaged", optimizer_.state().averaged);
  return tensors;
}

FitState Trainer::state(double epoch_loss) const {
  FitState state;
  state.step = step_;
  state.steps_an_epoch = steps_an_epoch_;
  state.epoch_loss = epoch_loss;
  state.ranks = ranks_.size();
  state.threads = pool_.size();
  state.epochs = epochs_;
  state.rollbacks = rollbacks_;
  state.device = name_of(place_);
  state.precision = use_bf16_ ? "bf16" : "fp32";
  state.tensors = tensors();
  if (step_ > epochs_done() * steps_an_epoch_) state.last_good = last_good_;
  state.best = best_.weights;
  state.best_scales = best_.scales;
  state.best_epoch = best_epoch_;
  state.best_accuracy = best_.tune_accuracy;
  state.best_loss = best_loss_;
  state.history = best_.history;
  return state;
}

}  // namespace biglittle
