// SPDX-License-Identifier: MIT
#include "calibrate/search.h"

#include <cmath>

#include "calibrate/field_sample.h"
#include "calibrate/tests.h"

namespace biglittle {
namespace {

/// The first step that tune says is worth testing: enough local samples for `selective`, few enough
/// escalations for `budget`.
std::int64_t first_start(const ThresholdPath& path, double n, const CalibrateOptions& options,
                         double level) {
  const double local_needed =
      options.selective > 0.0 ? 1.5 * std::log(level) / std::log1p(-options.selective) : 0.0;
  for (std::int64_t step = 0; step < path.count(); ++step) {
    const double local = n * path.local_share[static_cast<std::size_t>(step)];
    if (local < local_needed) continue;
    if (options.budget > 0.0) {
      const auto escalated = static_cast<std::int64_t>(std::llround(n - local));
      if (binomial_p_value(escalated, std::llround(n), options.budget) > level) continue;
    }
    return step;
  }
  return path.count() - 1;
}

/// With several starts, more than one gains only where scores do not order mistakes; that is when
/// `selective` needs them.
std::int64_t asked_starts(const CalibrateOptions& options) {
  if (options.starts > 0) return options.starts;
  return options.selective > 0.0 ? 10 : 1;
}

}  // namespace

CalibrationSample::CalibrationSample(const Scores& calibration,
                                     const std::vector<double>& field_shares, std::int64_t seed,
                                     const std::vector<std::string>& big_classes)
    : by_class_(calibration) {
  if (field_shares.empty()) return;
  field_ = select(calibration,
                  field_sample(calibration, field_shares, seed, big_classes, "calibration"));
}

std::vector<std::int64_t> starting_steps(const ThresholdPath& path, std::int64_t n,
                                         const CalibrateOptions& options) {
  const auto first_of = [&](std::int64_t starts) {
    return first_start(path, static_cast<double>(n), options, first_level(options.delta, starts));
  };
  std::int64_t count = asked_starts(options);
  while (count > path.count() - first_of(count)) count = path.count() - first_of(count);
  const std::int64_t first = first_of(count);
  std::vector<std::int64_t> starts;
  for (std::int64_t start = 0; start < count; ++start) {
    starts.push_back(first + start * (path.count() - first) / count);
  }
  return starts;
}

double first_level(double delta, std::int64_t starts) {
  return delta * std::max(0.25, 1.0 / static_cast<double>(starts));
}

double reported_level(const Certificate& certificate) {
  return certificate.certified ? certificate.delta
                               : first_level(certificate.delta, std::ssize(certificate.starts));
}

std::int64_t last_accepted_step(const Certificate& certificate, StepTests& tests) {
  const std::int64_t starts = std::ssize(certificate.starts);
  const double first = first_level(certificate.delta, starts);
  std::int64_t accepted = -1;
  double level = 0.0;
  auto start = certificate.starts.begin();
  for (std::int64_t step = *start; step < certificate.path.count(); ++step) {
    if (start != certificate.starts.end() && *start == step) {
      level += start == certificate.starts.begin()
                   ? first
                   : (certificate.delta - first) / static_cast<double>(starts - 1);
      ++start;
    }
    if (level <= 0.0) continue;
    if (tests.p_value(step) <= level) {
      accepted = step;
    } else {
      level = 0.0;
    }
  }
  return accepted;
}

LocalRates measure_rates(std::span<const std::int64_t> thresholds, double delta,
                         const Scores& scores, const PriorityMap& map) {
  std::int64_t local = 0;
  std::int64_t differing = 0;
  std::int64_t priority = 0;
  std::int64_t local_priority = 0;
  for (std::int64_t row = 0; row < scores.count(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    const bool is_local = answers_locally(scores, row, thresholds);
    const auto big = static_cast<std::size_t>(scores.big_class[at]);
    local += is_local;
    differing += is_local && map.little_of_big[big] != scores.little_class[at];
    if (scores.truth.empty()) continue;
    const auto truth = static_cast<std::size_t>(scores.truth[at]);
    const bool is_priority = map.little_of_big[truth] < map.priorities();
    priority += is_priority;
    local_priority += is_local && is_priority;
  }
  return {make_rate(scores.count() - local, scores.count()), make_rate(local_priority, priority),
          local == 0 ? 1.0 : clopper_pearson_upper(differing, local, delta)};
}

}  // namespace biglittle
