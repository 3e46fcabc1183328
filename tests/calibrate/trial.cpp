// SPDX-License-Identifier: MIT
#include "calibrate/trial.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/on_every_core.h"

namespace biglittle::testing {
namespace {

/// Rates are compared with bounds beyond rounding.
constexpr double kRounding = 1e-12;

std::vector<double> told_field(const Trial& trial) {
  if (!trial.corrects_field || trial.field == trial.world.of_class()) return {};
  return {trial.field.begin(), trial.field.end()};
}

/// First step of the path that answers this row; path.count() for none.
std::int64_t entry_step(const Scores& scores, std::size_t row, const ThresholdPath& path) {
  const auto answer = static_cast<std::size_t>(scores.little_class[row]);
  const auto found = std::ranges::partition_point(
      path.steps, [&](const auto& thresholds) { return scores.score[row] < thresholds[answer]; });
  return found - path.steps.begin();
}

/// How much an input of each class counts for the field's mix: [big classes].
Shares weights(const Trial& trial, const Scores& scores) {
  Shares counts{};
  for (const std::int64_t truth : scores.truth) counts[static_cast<std::size_t>(truth)] += 1.0;
  Shares weight{};
  const bool corrects = !told_field(trial).empty();
  for (std::size_t c = 0; c < weight.size(); ++c) {
    if (counts[c] == 0.0) continue;
    weight[c] = corrects ? trial.field[c] / counts[c] : 1.0 / static_cast<double>(scores.count());
  }
  return weight;
}

bool breaks_promise(const Trial& trial, const ThresholdPath& path, std::int64_t step) {
  if (step < 0) return false;
  const auto& thresholds = path.steps[static_cast<std::size_t>(step)];
  return excess(trial.world.truth(thresholds, trial.field), trial.options) > kRounding;
}

}  // namespace

TrialDraw draw(const Trial& trial, std::int64_t n, std::int64_t index) {
  Random random(2024, static_cast<std::uint64_t>(n), static_cast<std::uint64_t>(index));
  const PriorityMap map = world_map();
  const Scores tune = trial.world.draw(n, random);
  TrialDraw drawn;
  drawn.plan.rule = plain_rule(ScoreKind::margin, map);
  drawn.plan.path = threshold_path(tune, map, drawn.plan.rule, trial.options);
  drawn.plan.field_shares = told_field(trial);
  if (!drawn.plan.field_shares.empty()) {
    drawn.plan.path.local_share = local_shares(tune, drawn.plan.path, drawn.plan.field_shares);
  }
  drawn.calibration = trial.world.draw(n, random);
  return drawn;
}

std::int64_t naive_step(const Trial& trial, const TrialDraw& drawn) {
  const Scores& scores = drawn.calibration;
  const ThresholdPath& path = drawn.plan.path;
  const Shares weight = weights(trial, scores);
  std::vector<LocalInputs> entering(static_cast<std::size_t>(path.count()) + 1);
  LocalInputs measured;
  for (std::size_t row = 0; row < scores.score.size(); ++row) {
    const auto truth = static_cast<std::size_t>(scores.truth[row]);
    const auto step = static_cast<std::size_t>(entry_step(scores, row, path));
    measured.of_class[truth] += weight[truth];
    entering[step].local[truth][static_cast<std::size_t>(scores.little_class[row])]
                        [static_cast<std::size_t>(scores.big_class[row])] += weight[truth];
  }
  std::int64_t chosen = -1;
  for (std::int64_t step = 0; step < path.count(); ++step) {
    const LocalInputs& entered = entering[static_cast<std::size_t>(step)];
    for (std::size_t truth = 0; truth < kBigClasses; ++truth) {
      for (std::size_t answer = 0; answer < kLittleClasses; ++answer) {
        for (std::size_t big = 0; big < kBigClasses; ++big) {
          measured.local[truth][answer][big] += entered.local[truth][answer][big];
        }
      }
    }
    if (excess(measured, trial.options) <= kRounding) chosen = step;
  }
  return chosen;
}

Outcome decide(const Trial& trial, const TrialDraw& drawn) {
  const ThresholdPath& path = drawn.plan.path;
  const EscalationPolicy policy =
      certify(drawn.plan, drawn.calibration, world_map(), world_classes(), trial.options);
  Outcome outcome;
  outcome.certified = policy.certificate.certified;
  const LocalInputs truth = trial.world.truth(policy.thresholds, trial.field);
  outcome.certified_violates = outcome.certified && excess(truth, trial.options) > kRounding;
  outcome.local_share = local_share(truth);
  outcome.naive_violates = breaks_promise(trial, path, naive_step(trial, drawn));
  return outcome;
}

Violations simulate(const Trial& trial, std::int64_t n, std::int64_t draws) {
  std::vector<Outcome> outcomes(static_cast<std::size_t>(draws));
  on_every_core(draws, [&](std::int64_t index) {
    outcomes[static_cast<std::size_t>(index)] = decide(trial, draw(trial, n, index));
  });
  Violations sum;
  for (const Outcome& outcome : outcomes) {
    sum.certified += outcome.certified_violates;
    sum.naive += outcome.naive_violates;
    sum.given += outcome.certified;
    sum.local_share += outcome.local_share;
  }
  const auto count = static_cast<double>(draws);
  return {sum.certified / count, sum.naive / count, sum.given / count, sum.local_share / count};
}

double highest_plausible(double delta, std::int64_t draws) {
  return delta + 3.0 * std::sqrt(delta * (1.0 - delta) / static_cast<double>(draws));
}

}  // namespace biglittle::testing
