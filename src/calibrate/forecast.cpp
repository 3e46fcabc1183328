// SPDX-License-Identifier: MIT
#include "calibrate/forecast.h"

#include <algorithm>
#include <cmath>

namespace biglittle {
namespace {

constexpr double kInputs = 1000.0;

std::size_t as_size(std::int64_t value) { return static_cast<std::size_t>(value); }

/// How often each fate befell a class's samples.
struct ClassCounts {
  std::array<std::int64_t, 3> fate{};
  std::int64_t n = 0;
};

std::vector<ClassCounts> count_fates(const Scores& scores, std::span<const Fate> fates,
                                     std::size_t classes) {
  std::vector<ClassCounts> counts(classes);
  for (std::size_t row = 0; row < fates.size(); ++row) {
    ClassCounts& of_class = counts[as_size(scores.truth[row])];
    ++of_class.fate[static_cast<std::size_t>(fates[row])];
    ++of_class.n;
  }
  return counts;
}

Expected expect(const ClassCounts& counts, Fate fate, double inputs) {
  if (counts.n == 0) return {fate == Fate::escalated ? inputs : 0.0, 0.0, inputs};
  const Rate rate = make_rate(counts.fate[static_cast<std::size_t>(fate)], counts.n);
  return {inputs * rate.value, inputs * rate.low, inputs * rate.high};
}

Expected add_up(const std::vector<ForecastRow>& rows, std::size_t fate) {
  Expected total;
  double below = 0.0;
  double above = 0.0;
  for (const ForecastRow& row : rows) {
    const Expected& part = row.fate[fate];
    total.value += part.value;
    below += (part.value - part.low) * (part.value - part.low);
    above += (part.high - part.value) * (part.high - part.value);
  }
  total.low = std::max(total.value - std::sqrt(below), 0.0);
  total.high = std::min(total.value + std::sqrt(above), kInputs);
  return total;
}

}  // namespace

std::vector<Fate> fates_of(const Scores& scores, const EscalationPolicy& policy,
                           const PriorityMap& map) {
  std::vector<Fate> fates;
  for (std::int64_t row = 0; row < scores.count(); ++row) {
    if (!answers_locally(scores, row, policy.thresholds)) {
      fates.push_back(Fate::escalated);
      continue;
    }
    const bool priority = scores.little_class[as_size(row)] < map.priorities();
    fates.push_back(priority ? Fate::answered : Fate::dropped);
  }
  return fates;
}

Forecast forecast(const Scores& scores, std::span<const Fate> fates, std::span<const double> shares,
                  const std::vector<std::string>& big_classes) {
  const std::vector<ClassCounts> counts = count_fates(scores, fates, big_classes.size());
  Forecast result;
  for (std::size_t c = 0; c < big_classes.size(); ++c) {
    ForecastRow row{big_classes[c], kInputs * shares[c], {}};
    for (const Fate fate : kFates) {
      row.fate[static_cast<std::size_t>(fate)] = expect(counts[c], fate, row.inputs);
    }
    result.classes.push_back(std::move(row));
  }
  for (std::size_t fate = 0; fate < kFates.size(); ++fate) {
    result.total[fate] = add_up(result.classes, fate);
  }
  return result;
}

std::vector<double> class_shares(const Scores& scores, std::size_t classes) {
  std::vector<double> shares(classes, 0.0);
  for (const std::int64_t truth : scores.truth) shares[as_size(truth)] += 1.0;
  for (double& share : shares) share /= static_cast<double>(scores.count());
  return shares;
}

}  // namespace biglittle
