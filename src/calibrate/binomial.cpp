// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>
#include <exception>

#include "calibrate/tests.h"
#include "core/error.h"

namespace biglittle {
namespace {

constexpr std::int64_t kMostSamples = 1'000'000'000;

void require_counts(std::int64_t events, std::int64_t n) {
  if (events >= 0 && events <= n) return;
  throw Error(ErrorKind::internal,
              fmt::format("binomial test: {} events of {}, expected 0 to n", events, n));
}

void require_rate(std::string_view what, double rate) {
  if (rate >= 0.0 && rate <= 1.0) return;  // false for NaN
  throw Error(ErrorKind::internal,
              fmt::format("binomial test: {} is {}, expected 0 to 1", what, rate));
}

/// Boost's domain, overflow and convergence errors as ours.
template <typename Compute>
double guarded(Compute&& compute) {
  try {
    return compute();
  } catch (const std::exception& exception) {
    throw Error(ErrorKind::internal, fmt::format("binomial test: {}", exception.what()));
  }
}

/// Smallest n at which `events` events pass, up to `limit`; empty when even `limit` does not do.
std::optional<std::int64_t> smallest_passing_n(std::int64_t events, double bound, double delta,
                                               std::int64_t limit) {
  if (limit < events || binomial_p_value(events, limit, bound) > delta) return std::nullopt;
  std::int64_t fails = events;  // p = 1 there
  std::int64_t passes = limit;
  while (passes - fails > 1) {
    const std::int64_t middle = fails + (passes - fails) / 2;
    (binomial_p_value(events, middle, bound) <= delta ? passes : fails) = middle;
  }
  return passes;
}

}  // namespace

double binomial_p_value(std::int64_t events, std::int64_t n, double rate) {
  require_counts(events, n);
  require_rate("rate", rate);
  if (events == n || rate == 0.0) return 1.0;
  if (rate == 1.0) return 0.0;
  // P(Binomial(n, rate) <= k) is the upper tail of the beta distribution with k + 1 and n - k.
  return guarded([&] {
    return boost::math::ibetac(static_cast<double>(events + 1), static_cast<double>(n - events),
                               rate);
  });
}

double clopper_pearson_upper(std::int64_t events, std::int64_t n, double delta) {
  require_counts(events, n);
  require_rate("delta", delta);
  if (events == n) return 1.0;
  return guarded([&] {
    return boost::math::ibetac_inv(static_cast<double>(events + 1), static_cast<double>(n - events),
                                   delta);
  });
}

double clopper_pearson_lower(std::int64_t events, std::int64_t n, double delta) {
  require_counts(events, n);
  require_rate("delta", delta);
  if (events == 0) return 0.0;
  return guarded([&] {
    return boost::math::ibeta_inv(static_cast<double>(events), static_cast<double>(n - events + 1),
                                  delta);
  });
}

std::optional<std::int64_t> binomial_samples_needed(double rate, double bound, double delta) {
  require_rate("rate", rate);
  require_rate("bound", bound);
  if (rate >= bound) return std::nullopt;
  // k events cover every n up to k / rate. The n that k events need grows slower than k / rate, so
  // "some n covered by k passes" stays true from the first such k on.
  const auto with_events = [&](std::int64_t events) {
    // The slack keeps k / rate from falling just below an integer it stands for.
    const double covered =
        rate == 0.0 ? kMostSamples : std::floor(static_cast<double>(events) / rate * (1 + 1e-12));
    return smallest_passing_n(
        events, bound, delta,
        static_cast<std::int64_t>(std::min(covered, static_cast<double>(kMostSamples))));
  };
  if (auto n = with_events(0)) return n;
  const auto most = static_cast<std::int64_t>(rate * static_cast<double>(kMostSamples));
  std::int64_t passes = 1;
  while (!with_events(passes)) {
    if (passes >= most) return std::nullopt;
    passes = std::min(2 * passes, most);
  }
  std::int64_t fails = passes / 2;
  while (passes - fails > 1) {
    const std::int64_t middle = fails + (passes - fails) / 2;
    (with_events(middle) ? passes : fails) = middle;
  }
  return with_events(passes);
}

}  // namespace biglittle
