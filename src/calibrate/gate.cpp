// SPDX-License-Identifier: MIT
// The learned score: a logistic regression rounded to a few integers.

#include <algorithm>
#include <cmath>

#include "calibrate/distances.h"
#include "calibrate/logistic_regression.h"
#include "calibrate/score_rule.h"
#include "calibrate/scores.h"

namespace biglittle {
namespace {

constexpr std::int64_t kFewestSamples = 20;
// A normal prior of unit variance on coefficients of features of unit variance: nothing beside
// hundreds of samples, a firm hand on classes with a few, and finite where the data are separable.
constexpr double kRidge = 1.0;

/// A distance, standardized.
struct Feature {
  std::int64_t Distances::*distance = nullptr;
  Spread spread;

  double of(const Distances& distances) const {
    return (static_cast<double>(distances.*distance) - spread.mean) / spread.deviation;
  }
};

/// What the gate learns from.
struct Lessons {
  std::vector<Distances> distances;
  std::vector<bool> right;
};

Lessons lessons_of(const Answers& tune, const PriorityMap& map) {
  Lessons lessons;
  const auto classes = static_cast<std::size_t>(map.classes());
  for (std::int64_t row = 0; row < tune.count(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    const Distances distances =
        distances_of(std::span(tune.accumulators).subspan(at * classes, classes), map);
    if (distances.to_second == 0 || distances.answer >= map.priorities()) continue;
    const auto truth = static_cast<std::size_t>(tune.truth[at]);
    lessons.distances.push_back(distances);
    lessons.right.push_back(map.little_of_big[truth] == distances.answer);
  }
  return lessons;
}

bool teaches(const Lessons& lessons) {
  const std::int64_t right = std::ranges::count(lessons.right, true);
  const std::int64_t count = std::ssize(lessons.right);
  return count >= kFewestSamples && right > 0 && right < count;
}

Feature feature_of(const Lessons& lessons, std::int64_t Distances::*distance) {
  std::vector<double> values;
  for (const Distances& row : lessons.distances) {
    values.push_back(static_cast<double>(row.*distance));
  }
  return {distance, spread_of(values)};
}

/// Coefficients: the intercept, one a class, one a feature.
std::vector<double> fit(const Lessons& lessons, const std::vector<Feature>& features,
                        std::int64_t classes) {
  LogisticData data;
  data.columns = 1 + classes + std::ssize(features);
  data.width = 2 + std::ssize(features);
  data.event = lessons.right;
  const auto add = [&](std::int64_t column, double value) {
    data.column.push_back(static_cast<std::int32_t>(column));
    data.value.push_back(value);
  };
  for (const Distances& row : lessons.distances) {
    add(0, 1.0);
    add(1 + row.answer, 1.0);
    for (std::int64_t k = 0; k < std::ssize(features); ++k) {
      add(1 + classes + k, features[static_cast<std::size_t>(k)].of(row));
    }
  }
  std::vector<double> ridge(static_cast<std::size_t>(data.columns), kRidge);
  ridge.front() = 0.0;
  return fit_logistic(data, ridge);
}

/// The log odds of being right, in units of distance.
struct RealRule {
  double margin_weight = 0.0;
  double other_weight = 0.0;
  std::vector<double> offsets;  ///< [classes]
};

RealRule real_rule(const std::vector<double>& coefficients, const std::vector<Feature>& features,
                   std::int64_t classes) {
  RealRule rule;
  double common = coefficients.front();
  for (std::size_t k = 0; k < features.size(); ++k) {
    const double weight =
        coefficients[1 + static_cast<std::size_t>(classes) + k] / features[k].spread.deviation;
    common -= weight * features[k].spread.mean;
    (features[k].distance == &Distances::to_second ? rule.margin_weight : rule.other_weight) =
        weight;
  }
  for (std::int64_t c = 0; c < classes; ++c) {
    rule.offsets.push_back(common + coefficients[static_cast<std::size_t>(1 + c)]);
  }
  return rule;
}

/// With the largest unit that keeps weights and offsets within their limits.
ScoreRule rounded(const RealRule& real) {
  double unit =
      static_cast<double>(kLargestScoreWeight) / std::max(real.margin_weight, real.other_weight);
  for (const double offset : real.offsets) {
    if (std::abs(offset) * unit > static_cast<double>(kLargestScoreOffset)) {
      unit = static_cast<double>(kLargestScoreOffset) / std::abs(offset);
    }
  }
  const auto within = [unit](double value, std::int64_t limit) {
    return std::clamp<std::int64_t>(std::llround(value * unit), -limit, limit);
  };
  ScoreRule rule{.kind = ScoreKind::gate,
                 .margin_weight = within(real.margin_weight, kLargestScoreWeight),
                 .other_weight = within(real.other_weight, kLargestScoreWeight),
                 .offsets = {}};
  for (const double offset : real.offsets) {
    rule.offsets.push_back(within(offset, kLargestScoreOffset));
  }
  return rule;
}

}  // namespace

ScoreRule fit_gate(const Answers& tune, const PriorityMap& map) {
  ScoreRule unlearned = plain_rule(ScoreKind::margin, map);
  unlearned.kind = ScoreKind::gate;
  const Lessons lessons = lessons_of(tune, map);
  if (!teaches(lessons)) return unlearned;

  std::vector<Feature> features;
  for (const auto distance : {&Distances::to_second, &Distances::to_other}) {
    const Feature feature = feature_of(lessons, distance);
    if (feature.spread.deviation > 0.0) features.push_back(feature);
  }
  while (!features.empty()) {
    const std::vector<double> coefficients = fit(lessons, features, map.classes());
    const auto first = coefficients.end() - std::ssize(features);
    const auto lowest = std::min_element(first, coefficients.end());
    if (*lowest <= 0.0) {
      features.erase(features.begin() + (lowest - first));
      continue;
    }
    const ScoreRule rule = rounded(real_rule(coefficients, features, map.classes()));
    return rule.margin_weight == 0 && rule.other_weight == 0 ? unlearned : rule;
  }
  return unlearned;
}

}  // namespace biglittle
