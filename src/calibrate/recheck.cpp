// SPDX-License-Identifier: MIT
// A certificate computed again from what a policy and its bundle record.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "calibrate/policy.h"
#include "calibrate/search.h"
#include "core/error.h"

namespace biglittle {
namespace {

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

/// What the policy says of its thresholds beside the risks.
void require_same_rates(const EscalationPolicy& policy, const Scores& calibration,
                        const PriorityMap& map, std::string_view name) {
  const LocalRates rates =
      measure_rates(policy.thresholds, policy.certificate.delta, calibration, map);
  if (policy.escalation.count == rates.escalation.count &&
      policy.escalation.n == rates.escalation.n &&
      policy.priority_local.count == rates.priority_local.count &&
      policy.priority_local.n == rates.priority_local.n &&
      same_number(policy.audit.disagreement, rates.disagreement)) {
    return;
  }
  throw Error(ErrorKind::bad_data,
              fmt::format("{}: escalation, priority_local or audit.disagreement is not what the "
                          "recorded answers give",
                          name));
}

}  // namespace

CalibrateOptions options_of(const Certificate& certificate, std::string_view name) {
  CalibrateOptions options;
  options.delta = certificate.delta;
  options.starts = std::ssize(certificate.starts);
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

void recheck(const EscalationPolicy& policy, const Scores& calibration, const PriorityMap& map,
             std::string_view name) {
  const Certificate& certificate = policy.certificate;
  const CalibrateOptions options = options_of(certificate, name);
  const CalibrationSample sample(calibration, certificate.field_shares, certificate.seed,
                                 certificate.big_classes);
  if (certificate.starts != starting_steps(certificate.path, sample.overall().count(), options)) {
    throw Error(ErrorKind::bad_data,
                fmt::format("{}: the search did not start where its path says", name));
  }
  const RiskContext context{map, certificate.big_classes, policy.other, reported_level(certificate),
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
  require_same_rates(policy, calibration, map, name);
  if (!certificate.certified) return;
  StepTests tests(risks, certificate.path.count());
  const std::int64_t step = last_accepted_step(certificate, tests);
  if (step == certificate.step) return;
  throw Error(ErrorKind::bad_data,
              fmt::format("{}: the search ends at step {} by the recorded answers, the certificate "
                          "says {}",
                          name, step, certificate.step));
}

}  // namespace biglittle
