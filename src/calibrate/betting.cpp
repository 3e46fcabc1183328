// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include "calibrate/tests.h"

namespace biglittle {
namespace {

constexpr std::int64_t kMostSamples = 1'000'000'000;
constexpr double kBoundPrecision = 1e-7;
/// Wealth beyond these is settled: the bettor stops, which is allowed at any time.
constexpr double kRich = 1e300;
constexpr double kBroke = 1e-280;

/// Kullback-Leibler divergence of Bernoulli(rate) from Bernoulli(bound): what the best constant
/// stake earns a sample, as a logarithm, when events come at `rate` and nothing else differs from
/// 0.
double divergence(double rate, double bound) {
  const double events = rate > 0.0 ? rate * std::log(rate / bound) : 0.0;
  return events + (1.0 - rate) * std::log((1.0 - rate) / (1.0 - bound));
}

/// The largest stake, as a share of 1 / (1 - bound): best for the highest event rate at which n
/// samples still earn `goal`. Where even no event would not earn it, only offsets can: half, as
/// Waudby-Smith & Ramdas truncate.
double largest_share(double n, double bound, double goal) {
  if (bound <= 0.0 || n * divergence(0.0, bound) < goal * (1.0 - 1e-12)) return 0.5;
  double earns = 0.0;
  double fails = bound;
  for (int step = 0; step < 50; ++step) {
    const double rate = 0.5 * (earns + fails);
    (n * divergence(rate, bound) >= goal ? earns : fails) = rate;
  }
  // d/dstake of rate ln(1 + stake (bound - 1)) + (1 - rate) ln(1 + stake bound) is 0 there.
  return 1.0 - earns / bound;
}

/// Mean and variance of D so far, begun with 1/spread imagined samples of which one was an event,
/// so that the first stakes are those for a risk near the bound.
class Moments {
 public:
  explicit Moments(double spread) : count_(1.0 / spread) {}

  double variance() const {
    const double mean = sum_ / count_;
    return std::max(squares_ / count_ - mean * mean, 1e-12);
  }

  void add(std::int8_t difference) {
    count_ += 1.0;
    sum_ += difference;
    squares_ += difference * difference;
  }

 private:
  double count_;
  double sum_ = 0.0;
  double squares_ = 1.0;
};

double log_reciprocal(double level) { return -std::log(level); }

}  // namespace

double betting_p_value(std::span<const std::int8_t> differences, double bound, double level) {
  if (bound <= -1.0 || differences.empty()) return 1.0;
  if (bound >= 1.0) return 0.0;
  const auto n = static_cast<double>(differences.size());
  const double goal = log_reciprocal(level);
  const double largest_stake = largest_share(n, bound, goal) / (1.0 - bound);
  Moments past(std::max(bound, 1.0 / n));
  double wealth = 1.0;
  double largest_wealth = 1.0;
  for (const std::int8_t difference : differences) {
    const double stake = std::min(std::sqrt(2.0 * goal / (n * past.variance())), largest_stake);
    wealth *= 1.0 + stake * (bound - difference);
    largest_wealth = std::max(largest_wealth, wealth);
    if (wealth > kRich || wealth < kBroke) break;
    past.add(difference);
  }
  return 1.0 / largest_wealth;
}

double betting_upper_bound(std::span<const std::int8_t> differences, double asked, double delta) {
  const auto passes = [&](double bound) {
    return betting_p_value(differences, bound, delta) <= delta;
  };
  const bool asked_passes = passes(asked);
  double low = asked_passes ? -1.0 : asked;
  double high = asked_passes ? asked : 1.0;
  while (high - low > kBoundPrecision) {
    const double middle = 0.5 * (low + high);
    (passes(middle) ? high : low) = middle;
  }
  return high;
}

std::optional<std::int64_t> betting_samples_needed(double event_rate, double offset_rate,
                                                   double bound, double delta) {
  const double mean = event_rate - offset_rate;
  if (mean >= bound) return std::nullopt;
  const double goal = log_reciprocal(delta);
  const double variance = std::max(event_rate + offset_rate - mean * mean, 1e-12);
  const auto passes = [&](std::int64_t samples) {
    const auto n = static_cast<double>(samples);
    const double stake = std::min(std::sqrt(2.0 * goal / (n * variance)),
                                  largest_share(n, bound, goal) / (1.0 - bound));
    double log_wealth = (1.0 - event_rate - offset_rate) * n * std::log1p(stake * bound);
    if (event_rate > 0.0) log_wealth += event_rate * n * std::log1p(stake * (bound - 1.0));
    if (offset_rate > 0.0) log_wealth += offset_rate * n * std::log1p(stake * (bound + 1.0));
    return log_wealth >= goal * (1.0 - 1e-12);
  };
  std::int64_t enough = 1;
  while (!passes(enough)) {
    if (enough >= kMostSamples) return std::nullopt;
    enough = std::min(2 * enough, kMostSamples);
  }
  std::int64_t too_few = enough / 2;
  while (enough - too_few > 1) {
    const std::int64_t middle = too_few + (enough - too_few) / 2;
    (passes(middle) ? enough : too_few) = middle;
  }
  return enough;
}

}  // namespace biglittle
