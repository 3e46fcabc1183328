// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "calibrate/tests.h"
#include "core/error.h"

namespace biglittle {
namespace {

constexpr double kMostSamples = 1e9;
constexpr double kBoundPrecision = 1e-12;

void require_between(std::string_view what, double value, double high) {
  if (value >= 0.0 && value <= high) return;  // false for NaN
  throw Error(ErrorKind::internal,
              fmt::format("hoeffding-bentkus test: {} is {}, expected 0 to {}", what, value, high));
}

/// h(mean, bound), the Kullback-Leibler divergence of Bernoulli(mean) from Bernoulli(bound), for
/// mean <= bound; infinite where the bound is 1 and the mean is not.
double divergence(double mean, double bound) {
  const double events = mean > 0.0 ? mean * std::log(mean / bound) : 0.0;
  const double others = mean < 1.0 ? (1.0 - mean) * (std::log1p(-mean) - std::log1p(-bound)) : 0.0;
  return std::max(events + others, 0.0);
}

}  // namespace

double hoeffding_bentkus_p_value(double sum, std::int64_t n, double bound) {
  require_between("sum", sum, static_cast<double>(std::max<std::int64_t>(n, 0)));
  require_between("bound", bound, 1.0);
  if (n == 0 || bound == 0.0) return 1.0;
  const auto samples = static_cast<double>(n);
  const double mean = std::min(sum / samples, bound);
  const double hoeffding = std::exp(-samples * divergence(mean, bound));
  const auto events = static_cast<std::int64_t>(std::ceil(sum));
  const double bentkus = std::numbers::e * binomial_p_value(events, n, bound);
  return std::min({hoeffding, bentkus, 1.0});
}

double hoeffding_bentkus_upper(double sum, std::int64_t n, double delta) {
  require_between("delta", delta, 1.0);
  require_between("sum", sum, static_cast<double>(std::max<std::int64_t>(n, 0)));
  if (n == 0 || sum >= static_cast<double>(n)) return 1.0;
  // At or below the mean Hoeffding's p is 1, and Bentkus's e P(Binomial <= mean) is above it.
  double fails = sum / static_cast<double>(n);
  double passes = 1.0;
  while (passes - fails > kBoundPrecision) {
    const double middle = 0.5 * (fails + passes);
    (hoeffding_bentkus_p_value(sum, n, middle) <= delta ? passes : fails) = middle;
  }
  return passes;
}

std::optional<std::int64_t> hoeffding_bentkus_samples_needed(double mean, double bound,
                                                             double delta) {
  require_between("mean", mean, 1.0);
  require_between("bound", bound, 1.0);
  require_between("delta", delta, 1.0);
  if (mean >= bound) return std::nullopt;
  // p is the smaller of two, so the first n of either is the first n of both. Bentkus's asks for a
  // binomial tail of delta / e.
  std::optional<std::int64_t> needed =
      binomial_samples_needed(mean, bound, delta / std::numbers::e);
  // The slack keeps a quotient that stands for an integer from being taken for the next one.
  const double hoeffding = std::ceil(-std::log(delta) / divergence(mean, bound) * (1.0 - 1e-12));
  if (hoeffding <= kMostSamples) {
    const auto n = std::max(static_cast<std::int64_t>(hoeffding), std::int64_t{1});
    needed = std::min(needed.value_or(n), n);
  }
  return needed;
}

}  // namespace biglittle
