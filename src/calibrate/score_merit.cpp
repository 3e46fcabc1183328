// SPDX-License-Identifier: MIT
// Which score orders what to keep local best.

#include <algorithm>
#include <numeric>

#include "calibrate/risk.h"
#include "calibrate/score_rule.h"
#include "calibrate/scores.h"
#include "core/error.h"
#include "core/random.h"

namespace biglittle {
namespace {

constexpr std::int64_t kFolds = 5;
constexpr double kNoticeable = 1e-4;  // of area

Answers select(const Answers& answers, std::span<const std::int64_t> rows, std::int64_t classes) {
  Answers selected;
  for (const std::int64_t row : rows) {
    const auto first = answers.accumulators.begin() + row * classes;
    selected.accumulators.insert(selected.accumulators.end(), first, first + classes);
    selected.big_class.push_back(answers.big_class[static_cast<std::size_t>(row)]);
    selected.truth.push_back(answers.truth[static_cast<std::size_t>(row)]);
  }
  return selected;
}

/// Every row is held out in one fold.
struct Fold {
  std::vector<std::int64_t> fitted;
  std::vector<std::int64_t> held_out;
};

std::vector<Fold> draw_folds(std::int64_t count, std::int64_t seed) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  Random(static_cast<std::uint64_t>(seed)).shuffle(std::span(rows));
  std::vector<Fold> folds(static_cast<std::size_t>(std::min(kFolds, count)));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t fold = 0; fold < folds.size(); ++fold) {
      const bool is_held_out = i % folds.size() == fold;
      (is_held_out ? folds[fold].held_out : folds[fold].fitted).push_back(rows[i]);
    }
  }
  return folds;
}

/// What a local answer changes in the number of right answers: -1, 0 or 1.
struct Effect {
  std::int64_t score = 0;
  std::int64_t change = 0;
};

}  // namespace

double deferral_area(const Scores& scores, const PriorityMap& map) {
  require_consistent(scores, map, "scores");
  std::int64_t right = 0;  // answers of big, then of the system
  std::vector<Effect> effects;
  for (std::int64_t row = 0; row < scores.count(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    const Verdict verdict = judge(scores, row, map, OtherMode::escalate);
    right += !verdict.big_wrong;
    if (scores.little_class[at] >= map.priorities() || scores.score[at] == kTieScore) continue;
    effects.push_back({scores.score[at], std::int64_t{verdict.big_wrong} - verdict.little_wrong});
  }
  std::ranges::sort(effects, std::ranges::greater{}, &Effect::score);

  auto sum = static_cast<double>(right);  // of right answers, over the numbers of local ones so far
  for (auto group = effects.begin(); group != effects.end();) {
    const auto end = std::find_if(
        group, effects.end(), [&](const Effect& effect) { return effect.score != group->score; });
    std::int64_t change = 0;
    for (auto effect = group; effect != end; ++effect) change += effect->change;
    // The k-th of m equals adds k change / m on average: (m + 1) change / 2 over all of them.
    const auto equals = static_cast<double>(end - group);
    sum += equals * static_cast<double>(right) + (equals + 1.0) * static_cast<double>(change) / 2.0;
    right += change;
    group = end;
  }
  return sum / static_cast<double>(effects.size() + 1) / static_cast<double>(scores.count());
}

std::vector<ScoreMerit> compare_scores(const Answers& tune, const PriorityMap& map,
                                       std::int64_t seed) {
  std::vector<ScoreMerit> merits = {{.kind = ScoreKind::margin}};
  if (map.has_other) merits.push_back({.kind = ScoreKind::top_other});
  merits.push_back({.kind = ScoreKind::gate});
  require_consistent(make_scores(tune, plain_rule(ScoreKind::margin, map), map), map, "tune");

  for (const Fold& fold : draw_folds(tune.count(), seed)) {
    const Answers held_out = select(tune, fold.held_out, map.classes());
    const double share = static_cast<double>(held_out.count()) / static_cast<double>(tune.count());
    for (ScoreMerit& merit : merits) {
      const ScoreRule rule = merit.kind == ScoreKind::gate
                                 ? fit_gate(select(tune, fold.fitted, map.classes()), map)
                                 : plain_rule(merit.kind, map);
      merit.area += share * deferral_area(make_scores(held_out, rule, map), map);
    }
  }
  return merits;
}

ScoreRule choose_rule(ScoreChoice choice, const Answers& tune, const PriorityMap& map,
                      std::span<const ScoreMerit> merits) {
  if (choice == ScoreChoice::margin) return plain_rule(ScoreKind::margin, map);
  if (choice == ScoreChoice::top_other) return plain_rule(ScoreKind::top_other, map);
  if (choice == ScoreChoice::gate) return fit_gate(tune, map);
  if (merits.empty()) {
    throw Error(ErrorKind::internal, "a score was to be chosen without the merit of any");
  }
  const double best = std::ranges::max_element(merits, {}, &ScoreMerit::area)->area;
  ScoreKind simplest = ScoreKind::gate;
  for (const ScoreMerit& merit : merits) {
    if (best - merit.area <= kNoticeable) simplest = std::min(simplest, merit.kind);
  }
  return simplest == ScoreKind::gate ? fit_gate(tune, map) : plain_rule(simplest, map);
}

}  // namespace biglittle
