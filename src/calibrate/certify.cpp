// SPDX-License-Identifier: MIT
// The fixed-sequence search along a path.

#include <fmt/format.h>

#include <algorithm>

#include "calibrate/policy.h"
#include "calibrate/search.h"

namespace biglittle {
namespace {

bool asks_for_labels(const CalibrateOptions& options) {
  CalibrateOptions unlabelled = options;
  unlabelled.agreement = 0.0;
  return asks_risk(unlabelled) || !options.field_prior.empty();
}

/// Where the other constraints would let the search go if escalations did not count.
std::string describe_conflict(const Certificate& certificate,
                              const std::vector<std::unique_ptr<Risk>>& risks) {
  const auto budget =
      std::ranges::find_if(risks, [](const auto& risk) { return risk->name() == "budget"; });
  if (certificate.certified || budget == risks.end() || risks.size() < 2) return "";
  const double level = reported_level(certificate);
  std::int64_t last = -1;
  for (std::int64_t step = 0; step < certificate.path.count(); ++step) {
    const bool others_pass = std::ranges::all_of(
        risks, [&](const auto& risk) { return risk == *budget || risk->p_value(step) <= level; });
    if (others_pass) last = std::max(last, step);
  }
  if (last < 0) return "";
  const RiskResult escalation = (*budget)->result(last);
  return fmt::format(
      "the other bounds can be kept only where about {:.1f} % of the inputs escalate, and that can "
      "only be bounded by {:.1f} %",
      100.0 * escalation.estimate, 100.0 * escalation.upper_bound);
}

}  // namespace

EscalationPolicy certify(const SearchPlan& plan, const Scores& calibration, const PriorityMap& map,
                         const std::vector<std::string>& big_classes,
                         const CalibrateOptions& options) {
  require_consistent(calibration, map, "calibration",
                     asks_for_labels(options) ? Labels::needed : Labels::optional);
  const CalibrationSample sample(calibration, plan.field_shares, options.seed, big_classes);
  EscalationPolicy policy;
  policy.rule = plan.rule;
  policy.other = options.other;
  policy.merits = plan.merits;
  policy.audit.fraction = options.audit_fraction;
  policy.audit.level = options.audit_level;

  Certificate& certificate = policy.certificate;
  certificate.delta = options.delta;
  certificate.big_classes = big_classes;
  certificate.field_shares = plan.field_shares;
  certificate.cost = options.cost;
  certificate.path = plan.path;
  certificate.n = calibration.count();
  certificate.field_n = sample.field_count();
  certificate.seed = options.seed;
  certificate.starts = starting_steps(plan.path, sample.overall().count(), options);

  const RiskContext context{map, big_classes, options.other, options.delta, options.seed};
  auto risks = asked_risks(options, context, sample.overall(), sample.by_class(), plan.path);
  StepTests tests(risks, plan.path.count());
  certificate.step = last_accepted_step(certificate, tests);
  certificate.certified = certificate.step >= 0;
  certificate.tested = tests.tested();
  if (!certificate.certified) {
    const RiskContext failed{map, big_classes, options.other, reported_level(certificate),
                             options.seed};
    risks = asked_risks(options, failed, sample.overall(), sample.by_class(), plan.path);
  }
  const std::int64_t reported =
      certificate.certified ? certificate.step : certificate.starts.front();
  for (const auto& risk : risks) certificate.risks.push_back(risk->result(reported));
  certificate.conflict = describe_conflict(certificate, risks);
  policy.thresholds =
      certificate.certified
          ? plan.path.steps[static_cast<std::size_t>(certificate.step)]
          : std::vector<std::int64_t>(static_cast<std::size_t>(map.classes()), kAlwaysEscalate);
  const LocalRates rates = measure_rates(policy.thresholds, options.delta, calibration, map);
  policy.escalation = rates.escalation;
  policy.priority_local = rates.priority_local;
  policy.audit.disagreement = rates.disagreement;
  return policy;
}

}  // namespace biglittle
