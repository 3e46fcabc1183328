// SPDX-License-Identifier: MIT
#include "train/schedule.h"

#include <cmath>
#include <numbers>

namespace biglittle {

double learning_rate_at(const TrainOptions& options, std::int64_t step, std::int64_t steps) {
  if (options.schedule == ScheduleKind::constant) return options.learning_rate;
  const double rise = options.warmup * static_cast<double>(steps);
  // Steps are counted at their middle, so that neither the first nor the last one is wasted on 0.
  const double at = static_cast<double>(step) + 0.5;
  if (at < rise) return options.learning_rate * at / rise;
  const double share = (at - rise) / (static_cast<double>(steps) - rise);
  if (options.schedule == ScheduleKind::one_cycle) return options.learning_rate * (1.0 - share);
  return options.learning_rate * 0.5 * (1.0 + std::cos(std::numbers::pi * share));
}

std::int64_t epochs_within(double seconds, double seconds_an_epoch) {
  constexpr double kMostEpochs = 100000.0;
  const double usable = seconds * 29.0 / 30.0;
  if (!(usable >= seconds_an_epoch)) return 1;
  if (usable >= kMostEpochs * seconds_an_epoch) return static_cast<std::int64_t>(kMostEpochs);
  return static_cast<std::int64_t>(usable / seconds_an_epoch);
}

}  // namespace biglittle
