// SPDX-License-Identifier: MIT
#include "calibrate/scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "calibrate/policy.h"
#include "core/error.h"

namespace biglittle {
namespace {

/// The first of the largest values, as the device picks it.
std::int64_t index_of_largest(const auto& values) {
  return std::ranges::max_element(values) - values.begin();
}

std::int64_t second_largest(std::span<const std::int32_t> values, std::int64_t top) {
  std::int64_t second = std::numeric_limits<std::int64_t>::min();
  for (std::int64_t i = 0; i < std::ssize(values); ++i) {
    if (i != top) second = std::max<std::int64_t>(second, values[static_cast<std::size_t>(i)]);
  }
  return second;
}

void require_size(std::string_view what, std::int64_t found, std::int64_t rows,
                  std::int64_t columns) {
  if (found == rows * columns) return;
  throw Error(ErrorKind::bad_data,
              fmt::format("scores: {} has {} values but {} labels times {} classes need {}", what,
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

}  // namespace

Scores make_scores(std::span<const std::int32_t> accumulators, std::span<const float> big_logits,
                   std::span<const std::int64_t> labels, const PriorityMap& map) {
  const std::int64_t rows = std::ssize(labels);
  const std::int64_t little = map.classes();
  const std::int64_t big = std::ssize(map.little_of_big);
  if (little < 2) {
    throw Error(ErrorKind::bad_data,
                fmt::format("scores: the little network has {} class, but a margin is the distance "
                            "between two; give it at least two",
                            little));
  }
  require_size("little accumulators", std::ssize(accumulators), rows, little);
  require_size("big logits", std::ssize(big_logits), rows, big);
  require_classes("scores", "label", labels, big);

  Scores scores;
  scores.truth.assign(labels.begin(), labels.end());
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto acc = accumulators.subspan(static_cast<std::size_t>(row * little),
                                          static_cast<std::size_t>(little));
    const auto logits =
        big_logits.subspan(static_cast<std::size_t>(row * big), static_cast<std::size_t>(big));
    if (!std::ranges::all_of(logits, [](float value) { return std::isfinite(value); })) {
      throw Error(
          ErrorKind::bad_data,
          fmt::format("scores: the big network's logits of row {} are not finite; retrain it "
                      "or check its input",
                      row));
    }
    const std::int64_t top = index_of_largest(acc);
    scores.little_class.push_back(top);
    scores.margin.push_back(acc[static_cast<std::size_t>(top)] - second_largest(acc, top));
    scores.big_class.push_back(index_of_largest(logits));
  }
  return scores;
}

void require_consistent(const Scores& scores, const PriorityMap& map, std::string_view name) {
  const std::int64_t rows = scores.count();
  if (rows == 0) {
    throw Error(ErrorKind::bad_data, fmt::format("{}: no samples, expected at least one", name));
  }
  const auto require_rows = [&](std::string_view what, std::int64_t found) {
    if (found == rows) return;
    throw Error(ErrorKind::bad_data,
                fmt::format("{}: {} has {} rows but margin has {}", name, what, found, rows));
  };
  require_rows("little class", std::ssize(scores.little_class));
  require_rows("big class", std::ssize(scores.big_class));
  require_rows("truth", std::ssize(scores.truth));
  require_classes(name, "little class", scores.little_class, map.classes());
  require_classes(name, "big class", scores.big_class, std::ssize(map.little_of_big));
  require_classes(name, "truth", scores.truth, std::ssize(map.little_of_big));
  const auto negative = std::ranges::find_if(scores.margin, [](auto margin) { return margin < 0; });
  if (negative != scores.margin.end()) {
    throw Error(ErrorKind::bad_data,
                fmt::format("{}: margin of row {} is {}, expected 0 or more", name,
                            negative - scores.margin.begin(), *negative));
  }
}

bool answers_locally(const Scores& scores, std::int64_t row, std::int64_t threshold,
                     const PriorityMap& map) {
  const auto at = static_cast<std::size_t>(row);
  if (threshold >= kAlwaysEscalate || scores.little_class[at] >= map.priorities()) return false;
  return scores.margin[at] >= std::max<std::int64_t>(threshold, 1);
}

}  // namespace biglittle
