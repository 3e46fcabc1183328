// SPDX-License-Identifier: MIT
#pragma once

// Scores written down sample by sample, over big classes {shirt, bag, boot} of which bag and boot
// are priority: little classes are 0 bag, 1 boot, 2 other.

#include <cstdint>
#include <initializer_list>

#include "calibrate/scores.h"

namespace biglittle::testing {

inline constexpr std::int64_t kShirt = 0;  // big classes
inline constexpr std::int64_t kBag = 1;
inline constexpr std::int64_t kBoot = 2;
inline constexpr std::int64_t kLittleBag = 0;  // little classes
inline constexpr std::int64_t kLittleBoot = 1;
inline constexpr std::int64_t kOther = 2;

PriorityMap bag_and_boot();

struct Row {
  std::int64_t score;
  std::int64_t little;
  std::int64_t big;
  std::int64_t truth;
};
Scores scores_of(std::initializer_list<Row> rows);

/// Adds `count` times the same row.
void add(Scores& scores, std::int64_t count, const Row& row);

/// One sample's accumulators by their distances: little's answer, how far it is ahead of the second
/// largest and of `other`. For an answer `other` both are the same; for a priority answer `other`
/// is the runner-up where `to_other` is `margin`, and farther away else.
struct AnswerRow {
  std::int64_t margin;
  std::int64_t to_other;  ///< >= margin
  std::int64_t little;
  std::int64_t big;
  std::int64_t truth;
};
Answers answers_of(std::initializer_list<AnswerRow> rows);
void add(Answers& answers, std::int64_t count, const AnswerRow& row);

}  // namespace biglittle::testing
