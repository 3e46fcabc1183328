// SPDX-License-Identifier: MIT
#pragma once

// The escalation policy: integer thresholds on the int8 network's score, with the certificate of
// the risks they keep, bound by SHA-256 to the networks, labels and calibration split they were
// made on.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calibrate/calibrate_options.h"
#include "calibrate/risk.h"
#include "calibrate/scores.h"
#include "calibrate/threshold_path.h"
#include "core/json.h"

namespace biglittle {

/// What is certified, by which search, on which data.
struct Certificate {
  bool certified = false;
  double delta = 0.05;
  std::vector<RiskResult> risks;  ///< at the chosen step; at the first one tried where none passed
  std::vector<std::string> big_classes;    ///< names the risks' classes
  std::vector<double> field_shares;        ///< [big classes]; empty: the data's own mix
  CostOptions cost;                        ///< as asked, for the risk "cost"
  ThresholdPath path;                      ///< fixed on tune
  std::vector<std::int64_t> starts = {0};  ///< steps at which the search began
  std::int64_t step = -1;                  ///< the chosen one; -1: none passed
  std::int64_t tested = 0;                 ///< steps tested, over all chains
  /// Where nothing is certified though a budget is kept at the start: the first step at which the
  /// other constraints would pass and the escalation rate there, in words; else empty.
  std::string conflict;
  std::string calibration_digest;
  std::string tune_digest;
  std::string little_digest;  ///< int8_digest
  std::string big_digest;     ///< network_digest of big
  std::int64_t n = 0;         ///< calibration samples
  std::int64_t field_n = 0;   ///< of these, drawn to the field's mix; 0 without a field prior
  std::int64_t seed = 1;
};

/// What was asked of `certificate`, as far as its risks say it: bounds, costs, nothing else. Throws
/// Error{bad_data} that begins with `name` for a risk it does not know.
CalibrateOptions options_of(const Certificate& certificate, std::string_view name);

/// Rates with exact (Clopper-Pearson) two-sided intervals at 95 %.
struct Rate {
  std::int64_t count = 0;
  std::int64_t n = 0;
  double value = 0.0;
  double low = 0.0;
  double high = 1.0;
};
Rate make_rate(std::int64_t count, std::int64_t n);
Json to_json(const Rate& rate);

/// Of the local answers, which are sent up anyway to watch for drift, and when the alarm sounds
/// (drift.h).
struct AuditRule {
  double fraction = 0.01;     ///< of local answers
  double disagreement = 1.0;  ///< P(little differs from big given local) is at most this, by
                              ///< Clopper and Pearson at delta on calibration
  double level = 0.01;        ///< chance of a false alarm, ever

  bool operator==(const AuditRule&) const = default;
};

/// The device answers when score >= thresholds[answer].
struct EscalationPolicy {
  ScoreRule rule;
  std::vector<std::int64_t> thresholds;  ///< [little classes]; kAlwaysEscalate: never answered
  OtherMode other = OtherMode::escalate;
  Certificate certificate;
  Rate escalation;      ///< on calibration
  Rate priority_local;  ///< local share of inputs whose true class is priority, on calibration;
                        ///< n = 0 where labels are not known
  AuditRule audit;
  std::vector<ScoreMerit> merits;  ///< of the scores, on tune
};

/// True where no input stays on the device.
bool always_escalates(const EscalationPolicy& policy);

Json to_json(const EscalationPolicy& policy);
/// Throws Error{bad_data} that begins with `name` for a missing or unknown key, a wrong type, a
/// number out of range, a format it does not know, or a threshold that its certificate does not
/// cover.
EscalationPolicy policy_from_json(const Json& json, std::string_view name);

/// The certificate as one sentence for people, or why there is none.
std::string explain(const EscalationPolicy& policy);

/// Everything about the search that is fixed on tune, before calibration is looked at.
struct SearchPlan {
  ScoreRule rule;
  ThresholdPath path;
  std::vector<double> field_shares;  ///< [big classes]; empty without a field prior
  std::vector<ScoreMerit> merits;
};

/// Throws what check_options, threshold_path and compare_scores throw.
SearchPlan plan_search(const Answers& tune, const PriorityMap& map,
                       const std::vector<std::string>& big_classes,
                       const CalibrateOptions& options);

/// Steps are tested in the order of the path, from the starting steps on, by the largest p-value
/// over the asked risks. With one start: each is accepted while that is <= delta, and the search
/// ends at the first that is not (fixed-sequence testing: Maurer, Hothorn, Lehmacher 1995). Several
/// starts share delta, a quarter or more for the first and the rest in equal parts; a step is
/// tested at its own part and what the accepted step before it hands on (the fallback procedure:
/// Wiens 2003; Wiens & Dmitrienko 2005), so that a search that fails early goes on at the next
/// start, and one that does not soon tests at delta again. The policy's step is the last one
/// accepted. The first start is the first step where tune predicts, for `selective`, at least 1.5
/// ln(level) / ln(1 - bound) local calibration samples and, for `budget`, an escalation rate that
/// would pass; the others are spread evenly over the rest of the path. Nothing accepted: everything
/// escalates, certified = false, with the risks at the first step tried. The digests are left empty
/// for the caller. Throws what asked_risks, field_sample and require_consistent throw.
EscalationPolicy certify(const SearchPlan& plan, const Scores& calibration, const PriorityMap& map,
                         const std::vector<std::string>& big_classes,
                         const CalibrateOptions& options);

/// Computes the certificate's p-values again from the calibration scores and throws Error{bad_data}
/// that begins with `name` where a number differs, or a step from a start to the chosen one does
/// not pass.
void recheck(const EscalationPolicy& policy, const Scores& calibration, const PriorityMap& map,
             std::string_view name);

}  // namespace biglittle
