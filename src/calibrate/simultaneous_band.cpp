// SPDX-License-Identifier: MIT
#include "calibrate/simultaneous_band.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

#include "core/error.h"
#include "core/random.h"

namespace biglittle {
namespace {

std::size_t as_size(std::int64_t value) { return static_cast<std::size_t>(value); }

/// How much one sample adds to the number of right answers at step -1, and at its own step.
struct Effect {
  std::size_t step;
  std::int64_t base;
  std::int64_t change;
};

std::vector<Effect> effects_of(std::span<const SampleAlongPath> samples, std::int64_t steps) {
  std::vector<Effect> effects;
  effects.reserve(samples.size());
  for (const SampleAlongPath& sample : samples) {
    const bool ever_local = sample.first_local_step < steps;
    effects.push_back({ever_local ? as_size(sample.first_local_step) : 0, sample.before ? 1 : 0,
                       ever_local ? int{sample.after} - int{sample.before} : 0});
  }
  return effects;
}

/// Right answers at step -1 and at every step, from the changes at each step.
std::vector<std::int64_t> running_total(std::int64_t base,
                                        const std::vector<std::int64_t>& changes) {
  std::vector<std::int64_t> totals{base};
  for (const std::int64_t change : changes) totals.push_back(totals.back() + change);
  return totals;
}

std::vector<std::int64_t> count_right(const std::vector<Effect>& effects, std::int64_t steps) {
  std::vector<std::int64_t> changes(as_size(steps), 0);
  std::int64_t base = 0;
  for (const Effect& effect : effects) {
    base += effect.base;
    if (effect.change != 0) changes[effect.step] += effect.change;
  }
  return running_total(base, changes);
}

/// The same of as many samples drawn with replacement.
std::vector<std::int64_t> resample_right(const std::vector<Effect>& effects, std::int64_t steps,
                                         Random& random) {
  std::vector<std::int64_t> changes(as_size(steps), 0);
  std::int64_t base = 0;
  for (std::size_t draw = 0; draw < effects.size(); ++draw) {
    const Effect& effect = effects[random.below(effects.size())];
    base += effect.base;
    if (effect.change != 0) changes[effect.step] += effect.change;
  }
  return running_total(base, changes);
}

double standard_error(std::int64_t right, double n) {
  const double rate = static_cast<double>(right) / n;
  return std::sqrt(rate * (1.0 - rate) / n);
}

/// The largest distance of the draw from the curve, in standard errors of the curve. Where all or
/// no answers are right every draw agrees, so such a step has no say.
double largest_distance(const std::vector<std::int64_t>& drawn,
                        const std::vector<std::int64_t>& right, double n) {
  double largest = 0.0;
  for (std::size_t step = 0; step < right.size(); ++step) {
    const double error = standard_error(right[step], n);
    if (error == 0.0) continue;
    const auto off = static_cast<double>(std::abs(drawn[step] - right[step])) / n;
    largest = std::max(largest, off / error);
  }
  return largest;
}

/// The smallest of `values` with at least `level` of them at or below it.
double quantile(std::vector<double> values, double level) {
  const auto rank =
      static_cast<std::ptrdiff_t>(std::ceil(level * static_cast<double>(values.size()) - 1e-9));
  const auto at = values.begin() + std::max<std::ptrdiff_t>(rank - 1, 0);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace

Band simultaneous_band(std::span<const SampleAlongPath> samples, std::int64_t steps,
                       const BandOptions& options) {
  if (samples.empty()) throw Error(ErrorKind::internal, "simultaneous band: no samples");
  const std::vector<Effect> effects = effects_of(samples, steps);
  const std::vector<std::int64_t> right = count_right(effects, steps);
  const auto n = static_cast<double>(samples.size());

  std::vector<double> distances;
  for (std::int64_t draw = 0; draw < options.resamples; ++draw) {
    Random random(options.seed, static_cast<std::uint64_t>(draw));
    distances.push_back(largest_distance(resample_right(effects, steps, random), right, n));
  }
  Band band;
  band.critical = boost::math::quantile(boost::math::normal(), 1.0 - (1.0 - options.level) / 2.0);
  if (!distances.empty()) {
    band.critical = std::max(band.critical, quantile(std::move(distances), options.level));
  }
  const double squared = band.critical * band.critical;
  for (const std::int64_t count : right) {
    const double rate = static_cast<double>(count) / n;
    const double scale = 1.0 + squared / n;
    const double centre = (rate + squared / (2.0 * n)) / scale;
    const double half =
        std::sqrt(squared * rate * (1.0 - rate) / n + squared * squared / (4.0 * n * n)) / scale;
    band.low.push_back(std::clamp(centre - half, 0.0, rate));
    band.high.push_back(std::clamp(centre + half, rate, 1.0));
  }
  return band;
}

}  // namespace biglittle
