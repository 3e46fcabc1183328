// SPDX-License-Identifier: MIT
#pragma once

// What certify and recheck share: the samples that statements are about, where a search starts, and
// what thresholds do to samples.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "calibrate/policy.h"

namespace biglittle {

/// The calibration samples as the statements are about them.
class CalibrationSample {
 public:
  CalibrationSample(const Scores& calibration, const std::vector<double>& field_shares,
                    std::int64_t seed, const std::vector<std::string>& big_classes);

  /// For statements about one class.
  const Scores& by_class() const { return by_class_; }
  /// For statements about all inputs.
  const Scores& overall() const { return field_ ? *field_ : by_class_; }
  std::int64_t field_count() const { return field_ ? field_->count() : 0; }

 private:
  const Scores& by_class_;
  std::optional<Scores> field_;
};

/// Largest p-value over the risks at each step, computed when first asked for.
class StepTests {
 public:
  StepTests(const std::vector<std::unique_ptr<Risk>>& risks, std::int64_t steps)
      : risks_(risks), p_values_(static_cast<std::size_t>(steps)) {}

  double p_value(std::int64_t step) {
    std::optional<double>& known = p_values_[static_cast<std::size_t>(step)];
    if (!known) {
      known = 0.0;
      for (const auto& risk : risks_) known = std::max(*known, risk->p_value(step));
    }
    return *known;
  }

  std::int64_t tested() const {
    return std::ranges::count_if(p_values_, [](const auto& p) { return p.has_value(); });
  }

 private:
  const std::vector<std::unique_ptr<Risk>>& risks_;
  std::vector<std::optional<double>> p_values_;
};

/// Where a search starts: at as many different steps as are asked for and the path has room for,
/// from the first that tune says is worth testing on n samples.
std::vector<std::int64_t> starting_steps(const ThresholdPath& path, std::int64_t n,
                                         const CalibrateOptions& options);

/// The first start's part of delta: an equal one, but at least a quarter, since in most networks
/// the surest answers are the best ones. The others share the rest equally.
double first_level(double delta, std::int64_t starts);

/// The level of the certificate's numbers: delta, or where nothing passed that of the first start.
double reported_level(const Certificate& certificate);

/// The last step accepted, -1 for none. Every start has a part of delta (first_level). A step is
/// tested at its own part and what the step before hands on; when it is accepted it hands all of
/// that on. (The fallback procedure: Wiens 2003; Wiens & Dmitrienko 2005. With one start it is the
/// fixed-sequence test.)
std::int64_t last_accepted_step(const Certificate& certificate, StepTests& tests);

/// What thresholds do to samples.
struct LocalRates {
  Rate escalation;
  Rate priority_local;
  double disagreement = 1.0;  ///< of local answers with big's, at most, at this delta
};
LocalRates measure_rates(std::span<const std::int64_t> thresholds, double delta,
                         const Scores& scores, const PriorityMap& map);

}  // namespace biglittle
