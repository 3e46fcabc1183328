// SPDX-License-Identifier: MIT
#pragma once

// One row per sample of what the escalation rule can see and what it is judged by.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/priority.h"

namespace biglittle {

/// Vectors of equal length N.
struct Scores {
  std::vector<std::int64_t> margin;        ///< acc[top] - acc[second] of the int8 network, >= 0
  std::vector<std::int64_t> little_class;  ///< its answer, in little classes
  std::vector<std::int64_t> big_class;     ///< big's answer, in big classes
  std::vector<std::int64_t> truth;         ///< label, in big classes

  std::int64_t count() const { return static_cast<std::int64_t>(margin.size()); }
};

/// Scores from int32 accumulators [N, little classes] and big's logits [N, big classes]. Throws
/// Error{bad_data} for sizes that do not fit or logits that are not finite.
Scores make_scores(std::span<const std::int32_t> accumulators, std::span<const float> big_logits,
                   std::span<const std::int64_t> labels, const PriorityMap& map);

/// Throws Error{bad_data} that begins with `name` unless there is at least one row, all vectors have the
/// same length, margins are >= 0 and every class exists in the map.
void require_consistent(const Scores& scores, const PriorityMap& map, std::string_view name);

/// True where the device answers: a priority class with margin >= threshold. A margin of 0 is a tie
/// and never answers, whatever the threshold; kAlwaysEscalate (policy.h) and above never answer.
bool answers_locally(const Scores& scores, std::int64_t row, std::int64_t threshold,
                     const PriorityMap& map);

}  // namespace biglittle
