// SPDX-License-Identifier: MIT
#pragma once

// Accuracy of the system against how much it escalates, at every step of the policy's path, with a
// band that holds for all steps at once and the references a reader compares with.

#include <cstdint>
#include <optional>
#include <vector>

#include "calibrate/policy.h"

namespace biglittle {

/// The system at one step of the path. Step -1 escalates everything: there the system is big.
struct CurvePoint {
  std::int64_t step = -1;
  std::int64_t escalated = 0;  ///< of the curve's n samples
  std::int64_t right = 0;      ///< of the curve's n samples
  double escalation = 1.0;
  double accuracy = 0.0;
  double low = 0.0;  ///< of the simultaneous band
  double high = 1.0;
};

/// A policy to compare with, by its two numbers.
struct ReferencePoint {
  double escalation = 0.0;
  double accuracy = 0.0;
};

struct DeferralCurve {
  std::int64_t n = 0;
  std::vector<CurvePoint> points;   ///< step -1, then every step of the path
  double band_level = 0.95;         ///< chance that the band holds the whole curve
  double band_critical = 0.0;       ///< standard errors to each side
  std::int64_t band_resamples = 0;  ///< bootstrap draws behind it
  std::int64_t chosen_step = -1;    ///< the certified one
  /// The step after the fact on these samples: the fewest escalations at which every asked risk, as
  /// measured here, keeps its bound; -1 where no step does, or no risk was asked.
  std::int64_t oracle_step = -1;
  /// Escalations at the chosen step over those at the oracle's; empty where that has none.
  std::optional<double> over_oracle;
  /// Everything escalates; and everything stays that the device may answer at all. Escalating at
  /// random lies on the line between the two.
  ReferencePoint always_big;
  ReferencePoint always_little;

  /// The point of a step; step -1 is the first.
  const CurvePoint& at(std::int64_t step) const {
    return points.at(static_cast<std::size_t>(step + 1));
  }
};

/// Along the policy's path, in the samples' own mix of classes; only the oracle's risks about all
/// inputs are in the field's mix where the certificate has one. The band's draws are seeded by the
/// certificate's seed.
DeferralCurve deferral_curve(const Scores& test, const EscalationPolicy& policy,
                             const PriorityMap& map);

}  // namespace biglittle
