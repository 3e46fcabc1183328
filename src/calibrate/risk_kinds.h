// SPDX-License-Identifier: MIT
#pragma once

// The kinds of statement behind risk.h, each made from counts along a threshold path.

#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "calibrate/risk.h"

namespace biglittle {

/// How many of some samples are local at each step: samples enter at their first local step.
class StepCounts {
 public:
  explicit StepCounts(std::int64_t steps) : entering_(static_cast<std::size_t>(steps) + 1, 0) {}

  void enter(std::int64_t first_local) { ++entering_[static_cast<std::size_t>(first_local)]; }

  /// To be called once, after the last enter().
  void sum_up() { std::partial_sum(entering_.begin(), entering_.end(), entering_.begin()); }

  std::int64_t at(std::int64_t step) const { return entering_[static_cast<std::size_t>(step)]; }

 private:
  std::vector<std::int64_t> entering_;  ///< the last entry: never local
};

/// Samples and where they become local: what every risk is counted from.
struct CountedSample {
  const Scores& scores;
  std::vector<std::int64_t> first_local;
  std::int64_t steps;

  CountedSample(const Scores& rows, const ThresholdPath& path)
      : scores(rows), first_local(first_local_step(rows, path)), steps(path.count()) {}

  StepCounts no_counts() const { return StepCounts(steps); }
  std::int64_t first(std::int64_t row) const { return first_local[static_cast<std::size_t>(row)]; }
};

/// accuracy(big) - accuracy(system), by betting on D = local * (little wrong - big wrong).
std::unique_ptr<Risk> net_loss_risk(double bound, const RiskContext& context,
                                    const CountedSample& sample);

/// A rate of `events` among `samples` (whose number may depend on the step), by the binomial tail.
std::unique_ptr<Risk> rate_risk(std::string name, double bound, double level, StepCounts events,
                                StepCounts samples);

/// The mean of `costs` [N], each in [0, 1] and counted where the sample is local.
std::unique_ptr<Risk> cost_risk(double bound, double level, const CountedSample& sample,
                                const std::vector<double>& costs);

/// P(escalate), which falls along the path, by the binomial tail.
std::unique_ptr<Risk> budget_risk(double bound, double level, const CountedSample& sample);

}  // namespace biglittle
