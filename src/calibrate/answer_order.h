// SPDX-License-Identifier: MIT
#pragma once

// In which order answers become local: by a risk that falls with the score along a line of each
// little class's own, so that one level of it stands for a threshold of every class.

#include <cstdint>
#include <vector>

#include "calibrate/calibrate_options.h"
#include "calibrate/scores.h"

namespace biglittle {

/// risk = intercept + slope * score, slope < 0. The default orders by the score itself.
struct RiskLine {
  double intercept = 0.0;
  double slope = -1.0;

  double at(std::int64_t score) const { return intercept + slope * static_cast<double>(score); }

  /// Smallest threshold in [lowest, kAlwaysEscalate) whose risk is at most `level`; kAlwaysEscalate
  /// where there is none.
  std::int64_t threshold_at(double level, std::int64_t lowest) const;
};

/// The line of each little class [classes]: the default for thresholds = one and for `other`; for
/// thresholds = per-class the log odds of a wrong answer, fitted on the untied priority answers of
/// tune as threshold_path.h says.
std::vector<RiskLine> risk_lines(const Scores& tune, const PriorityMap& map, ThresholdKind kind);

}  // namespace biglittle
