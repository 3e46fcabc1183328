// SPDX-License-Identifier: MIT
// What a trainer does when its numbers are no numbers any more.

#include <ATen/ATen.h>
#include <fmt/core.h>

#include <cmath>

#include "train/finite.h"
#include "train/libtorch/trainer.h"

namespace biglittle {
namespace {

std::string describe_not_finite(std::string_view what, std::string_view name,
                                std::span<const float> values) {
  bool has_nan = false;
  for (const float value : values) has_nan = has_nan || std::isnan(value);
  return fmt::format("{} {} is {}", what, name, has_nan ? "nan" : "inf");
}

/// The first slot of `flat` (the trainable or the buffer array) with such a number, or "".
std::string search(const FlatLayout& layout, const at::Tensor& flat, bool trainable,
                   std::string_view what) {
  const std::span<const float> all = numbers(flat);
  for (const FlatLayout::Slot& slot : layout.slots()) {
    if (slot.spec.trainable != trainable) continue;
    const auto values = all.subspan(static_cast<std::size_t>(slot.offset),
                                    static_cast<std::size_t>(FlatLayout::view(flat, slot).numel()));
    if (!all_finite(values)) return describe_not_finite(what, slot.spec.name, values);
  }
  // Learned scales follow the weights.
  const std::int64_t named = trainable ? layout.trainable_count() : layout.buffer_count();
  const auto rest = all.subspan(static_cast<std::size_t>(named));
  return all_finite(rest) ? "" : describe_not_finite(what, "learned scale", rest);
}

}  // namespace

std::string Trainer::first_not_finite() {
  fetch_from_device();
  std::string found = search(layout_, trainable_, true, "weight");
  for (const Replica& replica : replicas_) {
    if (found.empty()) found = search(layout_, replica.buffers, false, "running statistic");
  }
  for (const Replica& replica : replicas_) {
    if (found.empty()) found = search(layout_, replica.gradients, true, "gradient of");
  }
  return found.empty() ? "though weights and gradients are finite" : found;
}

void Trainer::fail(const std::string& what) const {
  const double rate = epochs_ == 0 ? 0.0 : learning_rate(step_ - 1);  // a budget is measured at 0
  const bool stops = request_.options.on_divergence == OnDivergence::stop;
  throw Diverged(fmt::format(
      "{} at step {} (epoch {}, learning rate {:.4g}): lower learning_rate{}{}", what, step_,
      epochs_done() + 1, rate,
      stops ? ", lengthen warmup or set on_divergence = \"rollback\"" : " or lengthen warmup",
      best_epoch_ > 0 ? "; the best checkpoint so far is kept" : ""));
}

void Trainer::keep_good_state() {
  if (request_.options.on_divergence == OnDivergence::rollback) last_good_ = tensors();
}

void Trainer::roll_back(const Diverged& diverged) {
  if (request_.options.on_divergence == OnDivergence::stop) throw diverged;
  if (rollbacks_ == kMostRollbacks) {
    throw Diverged(
        fmt::format("after {} returns at lower and lower rates, {}", rollbacks_, diverged.what()));
  }
  ++rollbacks_;
  const std::string what = diverged.what();
  step_ = epochs_done() * steps_an_epoch_;
  restore_tensors(last_good_, ranks_.size() * pool_.size());
  observer_.note(
      fmt::format("{}: back to the end of epoch {}, learning rate times {:.4g} from now on",
                  what.substr(0, what.find(':')), epochs_done(),
                  std::pow(kRollbackFactor, static_cast<double>(rollbacks_))));
}

}  // namespace biglittle
