// SPDX-License-Identifier: MIT
#pragma once

// How much the certificate of `selective` keeps on the device, beside two known rules of the same
// guarantee and the best that is possible, on the same draws.

#include <cstdint>
#include <string>
#include <vector>

#include "calibrate/trial.h"

namespace biglittle::testing {

/// Thresholds for the score of every priority answer; kAlwaysEscalate where nothing passed.
struct RuleThresholds {
  std::int64_t certified = kAlwaysEscalate;
  std::int64_t bonferroni = kAlwaysEscalate;
  std::int64_t sgr = kAlwaysEscalate;
};
RuleThresholds choose_thresholds(const Trial& trial, const TrialDraw& drawn);

/// Every step of the path is tested at delta / steps; the last that passes.
std::int64_t bonferroni_threshold(const TrialDraw& drawn, const CalibrateOptions& options);

/// Selection with guaranteed risk (Geifman & El-Yaniv 2017, algorithm 2): a binary search over the
/// m scores that could stay local, each tried at delta / ceil(log2 m) by the exact binomial tail.
/// Theirs returns the last one tried, whether it passes or not; this is the lowest that passes.
std::int64_t sgr_threshold(const Scores& calibration, const CalibrateOptions& options);

/// The lowest threshold whose true risk is within the bound.
std::int64_t oracle_threshold(const Trial& trial);

/// One rule over many draws.
struct RuleCoverage {
  double local_share = 0.0;  ///< true share answered on the device, mean over all draws
  double violations = 0.0;   ///< share of draws whose true risk is above the bound
};
struct Coverage {
  RuleCoverage certified;
  RuleCoverage bonferroni;
  RuleCoverage sgr;
  double oracle = 0.0;  ///< local share
};
/// Draws 0 to draws - 1 of a trial about `selective` with one threshold.
Coverage compare_coverage(const Trial& trial, std::int64_t n, std::int64_t draws);

}  // namespace biglittle::testing
