// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "calibrate/evaluate.h"
#include "core/error.h"

namespace biglittle {
namespace {

constexpr double kZ = 1.959963984540054;  // 97.5 % quantile of the normal distribution

/// How often both, one or none of two answers to the same samples were right.
struct PairedCounts {
  double both = 0.0;
  double first_only = 0.0;
  double second_only = 0.0;
  double none = 0.0;

  double n() const { return both + first_only + second_only + none; }
};

struct Interval {
  double low;
  double high;
};

/// Wilson's (1927) score interval of `right` of `n`.
Interval wilson(double right, double n) {
  const double rate = right / n;
  const double scale = 1.0 + kZ * kZ / n;
  const double centre = (rate + kZ * kZ / (2.0 * n)) / scale;
  const double half = kZ * std::sqrt(rate * (1.0 - rate) / n + kZ * kZ / (4.0 * n * n)) / scale;
  return {centre - half, centre + half};
}

/// Correlation of the two answers, with Newcombe's continuity correction where it is positive.
double correlation(const PairedCounts& counts) {
  const double product = (counts.both + counts.first_only) * (counts.second_only + counts.none) *
                         (counts.both + counts.second_only) * (counts.first_only + counts.none);
  if (product == 0.0) return 0.0;
  const double excess = counts.both * counts.none - counts.first_only * counts.second_only;
  const double corrected = excess > 0.0 ? std::max(excess - counts.n() / 2.0, 0.0) : excess;
  return corrected / std::sqrt(product);
}

PairedCounts count(const std::vector<bool>& first, const std::vector<bool>& second) {
  PairedCounts counts;
  for (std::size_t i = 0; i < first.size(); ++i) {
    double& cell = first[i] ? (second[i] ? counts.both : counts.first_only)
                            : (second[i] ? counts.second_only : counts.none);
    cell += 1.0;
  }
  return counts;
}

}  // namespace

PairedDifference paired_difference(const std::vector<bool>& first,
                                   const std::vector<bool>& second) {
  if (first.size() != second.size() || first.empty()) {
    throw Error(ErrorKind::internal,
                fmt::format("paired difference: {} and {} answers, expected equally many and at "
                            "least one",
                            first.size(), second.size()));
  }
  const PairedCounts counts = count(first, second);
  const double n = counts.n();
  const double p1 = (counts.both + counts.first_only) / n;
  const double p2 = (counts.both + counts.second_only) / n;
  const Interval one = wilson(counts.both + counts.first_only, n);
  const Interval two = wilson(counts.both + counts.second_only, n);
  const double phi = correlation(counts);
  const auto distance = [&](double a, double b) {
    return std::sqrt(std::max(a * a - 2.0 * phi * a * b + b * b, 0.0));
  };
  const double difference = (counts.first_only - counts.second_only) / n;
  return {difference, difference - distance(p1 - one.low, two.high - p2),
          difference + distance(p2 - two.low, one.high - p1)};
}

}  // namespace biglittle
