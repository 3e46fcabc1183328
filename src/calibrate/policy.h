// SPDX-License-Identifier: MIT
#pragma once

// The escalation policy: an integer threshold on the int8 network's margin, with the certificate of
// the risks it keeps, bound by SHA-256 to the networks, labels and calibration split it was made on.

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "calibrate/scores.h"
#include "core/json.h"
#include "core/options.h"

namespace biglittle {

/// The device answers when it names a priority class and margin >= threshold, threshold >= 1 (ties
/// escalate). This value escalates everything: no margin reaches it.
inline constexpr std::int64_t kAlwaysEscalate = std::numeric_limits<std::int32_t>::max();

struct CalibrateOptions {
  double delta = 0.05;     ///< the certificate holds with probability >= 1 - delta
  double net_loss = 0.005; ///< eps: accuracy(big) - accuracy(system) <= eps; 0: not asked
  double miss = 0.0;       ///< alpha of every priority class: P(local, answer not c | class c); 0: not asked
  std::int64_t grid = 200; ///< at most this many thresholds, fixed on tune
  std::int64_t seed = 1;   ///< order of the betting test
  bool allow_uncertified = false;  ///< write an always-escalate policy when nothing passes
};
void describe(CalibrateOptions& options, OptionVisitor& visitor);

/// One certified statement: P(over calibration draws) >= 1 - delta that risk <= bound.
struct RiskResult {
  std::string risk;            ///< "net-loss" or "miss:<class name>"
  double bound = 0.0;          ///< what was asked
  double estimate = 0.0;       ///< on calibration at the chosen threshold
  double p_value = 1.0;        ///< at the chosen threshold
  double upper_bound = 1.0;    ///< smallest bound that passes at the chosen threshold and this n;
                               ///< below 0 where the system is certified to beat big
  std::int64_t events = 0;     ///< little wrong, big right (net-loss); misses (miss)
  std::int64_t offsets = 0;    ///< little right, big wrong, both local (net-loss only)
  std::int64_t n = 0;          ///< samples the statement is about
  /// Samples needed (of the class, for miss) for the asked bound at the observed rate; empty when that
  /// rate is not below it, or so close that 10^9 would not do.
  std::optional<std::int64_t> needed;
};

struct Certificate {
  bool certified = false;
  double delta = 0.05;
  std::vector<RiskResult> risks;
  std::string calibration_digest;
  std::string tune_digest;
  std::string little_digest;  ///< int8_digest
  std::string big_digest;     ///< network_digest of big
  std::int64_t n = 0;
  std::int64_t seed = 1;
  std::int64_t grid_size = 0;
  std::int64_t tested = 0;    ///< thresholds tested before stopping
};

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

struct EscalationPolicy {
  std::string score = "margin";
  std::int64_t threshold = kAlwaysEscalate;
  Certificate certificate;
  Rate escalation;      ///< on calibration
  Rate priority_local;  ///< local share of inputs whose true class is priority, on calibration
};

Json to_json(const EscalationPolicy& policy);
/// Throws Error{bad_data} that begins with `name` for a missing or unknown key, a wrong type, a number
/// out of range, a format it does not know, or a threshold that its certificate does not cover.
EscalationPolicy policy_from_json(const Json& json, std::string_view name);

/// The certificate as one sentence for people, or why there is none.
std::string explain(const EscalationPolicy& policy);

/// At most `size` thresholds, from the safest (largest) to 1, spread over the margins of the priority
/// answers on tune so that each step lets about equally many more stay local.
std::vector<std::int64_t> threshold_grid(const Scores& tune, const PriorityMap& map,
                                         std::int64_t size);

/// The fixed-sequence test: from the safest threshold towards more local answers, each threshold is
/// accepted while the largest p-value over the asked risks is <= delta; the last accepted one is
/// the policy's. (Fixed-sequence testing: Maurer, Hothorn, Lehmacher 1995; in risk control: Angelopoulos
/// et al., "Learn then Test", 2021, section 2.) Nothing accepted: threshold = kAlwaysEscalate,
/// certified = false, with the risks filled for the grid's safest threshold, the one that failed.
/// The digests are left empty for the caller. Throws Error{config} when no risk is asked and Error{bad_data} for empty or single-class scores
/// where a class has no calibration sample for its miss risk.
EscalationPolicy calibrate(const Scores& tune, const Scores& calibration, const PriorityMap& map,
                           const CalibrateOptions& options);

}  // namespace biglittle
