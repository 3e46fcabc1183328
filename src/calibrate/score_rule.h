// SPDX-License-Identifier: MIT
#pragma once

// The integer score by which the device decides whether to answer: a few multiply-adds on the int8
// network's accumulators.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/options.h"
#include "data/priority.h"

namespace biglittle {

struct Answers;
struct Scores;

/// A threshold no score reaches: escalates everything. Every other score and threshold lies
/// strictly between -kAlwaysEscalate and it, where a double still counts by ones, so that any JSON
/// reader reads them right.
inline constexpr std::int64_t kAlwaysEscalate = (std::int64_t{1} << 53) - 1;

/// The score of a tie between the two largest accumulators; no threshold is as low.
inline constexpr std::int64_t kTieScore = -kAlwaysEscalate;

enum class ScoreKind {
  margin,     ///< largest minus second largest accumulator
  top_other,  ///< largest accumulator minus that of `other`
  gate        ///< learned: logistic regression on both differences and the answer
};
template <>
struct EnumNames<ScoreKind> {
  static constexpr std::array<std::string_view, 3> names = {"margin", "top-other", "gate"};
};

/// score = margin_weight * (top - second) + other_weight * (top - other) + offsets[answer], except
/// that a tie (top == second) has kTieScore. Where the answer is `other`, its distance to the
/// nearest priority class, top - second, stands for top - other, so that every rule also orders
/// these answers; where no class is `other`, the second term is 0.
struct ScoreRule {
  ScoreKind kind = ScoreKind::margin;
  std::int64_t margin_weight = 1;     ///< |weight| <= kLargestScoreWeight
  std::int64_t other_weight = 0;      ///< the same
  std::vector<std::int64_t> offsets;  ///< [little classes], |offset| <= kLargestScoreOffset

  bool operator==(const ScoreRule&) const = default;
};

/// With accumulators below 2^30 (kAccumulatorLimit) no score leaves (-2^52, 2^52).
inline constexpr std::int64_t kLargestScoreWeight = std::int64_t{1} << 18;
inline constexpr std::int64_t kLargestScoreOffset = std::int64_t{1} << 50;

/// The rules that need no fitting, with zero offsets. `top_other` needs an `other`: throws
/// Error{config} for a map without; Error{internal} for `gate`.
ScoreRule plain_rule(ScoreKind kind, const PriorityMap& map);

/// One sample's score from its accumulators [little classes].
std::int64_t score_of(std::span<const std::int32_t> accumulators, const ScoreRule& rule,
                      const PriorityMap& map);

/// Fits P(answer is right) = sigmoid(score / unit) over the tune samples with an untied priority
/// answer, by ridge-penalized logistic regression (iteratively re-weighted least squares;
/// McCullagh & Nelder 1989, section 2.5) on (top - second) and (top - other), each scaled to unit
/// variance, and the answer's class, and rounds the weights to integers. A distance that would
/// count against an answer is left out and the rest fitted again: being farther from a rival is no
/// reason to trust an answer less. Where nothing or everything is right, too few samples (< 20) are
/// there, or no distance is left, there is nothing to learn: returns the margin's weights as a
/// gate. Deterministic.
ScoreRule fit_gate(const Answers& tune, const PriorityMap& map);

/// How well a score orders what to keep local.
struct ScoreMerit {
  ScoreKind kind = ScoreKind::margin;
  /// Mean accuracy of the system over all numbers of local answers, from none to every priority
  /// answer, taken in descending order of the score: the area under the deferral curve. Equal
  /// scores enter together, at the mean of their effect. In [0, 1].
  double area = 0.0;
};

/// The area under the deferral curve of `scores` (priority answers only; big answers the rest).
double deferral_area(const Scores& scores, const PriorityMap& map);

/// Merit of every kind on tune: the areas of five folds drawn from `seed`, averaged by their sizes.
/// The gate is cross-fitted (fitted on four folds, scored on the fifth), so that it does not profit
/// from being fitted; the others are judged on the same folds, so that the areas compare.
/// `top_other` is left out where the map has no `other`. Throws Error{bad_data} for no samples.
std::vector<ScoreMerit> compare_scores(const Answers& tune, const PriorityMap& map,
                                       std::int64_t seed);

/// What the config asks for; automatic: the simplest kind (first in ScoreKind) whose area is within
/// 1e-4 of the best on tune.
enum class ScoreChoice { margin, top_other, gate, automatic };
template <>
struct EnumNames<ScoreChoice> {
  static constexpr std::array<std::string_view, 4> names = {"margin", "top-other", "gate", "auto"};
};
ScoreRule choose_rule(ScoreChoice choice, const Answers& tune, const PriorityMap& map,
                      std::span<const ScoreMerit> merits);

Json to_json(const ScoreRule& rule);
/// Throws Error{bad_data} that begins with `name`; `classes` little classes.
ScoreRule score_rule_from_json(const Json& json, std::int64_t classes, std::string_view name);

}  // namespace biglittle
