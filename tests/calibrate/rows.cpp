// SPDX-License-Identifier: MIT
#include "calibrate/rows.h"

namespace biglittle::testing {

PriorityMap bag_and_boot() {
  return {.little_of_big = {kOther, kLittleBag, kLittleBoot},
          .names = {"bag", "boot", "other"},
          .has_other = true};
}

void add(Scores& scores, std::int64_t count, const Row& row) {
  for (std::int64_t i = 0; i < count; ++i) {
    scores.margin.push_back(row.margin);
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

}  // namespace biglittle::testing
