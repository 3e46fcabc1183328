// SPDX-License-Identifier: MIT
// The fixed-sequence search along a path, and its repetition from what a policy records.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>

#include "calibrate/field_sample.h"
#include "calibrate/policy.h"
#include "calibrate/tests.h"
#include "core/error.h"

namespace biglittle {
namespace {

/// The calibration samples as the statements are about them.
class CalibrationSample {
 public:
  CalibrationSample(const Scores& calibration, const std::vector<double>& field_shares,
                    std::int64_t seed, const std::vector<std::string>& big_classes)
      : by_class_(calibration) {
    if (field_shares.empty()) return;
    field_ = select(calibration,
                    field_sample(calibration, field_shares, seed, big_classes, "calibration"));
  }

  /// For statements about one class.
  const Scores& by_class() const { return by_class_; }
  /// For statements about all inputs.
  const Scores& overall() const { return field_ ? *field_ : by_class_; }
  std::int64_t field_count() const { return field_ ? field_->count() : 0; }

 private:
  const Scores& by_class_;
  std::optional<Scores> field_;
};

bool asks_for_labels(const CalibrateOptions& options) {
  CalibrateOptions unlabelled = options;
  unlabelled.agreement = 0.0;
  return asks_risk(unlabelled) || !options.field_prior.empty();
}

/// Largest p-value over the risks at each step, computed when first asked for.
class StepTests {
 public:
  StepTests(const std::vector<std::unique_ptr<Risk>>& risks, std::int64_t steps)
      : risks_(risks), p_values_(static_cast<std::size_t>(steps)) {}

  double p_value(std::int64_t step) {
    std::optional<double>& known = p_values_[static_cast<std::size_t>(step)];
    if (!known) {
      known = 0.0;
      for (const auto& risk : risks_) known = std::max(*known, risk->p_value(step));
    }
    return *known;
  }

  std::int64_t tested() const {
    return std::ranges::count_if(p_values_, [](const auto& p) { return p.has_value(); });
  }

