// SPDX-License-Identifier: MIT
#pragma once

// Does the certificate hold on real data? Calibration sets are drawn again and again from one pool
// of samples, and what was certified on each is judged by the pool, where every risk is known.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "calibrate/policy.h"

namespace biglittle {

/// How the samples of a draw are taken from the pool.
enum class DrawKind {
  split,       ///< without replacement: what is not drawn is left over, as a test split is
  independent  ///< with replacement: exactly the certificate's assumption, the pool being the world
};
template <>
struct EnumNames<DrawKind> {
  static constexpr std::array<std::string_view, 2> names = {"split", "independent"};
};

struct ResampleOptions {
  std::int64_t draws = 500;
  std::int64_t size = 0;  ///< calibration samples a draw
  DrawKind draw = DrawKind::split;
  std::int64_t seed = 1;
};

/// How one way of choosing a step of the path fared over the draws.
struct RuleRecord {
  Rate chosen;    ///< draws in which a step was chosen; in the others everything escalates
  Rate violated;  ///< draws after which a risk is above its bound on the whole pool
  std::vector<Rate> violated_by_risk;  ///< [risks]
  /// The same on the samples left over, which vary by themselves: a frequency above delta means
  /// nothing there. n: the draws that left some over.
  Rate violated_left_over;
  double lowest_escalation = 1.0;  ///< rates on the pool, over all draws
  double median_escalation = 1.0;
  double highest_escalation = 1.0;
  /// Median over all draws of the escalation divided by the oracle's; empty where that is 0 or
  /// there is no oracle.
  std::optional<double> oracle_ratio;
};

struct ResampleReport {
  ResampleOptions options;
  std::int64_t pool = 0;
  double delta = 0.05;
  std::vector<std::string> risks;
  /// The last step that keeps every bound on the pool, which no one can know in the field; -1: none
  /// does.
  std::int64_t oracle_step = -1;
  double oracle_escalation = 1.0;
  std::int64_t steps = 0;           ///< of the path
  std::int64_t breaking_steps = 0;  ///< of these, with a risk above its bound on the pool; where
                                    ///< there are none, no rule can be caught breaking a bound
  RuleRecord certified;
  RuleRecord naive;  ///< the last step whose measured risks on the draw are within their bounds
};

/// Draws `options.size` rows of `pool` `options.draws` times, certifies each draw along the plan's
/// path and judges the chosen step. A draw from which no certificate can be given (a class without
/// a sample, a field sample that runs out) counts as one where nothing passed. Throws
/// Error{config} when the size does not leave a sample over (split) or a number is below 1, and
/// what require_consistent and asked_risks throw on the pool.
ResampleReport resample(const SearchPlan& plan, const Scores& pool, const PriorityMap& map,
                        const std::vector<std::string>& big_classes,
                        const CalibrateOptions& calibrate, const ResampleOptions& options);

/// True when the violations on the pool are more than delta explains: the 95 % interval of their
/// frequency lies above delta.
bool violates_too_often(const ResampleReport& report);

Json to_json(const ResampleReport& report);

}  // namespace biglittle
