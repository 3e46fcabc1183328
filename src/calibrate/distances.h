// SPDX-License-Identifier: MIT
#pragma once

// The two integers every score is made of: how far the int8 network's answer is from its rivals.

#include <cstdint>
#include <span>

#include "calibrate/score_rule.h"

namespace biglittle {

struct Distances {
  std::int64_t answer = 0;     ///< the first of the classes with the largest accumulator
  std::int64_t to_second = 0;  ///< largest minus second largest accumulator; 0: a tie
  std::int64_t to_other = 0;   ///< largest accumulator minus that of `other`; to_second where the
                               ///< answer is `other`; 0 where no class is
};

/// One sample's, from its accumulators [little classes, at least 2].
Distances distances_of(std::span<const std::int32_t> accumulators, const PriorityMap& map);

/// The rule's score; `rule.offsets` has a value for the answer.
std::int64_t score_of(const Distances& distances, const ScoreRule& rule);

}  // namespace biglittle
