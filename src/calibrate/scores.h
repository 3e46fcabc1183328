// SPDX-License-Identifier: MIT
#pragma once

// What both networks said of a set of samples (Answers), and the same as the escalation rule sees
// it: one integer score a sample (Scores).

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calibrate/score_rule.h"
#include "data/priority.h"

namespace biglittle {

/// The networks' answers to N samples.
struct Answers {
  std::vector<std::int32_t> accumulators;  ///< of the int8 network, [N, little classes]
  std::vector<std::int64_t> big_class;     ///< big's answer, in big classes
  std::vector<std::int64_t> truth;         ///< label, in big classes

  std::int64_t count() const { return static_cast<std::int64_t>(truth.size()); }
};

/// Answers from int32 accumulators [N, little classes] and big's logits [N, big classes]. Throws
/// Error{bad_data} for sizes that do not fit, labels that are no class, or logits that are not
/// finite.
Answers make_answers(std::vector<std::int32_t> accumulators, std::span<const float> big_logits,
                     std::span<const std::int64_t> labels, const PriorityMap& map);

/// One row per sample: what the escalation rule sees and what it is judged by. Vectors of equal
/// length N; `truth` may be empty where no label is known (then only `agreement` and `budget` can
/// be asked).
struct Scores {
  std::vector<std::int64_t> score;         ///< of the rule; kTieScore for a tie
  std::vector<std::int64_t> little_class;  ///< the int8 network's answer, in little classes
  std::vector<std::int64_t> big_class;     ///< big's answer, in big classes
  std::vector<std::int64_t> truth;         ///< label, in big classes

  std::int64_t count() const { return static_cast<std::int64_t>(score.size()); }
};

/// Throws Error{bad_data} when the answers do not fit the map.
Scores make_scores(const Answers& answers, const ScoreRule& rule, const PriorityMap& map);

/// The rows of `scores` in the order given; a row may be given more than once.
Scores select(const Scores& scores, std::span<const std::int64_t> rows);

enum class Labels { needed, optional };

/// Throws Error{bad_data} that begins with `name` unless there is at least one row, all vectors
/// have the same length (truth may be empty where labels are optional) and every class exists in
/// the map.
void require_consistent(const Scores& scores, const PriorityMap& map, std::string_view name,
                        Labels labels = Labels::needed);

/// True where the device answers: score >= thresholds[answer], one threshold a little class.
bool answers_locally(const Scores& scores, std::int64_t row,
                     std::span<const std::int64_t> thresholds);

}  // namespace biglittle
