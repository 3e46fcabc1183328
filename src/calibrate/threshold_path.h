// SPDX-License-Identifier: MIT
#pragma once

// The thresholds that will be tried, in the order in which they will be: fixed on tune before
// calibration is looked at. Each step answers everything that the step before answered, and more.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calibrate/calibrate_options.h"
#include "calibrate/scores.h"

namespace biglittle {

/// Steps from the safest to the one that answers most: [steps][little classes] thresholds, each
/// above kTieScore; kAlwaysEscalate for a class that is not answered on the device. Down the steps
/// no threshold of a class rises, and at least one falls.
struct ThresholdPath {
  std::vector<std::vector<std::int64_t>> steps;
  /// [steps] of the tune samples, answered locally; weighed to the field's mix where a field prior
  /// is given (local_shares). It says where a search begins.
  std::vector<double> local_share;

  std::int64_t count() const { return static_cast<std::int64_t>(steps.size()); }
  bool operator==(const ThresholdPath&) const = default;
};

/// At most options.grid steps, each letting about equally many more of the tune samples stay local.
///
/// - thresholds = one: one threshold for all priority classes, spread over their scores.
/// - thresholds = per-class: one for each priority class. A ridge-penalized logistic regression of
///   "answer is wrong" on the score, with slope and intercept of each class shrunk towards the
///   common ones, orders all answers by their predicted risk; a step is a level of that risk, and
///   the threshold of a class the score at which it reaches the level. A class whose slope is not
///   negative takes the common one; where that is not negative either, or tune has no wrong answer
///   or no right one, all classes share one threshold.
/// - other = answer: `other` has a threshold of its own. The answers `other` and the priority
///   answers each have a usage at every depth of their own order: the largest, over the asked
///   risks, of (events + 1) / (samples + 1) / bound on tune, or the lowest that is still to come,
///   so that it never falls. The path takes whichever has the lower usage next, so that both reach
///   their bounds together.
///
/// The last step is the lowest threshold: 1 for margin and top_other, which every untied answer
/// reaches, and for a gate the lowest score of an untied priority answer (of `other`: of these;
/// none there: kAlwaysEscalate). Where tune has no untied answer that may stay local it is the only
/// one.
///
/// `big_classes` names the truths of options.cost: needed where a cost is asked and other = answer.
/// Throws Error{bad_data} for an empty or inconsistent tune and Error{config} for other = answer
/// where no class is `other`.
ThresholdPath threshold_path(const Scores& tune, const PriorityMap& map, const ScoreRule& rule,
                             const CalibrateOptions& options,
                             std::span<const std::string> big_classes = {});

/// The share of inputs that each step answers locally where big classes come at `field_shares`, as
/// the tune samples of each class say. [steps]
std::vector<double> local_shares(const Scores& tune, const ThresholdPath& path,
                                 std::span<const double> field_shares);

/// For each row the first step that answers it locally; path.count() for never. [N]
std::vector<std::int64_t> first_local_step(const Scores& scores, const ThresholdPath& path);

/// Throws Error{bad_data} that begins with `name` unless the path is as described above for
/// `classes` little classes.
void require_path(const ThresholdPath& path, std::int64_t classes, std::string_view name);

}  // namespace biglittle
