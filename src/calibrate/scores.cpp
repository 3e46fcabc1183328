// SPDX-License-Identifier: MIT
#include "calibrate/scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "calibrate/distances.h"
#include "core/error.h"

namespace biglittle {
namespace {

void require_size(std::string_view what, std::int64_t found, std::int64_t rows,
                  std::int64_t columns) {
  if (found == rows * columns) return;
  throw Error(ErrorKind::bad_data,
              fmt::format("answers: {} has {} values but {} labels times {} classes need {}", what,
                          found, rows, columns, rows * columns));
}

void require_classes(std::string_view name, std::string_view what,
                     std::span<const std::int64_t> classes, std::int64_t limit) {
  for (std::int64_t row = 0; row < std::ssize(classes); ++row) {
    const std::int64_t found = classes[static_cast<std::size_t>(row)];
    if (found >= 0 && found < limit) continue;
    throw Error(ErrorKind::bad_data, fmt::format("{}: {} of row {} is {}, expected 0 to {}", name,
                                                 what, row, found, limit - 1));
  }
}

void require_rivals(const PriorityMap& map) {
  if (map.classes() >= 2) return;
  throw Error(ErrorKind::bad_data,
              fmt::format("answers: the little network has {} class, but a margin is the distance "
                          "between two; give it at least two",
                          map.classes()));
}

/// The first of the largest values, as the device picks it. [N, classes] -> [N]
std::vector<std::int64_t> argmax_of_rows(std::span<const float> logits, std::int64_t classes) {
  std::vector<std::int64_t> largest;
  for (std::size_t begin = 0; begin < logits.size(); begin += static_cast<std::size_t>(classes)) {
    const auto row = logits.subspan(begin, static_cast<std::size_t>(classes));
    if (!std::ranges::all_of(row, [](float value) { return std::isfinite(value); })) {
      throw Error(ErrorKind::bad_data,
                  fmt::format("answers: the big network's logits of row {} are not finite; retrain "
                              "it or check its input",
                              largest.size()));
    }
    largest.push_back(std::ranges::max_element(row) - row.begin());
  }
  return largest;
}

void require_rows(std::string_view name, std::string_view what, std::int64_t found,
                  std::int64_t rows) {
  if (found == rows) return;
  throw Error(ErrorKind::bad_data,
              fmt::format("{}: {} has {} rows but score has {}", name, what, found, rows));
}

void require_scores(std::string_view name, std::span<const std::int64_t> scores) {
  const auto outside = std::ranges::find_if(
      scores, [](std::int64_t score) { return score < kTieScore || score >= kAlwaysEscalate; });
  if (outside == scores.end()) return;
  throw Error(ErrorKind::bad_data,
              fmt::format("{}: score of row {} is {}, expected {} to {}", name,
                          outside - scores.begin(), *outside, kTieScore, kAlwaysEscalate - 1));
}

}  // namespace

Answers make_answers(std::vector<std::int32_t> accumulators, std::span<const float> big_logits,
                     std::span<const std::int64_t> labels, const PriorityMap& map) {
  const std::int64_t rows = std::ssize(labels);
  const std::int64_t big = std::ssize(map.little_of_big);
  require_rivals(map);
  require_size("little accumulators", std::ssize(accumulators), rows, map.classes());
  require_size("big logits", std::ssize(big_logits), rows, big);
  require_classes("answers", "label", labels, big);
  return {.accumulators = std::move(accumulators),
          .big_class = argmax_of_rows(big_logits, big),
          .truth = {labels.begin(), labels.end()}};
}

Scores make_scores(const Answers& answers, const ScoreRule& rule, const PriorityMap& map) {
  const std::int64_t rows = answers.count();
  const std::int64_t big = std::ssize(map.little_of_big);
  require_rivals(map);
  require_size("little accumulators", std::ssize(answers.accumulators), rows, map.classes());
  require_size("big class", std::ssize(answers.big_class), rows, 1);
  require_classes("answers", "big class", answers.big_class, big);
  require_classes("answers", "label", answers.truth, big);
  if (std::ssize(rule.offsets) != map.classes()) {
    throw Error(ErrorKind::bad_data,
                fmt::format("answers: the score has {} offsets but the little network has {} "
                            "classes; use the score of this network",
                            rule.offsets.size(), map.classes()));
  }

  Scores scores;
  scores.big_class = answers.big_class;
  scores.truth = answers.truth;
  const auto classes = static_cast<std::size_t>(map.classes());
  for (std::size_t begin = 0; begin < answers.accumulators.size(); begin += classes) {
    const Distances distances =
        distances_of(std::span(answers.accumulators).subspan(begin, classes), map);
    scores.score.push_back(score_of(distances, rule));
    scores.little_class.push_back(distances.answer);
  }
  return scores;
}

Scores select(const Scores& scores, std::span<const std::int64_t> rows) {
  Scores selected;
  for (const std::int64_t row : rows) {
    const auto at = static_cast<std::size_t>(row);
    selected.score.push_back(scores.score[at]);
    selected.little_class.push_back(scores.little_class[at]);
    selected.big_class.push_back(scores.big_class[at]);
    if (!scores.truth.empty()) selected.truth.push_back(scores.truth[at]);
  }
  return selected;
}

void require_consistent(const Scores& scores, const PriorityMap& map, std::string_view name,
                        Labels labels) {
  const std::int64_t rows = scores.count();
  if (rows == 0) {
    throw Error(ErrorKind::bad_data, fmt::format("{}: no samples, expected at least one", name));
  }
  require_rows(name, "little class", std::ssize(scores.little_class), rows);
  require_rows(name, "big class", std::ssize(scores.big_class), rows);
  if (labels == Labels::needed || !scores.truth.empty()) {
    require_rows(name, "truth", std::ssize(scores.truth), rows);
  }
  require_classes(name, "little class", scores.little_class, map.classes());
  require_classes(name, "big class", scores.big_class, std::ssize(map.little_of_big));
  require_classes(name, "truth", scores.truth, std::ssize(map.little_of_big));
  require_scores(name, scores.score);
}

bool answers_locally(const Scores& scores, std::int64_t row,
                     std::span<const std::int64_t> thresholds) {
  const auto at = static_cast<std::size_t>(row);
  const std::int64_t score = scores.score[at];
  const std::int64_t threshold = thresholds[static_cast<std::size_t>(scores.little_class[at])];
  return score > kTieScore && threshold < kAlwaysEscalate && score >= threshold;
}

}  // namespace biglittle
