// SPDX-License-Identifier: MIT
#pragma once

// What 1,000 inputs will lead to: how many the device answers, drops or sends up.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calibrate/policy.h"

namespace biglittle {

/// What can become of an input.
enum class Fate {
  answered,  ///< the device names a priority class
  dropped,   ///< the device keeps it as `other` (filter mode)
  escalated  ///< big answers
};
template <>
struct EnumNames<Fate> {
  static constexpr std::array<std::string_view, 3> names = {"answered", "dropped", "escalated"};
};
inline constexpr std::array<Fate, 3> kFates = {Fate::answered, Fate::dropped, Fate::escalated};

/// What becomes of each sample under the policy. [N]
std::vector<Fate> fates_of(const Scores& scores, const EscalationPolicy& policy,
                           const PriorityMap& map);

/// An expected number of inputs per 1,000, with a 95 % interval.
struct Expected {
  double value = 0.0;
  double low = 0.0;
  double high = 0.0;
};

/// One class's part of 1,000 inputs.
struct ForecastRow {
  std::string name;
  double inputs = 0.0;           ///< of 1,000: 1,000 times the class's share
  std::array<Expected, 3> fate;  ///< in the order of Fate; the values add up to `inputs`
};

struct Forecast {
  std::vector<ForecastRow> classes;
  std::array<Expected, 3> total;  ///< in the order of Fate; the values add up to 1,000

  const Expected& of(Fate fate) const { return total[static_cast<std::size_t>(fate)]; }
};

/// Rates of each fate within a class are measured on `scores`; classes are then mixed by `shares`
/// [big classes, sum 1], which are taken as known. A class's limits are those of Clopper and
/// Pearson at 95 %, the total's combine them by square-and-add: low = value - sqrt(sum of (class
/// value - class low)^2), and likewise high (Zou, Huang, Zhang 2009, "A note on confidence interval
/// estimation for a linear function of binomial proportions", equation 3, with exact limits instead
/// of Wilson's). A class without samples counts as escalated, with limits that exclude nothing.
Forecast forecast(const Scores& scores, std::span<const Fate> fates, std::span<const double> shares,
                  const std::vector<std::string>& big_classes);

/// Share of each big class among the samples. [big classes]
std::vector<double> class_shares(const Scores& scores, std::size_t classes);

}  // namespace biglittle
