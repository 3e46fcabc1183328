// SPDX-License-Identifier: MIT
#include "calibrate/coverage.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "calibrate/tests.h"
#include "core/on_every_core.h"

namespace biglittle::testing {
namespace {

/// Of the answers that could stay local, those at or above a threshold.
class LocalAnswers {
 public:
  explicit LocalAnswers(const Scores& scores) {
    const PriorityMap map = world_map();
    std::vector<std::pair<std::int64_t, bool>> answers;
    for (std::size_t i = 0; i < scores.score.size(); ++i) {
      if (scores.little_class[i] == kOther || scores.score[i] == kTieScore) continue;
      const auto truth = static_cast<std::size_t>(scores.truth[i]);
      answers.emplace_back(scores.score[i], map.little_of_big[truth] != scores.little_class[i]);
    }
    std::ranges::sort(answers, std::greater<>());
    std::int64_t wrong = 0;
    for (const auto& [score, is_wrong] : answers) {
      scores_.push_back(score);
      wrong_.push_back(wrong += is_wrong);
    }
  }

  std::int64_t count() const { return std::ssize(scores_); }
  /// The score of the answer at this place in descending order.
  std::int64_t score(std::int64_t place) const { return scores_[static_cast<std::size_t>(place)]; }

  double p_value(std::int64_t threshold, double bound) const {
    const auto below = std::ranges::partition_point(
        scores_, [&](std::int64_t score) { return score >= threshold; });
    const std::int64_t local = below - scores_.begin();
    const std::int64_t wrong = local == 0 ? 0 : wrong_[static_cast<std::size_t>(local) - 1];
    return binomial_p_value(wrong, local, bound);
  }

 private:
  std::vector<std::int64_t> scores_;  ///< descending
  std::vector<std::int64_t> wrong_;   ///< among those up to each
};

LocalInputs truth_at(const Trial& trial, std::int64_t threshold) {
  return trial.world.truth(std::array{threshold, threshold, kAlwaysEscalate}, trial.field);
}

struct Judged {
  double local_share = 0.0;
  bool violates = false;
};

Judged judge_threshold(const Trial& trial, std::int64_t threshold) {
  const LocalInputs inputs = truth_at(trial, threshold);
  return {local_share(inputs), excess(inputs, trial.options) > 1e-12};
}

}  // namespace

RuleThresholds choose_thresholds(const Trial& trial, const TrialDraw& drawn) {
  const EscalationPolicy policy =
      certify(drawn.plan, drawn.calibration, world_map(), world_classes(), trial.options);
  return {.certified = policy.thresholds.at(kLittleBag),
          .bonferroni = bonferroni_threshold(drawn, trial.options),
          .sgr = sgr_threshold(drawn.calibration, trial.options)};
}

std::int64_t bonferroni_threshold(const TrialDraw& drawn, const CalibrateOptions& options) {
  const LocalAnswers answers(drawn.calibration);
  const double level = options.delta / static_cast<double>(drawn.plan.path.count());
  std::int64_t chosen = kAlwaysEscalate;
  for (const auto& thresholds : drawn.plan.path.steps) {
    const std::int64_t threshold = thresholds.at(kLittleBag);
    if (answers.p_value(threshold, options.selective) <= level) chosen = threshold;
  }
  return chosen;
}

std::int64_t sgr_threshold(const Scores& calibration, const CalibrateOptions& options) {
  const LocalAnswers answers(calibration);
  std::int64_t chosen = kAlwaysEscalate;
  if (answers.count() == 0) return chosen;
  const double trials = std::ceil(std::log2(static_cast<double>(answers.count())));
  std::int64_t passes = 0;  // places in descending order; the first is taken to pass
  std::int64_t fails = answers.count();
  for (double trial = 0.0; trial < trials; trial += 1.0) {
    const std::int64_t place = (passes + fails) / 2;
    const std::int64_t threshold = answers.score(place);
    if (answers.p_value(threshold, options.selective) <= options.delta / trials) {
      passes = place;
      chosen = std::min(chosen, threshold);
    } else {
      fails = place;
    }
  }
  return chosen;
}

std::int64_t oracle_threshold(const Trial& trial) {
  for (std::int64_t threshold = 1; threshold <= World::kHighestScore; ++threshold) {
    if (!judge_threshold(trial, threshold).violates) return threshold;
  }
  return kAlwaysEscalate;
}

Coverage compare_coverage(const Trial& trial, std::int64_t n, std::int64_t draws) {
  std::vector<RuleThresholds> chosen(static_cast<std::size_t>(draws));
  on_every_core(draws, [&](std::int64_t index) {
    chosen[static_cast<std::size_t>(index)] = choose_thresholds(trial, draw(trial, n, index));
  });
  Coverage coverage;
  const auto add = [&](RuleCoverage& rule, std::int64_t threshold) {
    const Judged judged = judge_threshold(trial, threshold);
    rule.local_share += judged.local_share / static_cast<double>(draws);
    rule.violations += judged.violates / static_cast<double>(draws);
  };
  for (const RuleThresholds& thresholds : chosen) {
    add(coverage.certified, thresholds.certified);
    add(coverage.bonferroni, thresholds.bonferroni);
    add(coverage.sgr, thresholds.sgr);
  }
  coverage.oracle = judge_threshold(trial, oracle_threshold(trial)).local_share;
  return coverage;
}

}  // namespace biglittle::testing
