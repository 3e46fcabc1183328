// SPDX-License-Identifier: MIT
// How a trainer turns a wall-clock budget into a number of epochs. It is decided once, before the
// first step, and saved with the state: the whole schedule fits, and a resumed run keeps it.

#include <ATen/ATen.h>
#include <fmt/core.h>

#include "train/batch.h"
#include "train/libtorch/seconds.h"
#include "train/libtorch/trainer.h"
#include "train/schedule.h"

namespace biglittle {
namespace {

using Clock = std::chrono::steady_clock;

template <typename Work>
double time(const Work& work) {
  const auto start = Clock::now();
  work();
  return seconds_since(start);
}

}  // namespace

// Clocks differ: what follows from one is decided by the first rank, for all.
std::int64_t Trainer::by_first(std::int64_t value) const {
  const at::Tensor known = at::full({1}, static_cast<double>(value), at::kFloat);
  ranks_.copy_from_first(known);
  return static_cast<std::int64_t>(known.item<float>());
}

// Step `i` of the first epoch, or of its repetition, at a rate of 0: only the time counts.
void Trainer::try_step(std::span<const std::int64_t> order, std::int64_t i) {
  run_step(batch_of(order, i % steps_an_epoch_), 1, 0.0);
}

double Trainer::time_a_step() {
  // The first steps pay for memory and for the kernels that LibTorch chooses.
  constexpr std::int64_t kWarmUp = 3;
  constexpr std::int64_t kFewest = 5;
  constexpr std::int64_t kMost = 100;
  const double enough = request_.options.budget_minutes * 60.0 / 50.0;
  const std::vector<std::int64_t> order =
      epoch_order(request_.train->count(), static_cast<std::uint64_t>(request_.seed), 1);
  for (std::int64_t i = 0; i < kWarmUp; ++i) try_step(order, i);
  const auto start = Clock::now();
  std::int64_t done = 0;
  while (stop_code() == 0 &&
         by_first(done < kMost && (done < kFewest || seconds_since(start) < enough)) != 0) {
    try_step(order, kWarmUp + done++);
  }
  return done == 0 ? 0.0 : seconds_since(start) / static_cast<double>(done);
}

void Trainer::choose_epochs() {
  const TensorMap start = tensors();
  const double step = time_a_step();
  fetch_from_device();
  const double tune = time([&] {
    const at::Tensor parameters = current_parameters();
    measure_tune(parameters, layout_.store(parameters, replicas_.front().buffers));
  });
  step_ = 0;
  restore_tensors(start, ranks_.size() * pool_.size());
  stop_if_asked(0.0);
  // A checkpoint is not larger than the state.
  const double saves = 2.0 * time([&] { keep_state(0.0); });
  const double epoch = step * static_cast<double>(steps_an_epoch_) + tune + saves;
  const double left = request_.options.budget_minutes * 60.0 - seconds_since(started_);
  epochs_ = by_first(epochs_within(left, epoch));
  observer_.note(fmt::format(
      "budget of {:g} minutes: {} epochs of {:.3g} s ({} steps of {:.3g} ms, tune {:.3g} s, saves "
      "{:.3g} s)",
      request_.options.budget_minutes, epochs_, epoch, steps_an_epoch_, 1e3 * step, tune, saves));
}

}  // namespace biglittle
