// SPDX-License-Identifier: MIT
#include "calibrate/rows.h"

#include <array>

namespace biglittle::testing {

PriorityMap bag_and_boot() {
  return {.little_of_big = {kOther, kLittleBag, kLittleBoot},
          .names = {"bag", "boot", "other"},
          .has_other = true};
}

void add(Scores& scores, std::int64_t count, const Row& row) {
  for (std::int64_t i = 0; i < count; ++i) {
    scores.score.push_back(row.score);
    scores.little_class.push_back(row.little);
    scores.big_class.push_back(row.big);
    scores.truth.push_back(row.truth);
  }
}

Scores scores_of(std::initializer_list<Row> rows) {
  Scores scores;
  for (const Row& row : rows) add(scores, 1, row);
  return scores;
}

void add(Answers& answers, std::int64_t count, const AnswerRow& row) {
  // The top lies at half its largest distance, so that distances up to 2^31 can be written down.
  const std::int64_t top = row.to_other / 2;
  std::array<std::int64_t, 3> accumulators;
  accumulators.fill(top - row.margin);
  if (row.little != kOther) accumulators[kOther] = top - row.to_other;
  accumulators[static_cast<std::size_t>(row.little)] = top;
  for (std::int64_t i = 0; i < count; ++i) {
    for (const std::int64_t value : accumulators) {
      answers.accumulators.push_back(static_cast<std::int32_t>(value));
    }
    answers.big_class.push_back(row.big);
    answers.truth.push_back(row.truth);
  }
}

Answers answers_of(std::initializer_list<AnswerRow> rows) {
  Answers answers;
  for (const AnswerRow& row : rows) add(answers, 1, row);
  return answers;
}

}  // namespace biglittle::testing
