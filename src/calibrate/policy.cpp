// SPDX-License-Identifier: MIT
#include "calibrate/policy.h"

#include <algorithm>

#include "calibrate/tests.h"

namespace biglittle {

Rate make_rate(std::int64_t count, std::int64_t n) {
  constexpr double kEachSide = 0.025;
  Rate rate;
  rate.count = count;
  rate.n = n;
  rate.value = n == 0 ? 0.0 : static_cast<double>(count) / static_cast<double>(n);
  rate.low = clopper_pearson_lower(count, n, kEachSide);
  rate.high = clopper_pearson_upper(count, n, kEachSide);
  return rate;
}

bool always_escalates(const EscalationPolicy& policy) {
  return std::ranges::all_of(policy.thresholds,
                             [](std::int64_t threshold) { return threshold >= kAlwaysEscalate; });
}

SearchPlan plan_search(const Answers& tune, const PriorityMap& map,
                       const std::vector<std::string>& big_classes,
                       const CalibrateOptions& options) {
  check_options(options, map, big_classes);
  SearchPlan plan;
  plan.merits = compare_scores(tune, map, options.seed);
  plan.rule = choose_rule(options.score, tune, map, plan.merits);
  const Scores scores = make_scores(tune, plan.rule, map);
  plan.path = threshold_path(scores, map, plan.rule, options, big_classes);
  if (!options.field_prior.empty()) {
    std::vector<std::int64_t> counts(big_classes.size(), 0);
    for (const std::int64_t truth : tune.truth) ++counts[static_cast<std::size_t>(truth)];
    plan.field_shares = field_shares(options, big_classes, counts);
    plan.path.local_share = local_shares(scores, plan.path, plan.field_shares);
  }
  return plan;
}

}  // namespace biglittle