 private:
  const std::vector<std::unique_ptr<Risk>>& risks_;
  std::vector<std::optional<double>> p_values_;
};

/// The first step that tune says is worth testing: enough local samples for `selective`, few enough
/// escalations for `budget`.
std::int64_t first_start(const ThresholdPath& path, double n, const CalibrateOptions& options,
                         double level) {
  const double local_needed =
      options.selective > 0.0 ? 1.5 * std::log(level) / std::log1p(-options.selective) : 0.0;
  for (std::int64_t step = 0; step < path.count(); ++step) {
    const double local = n * path.local_share[static_cast<std::size_t>(step)];
    if (local < local_needed) continue;
    if (options.budget > 0.0) {
      const auto escalated = static_cast<std::int64_t>(std::llround(n - local));
      if (binomial_p_value(escalated, std::llround(n), options.budget) > level) continue;
    }
    return step;
  }
  return path.count() - 1;
}

std::vector<std::int64_t> starting_steps(const ThresholdPath& path, std::int64_t n,
                                         const CalibrateOptions& options) {
  const double level = options.delta / static_cast<double>(options.starts);
  const std::int64_t first = first_start(path, static_cast<double>(n), options, level);
  std::vector<std::int64_t> starts;
  for (std::int64_t chain = 0; chain < options.starts; ++chain) {
    starts.push_back(first + chain * (path.count() - first) / options.starts);
  }
  const auto repeated = std::ranges::unique(starts);
  starts.erase(repeated.begin(), repeated.end());
  return starts;
}

double level_of(const Certificate& certificate) {
  return certificate.delta / static_cast<double>(certificate.starts.size());
}

/// Follows every chain; the chosen step is the last that any of them accepted.
void search(Certificate& certificate, StepTests& tests) {
  const double level = level_of(certificate);
  for (const std::int64_t start : certificate.starts) {
    for (std::int64_t step = start; step < certificate.path.count(); ++step) {
      if (tests.p_value(step) > level) break;
      certificate.step = std::max(certificate.step, step);
    }
  }
  certificate.certified = certificate.step >= 0;
  certificate.tested = tests.tested();
}

/// Where the other constraints would let the search go if escalations did not count.
std::string describe_conflict(const Certificate& certificate,
                              const std::vector<std::unique_ptr<Risk>>& risks) {
  const auto budget =
      std::ranges::find_if(risks, [](const auto& risk) { return risk->name() == "budget"; });
  if (certificate.certified || budget == risks.end() || risks.size() < 2) return "";
  const double level = level_of(certificate);
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

void measure_rates(EscalationPolicy& policy, const Scores& scores, const PriorityMap& map) {
  std::int64_t local = 0;
  std::int64_t differing = 0;
  std::int64_t priority = 0;
  std::int64_t local_priority = 0;
  for (std::int64_t row = 0; row < scores.count(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    const bool is_local = answers_locally(scores, row, policy.thresholds);
    const auto big = static_cast<std::size_t>(scores.big_class[at]);
    local += is_local;
    differing += is_local && map.little_of_big[big] != scores.little_class[at];
    if (scores.truth.empty()) continue;
    const auto truth = static_cast<std::size_t>(scores.truth[at]);
    const bool is_priority = map.little_of_big[truth] < map.priorities();
    priority += is_priority;
    local_priority += is_local && is_priority;
  }
  policy.escalation = make_rate(scores.count() - local, scores.count());
  policy.priority_local = make_rate(local_priority, priority);
  policy.audit.disagreement =
      local == 0 ? 1.0 : clopper_pearson_upper(differing, local, policy.certificate.delta);
}

/// Equal but for what another machine's mathematics library may round differently.
bool same_number(double recorded, double computed) {
  return std::abs(recorded - computed) <= 1e-9 + 1e-6 * std::abs(computed);
}

void require_same(const RiskResult& recorded, const RiskResult& computed, std::string_view name) {
  const auto refuse = [&](std::string_view what, auto found, auto stated) {
    throw Error(ErrorKind::bad_data,
                fmt::format("{}: {} of {} is {} by the recorded answers, the certificate says {}",
                            name, what, computed.risk, found, stated));
  };
  if (recorded.risk != computed.risk) {
    throw Error(ErrorKind::bad_data, fmt::format("{}: the certificate's risk '{}' cannot be found",
                                                 name, recorded.risk));
  }
  if (recorded.events != computed.events) refuse("events", computed.events, recorded.events);
  if (recorded.offsets != computed.offsets) refuse("offsets", computed.offsets, recorded.offsets);
  if (recorded.n != computed.n) refuse("n", computed.n, recorded.n);
  if (!same_number(recorded.p_value, computed.p_value)) {
    refuse("p_value", computed.p_value, recorded.p_value);
  }
  if (!same_number(recorded.upper_bound, computed.upper_bound)) {
    refuse("upper_bound", computed.upper_bound, recorded.upper_bound);
  }
  if (!same_number(recorded.estimate, computed.estimate)) {
    refuse("estimate", computed.estimate, recorded.estimate);
  }
}

}  // namespace

CalibrateOptions options_of(const Certificate& certificate, std::string_view name) {
  CalibrateOptions options;
  options.net_loss = 0.0;
  options.cost.table = certificate.cost.table;
  for (const RiskResult& risk : certificate.risks) {
    const std::size_t colon = risk.risk.find(':');
    const std::string kind = risk.risk.substr(0, colon);
    const std::string of = colon == std::string::npos ? "" : risk.risk.substr(colon + 1);
    if (kind == "net-loss") {
      options.net_loss = risk.bound;
    } else if (kind == "harm") {
      options.harm = risk.bound;
    } else if (kind == "selective") {
      options.selective = risk.bound;
    } else if (kind == "miss") {
      options.miss_of[of] = risk.bound;
    } else if (kind == "dropped") {
      options.dropped_of[of] = risk.bound;
    } else if (kind == "agreement") {
      options.agreement = risk.bound;
    } else if (kind == "cost") {
      options.cost.bound = risk.bound;
    } else if (kind == "budget") {
      options.budget = risk.bound;
    } else {
      throw Error(ErrorKind::bad_data, fmt::format("{}: unknown risk '{}'", name, risk.risk));
    }
  }
  return options;
}

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

  const RiskContext context{map, big_classes, options.other, level_of(certificate), options.seed};
  const auto risks = asked_risks(options, context, sample.overall(), sample.by_class(), plan.path);
  StepTests tests(risks, plan.path.count());
  search(certificate, tests);
  const std::int64_t reported =
      certificate.certified ? certificate.step : certificate.starts.front();
  for (const auto& risk : risks) certificate.risks.push_back(risk->result(reported));
  certificate.conflict = describe_conflict(certificate, risks);
  policy.thresholds =
      certificate.certified
          ? plan.path.steps[static_cast<std::size_t>(certificate.step)]
          : std::vector<std::int64_t>(static_cast<std::size_t>(map.classes()), kAlwaysEscalate);
  measure_rates(policy, calibration, map);
  return policy;
}

void recheck(const EscalationPolicy& policy, const Scores& calibration, const PriorityMap& map,
             std::string_view name) {
  const Certificate& certificate = policy.certificate;
  const CalibrateOptions options = options_of(certificate, name);
  const CalibrationSample sample(calibration, certificate.field_shares, certificate.seed,
                                 certificate.big_classes);
  const RiskContext context{map, certificate.big_classes, policy.other, level_of(certificate),
                            certificate.seed};
  const auto risks =
      asked_risks(options, context, sample.overall(), sample.by_class(), certificate.path);
  if (risks.size() != certificate.risks.size()) {
    throw Error(
        ErrorKind::bad_data,
        fmt::format(
            "{}: the certificate names a risk twice, or of a class that is no priority class",
            name));
  }
  const std::int64_t reported =
      certificate.certified ? certificate.step : certificate.starts.front();
  for (std::size_t i = 0; i < risks.size(); ++i) {
    require_same(certificate.risks[i], risks[i]->result(reported), name);
  }
  if (!certificate.certified) return;
  // The chain that reached the step: from the last start at or before it.
  const auto after = std::ranges::upper_bound(certificate.starts, certificate.step);
  if (after == certificate.starts.begin()) {
    throw Error(ErrorKind::bad_data,
                fmt::format("{}: the search starts after its chosen step", name));
  }
  StepTests tests(risks, certificate.path.count());
  for (std::int64_t step = *std::prev(after); step <= certificate.step; ++step) {
    if (tests.p_value(step) <= level_of(certificate)) continue;
    throw Error(
        ErrorKind::bad_data,
        fmt::format("{}: step {} of the search does not pass by the recorded answers", name, step));
  }
}

}  // namespace biglittle
