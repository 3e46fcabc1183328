// SPDX-License-Identifier: MIT
#pragma once

// The asked risks at every step of a path by plain counting, without a test: what they are on a
// set of samples, not what is certified about the world those came from.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "calibrate/calibrate_options.h"
#include "calibrate/scores.h"
#include "calibrate/threshold_path.h"

namespace biglittle {

/// Samples whose risks are counted for many subsets of them.
class RiskCurves {
 public:
  /// `field_shares` [big classes] weighs each subset's samples to the field's mix; empty: all weigh
  /// the same. `scores` have labels (require_consistent).
  RiskCurves(const Scores& scores, const ThresholdPath& path, const PriorityMap& map,
             std::span<const std::string> big_classes, const CalibrateOptions& options,
             std::span<const double> field_shares);

  /// What is asked, named and ordered as in risk.h.
  std::int64_t risks() const { return static_cast<std::int64_t>(statements_.size()); }
  const std::string& name(std::int64_t risk) const { return at(risk).name; }
  double bound(std::int64_t risk) const { return at(risk).bound; }

  /// What was counted on one subset.
  struct Curves {
    std::vector<std::vector<double>> risk;  ///< [risks][steps]
    std::vector<double> escalation;         ///< [steps]
  };
  Curves count(std::span<const std::int64_t> rows) const;

  /// True when that risk is above its bound at `step`, by more than rounding.
  bool violates(const Curves& curves, std::int64_t risk, std::int64_t step) const;

  bool violates_any(const Curves& curves, std::int64_t step) const;

  /// The last step at which no risk is above its bound; -1 for none.
  std::int64_t last_kept_step(const Curves& curves) const;

 private:
  /// risk(step) = base + sum of events over local samples / size of the denominator.
  struct Statement {
    std::string name;
    double bound = 0.0;
    double base = 0.0;
    enum class Over { all, local } over = Over::all;
    std::vector<double> event;          ///< [N] what a sample adds when it is local
    std::vector<std::uint8_t> counted;  ///< [N] 1 where it is in the denominator
  };
  const Statement& at(std::int64_t risk) const {
    return statements_.at(static_cast<std::size_t>(risk));
  }

  /// Adds a statement whose event is what `event(row)` gives; the caller restricts `counted`.
  template <typename Event>
  Statement& add(std::string name, double bound, Event&& event);
  void add_overall(const Scores& scores, const PriorityMap& map, const CalibrateOptions& options);
  void add_by_class(const Scores& scores, const PriorityMap& map, const CalibrateOptions& options);
  void add_cost(const Scores& scores, const PriorityMap& map,
                std::span<const std::string> big_classes, const CostOptions& cost);

  std::vector<double> weights(std::span<const std::int64_t> rows) const;

  std::vector<Statement> statements_;
  std::vector<std::int64_t> first_step_;  ///< [N]
  std::vector<std::int64_t> truth_;       ///< [N]
  std::vector<double> field_shares_;
  std::int64_t steps_ = 0;
};

}  // namespace biglittle
