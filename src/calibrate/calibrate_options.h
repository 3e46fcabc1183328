// SPDX-License-Identifier: MIT
#pragma once

// What is asked of the escalation policy: section [calibrate] of the config.

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calibrate/score_rule.h"
#include "core/options.h"
#include "data/priority.h"

namespace biglittle {

enum class ThresholdKind { one, per_class };
template <>
struct EnumNames<ThresholdKind> {
  static constexpr std::array<std::string_view, 2> names = {"one", "per-class"};
};

/// What the device does with inputs it believes to be of no priority class.
enum class OtherMode {
  escalate,  ///< ask the big network
  answer     ///< filter mode: a confident `other` stays on the device
};
template <>
struct EnumNames<OtherMode> {
  static constexpr std::array<std::string_view, 2> names = {"escalate", "answer"};
};

/// What a wrong local answer costs: table[true class][answered class] in [0, 1], by name; big
/// classes for the truth, little ones (so also "other") for the answer. What is not stated costs 0.
struct CostOptions {
  double bound = 0.0;  ///< E[cost of local answers] <= bound; 0: not asked
  std::map<std::string, std::map<std::string, double>> table = {};
};
void describe(CostOptions& options, OptionVisitor& visitor);

/// Bounds are rates in [0, 1]; 0: not asked. The statements are those of risk.h.
struct CalibrateOptions {
  double delta = 0.05;  ///< the certificate holds with probability >= 1 - delta
  double net_loss = 0.005;
  double harm = 0.0;
  double selective = 0.0;
  double miss = 0.0;                           ///< of every priority class
  std::map<std::string, double> miss_of = {};  ///< of single priority classes, in place of `miss`
  double agreement = 0.0;
  double budget = 0.0;
  double dropped = 0.0;  ///< of every priority class; needs other = answer
  std::map<std::string, double> dropped_of = {};
  CostOptions cost = {};
  ScoreChoice score = ScoreChoice::margin;
  ThresholdKind thresholds = ThresholdKind::one;
  OtherMode other = OtherMode::escalate;
  std::int64_t grid = 200;  ///< at most this many steps, fixed on tune
  std::int64_t starts = 0;  ///< of the search, sharing delta; 0: ten for selective, else one
  /// Share of inputs by big class where the device will be; what is left is shared by the classes
  /// not named, as in tune. Empty: as in the data.
  std::map<std::string, double> field_prior = {};
  double audit_fraction = 0.01;    ///< of local answers sent up anyway
  double audit_level = 0.01;       ///< chance that the drift alarm is ever false
  std::int64_t seed = 1;           ///< of the betting order, the field sample and the gate's folds
  bool allow_uncertified = false;  ///< write an always-escalate policy when nothing passes
};
void describe(CalibrateOptions& options, OptionVisitor& visitor);

/// Throws Error{config} for options that no data could satisfy: nothing asked, values out of range,
/// a name that is no (priority) class with the closest one, `dropped` without other = answer,
/// filter mode without a `dropped` bound for every priority class, a mode or score that needs an
/// `other` where there is none, a cost of a right answer, a bound on costs that are all 0, a field
/// prior above 1, or below 1 though it names every class.
void check_options(const CalibrateOptions& options, const PriorityMap& map,
                   std::span<const std::string> big_classes);

/// True when at least one risk is asked (a budget alone is not one: it bounds no error).
bool asks_risk(const CalibrateOptions& options);

/// What the field's mix is, [big classes], summing to 1; `counts` are the tune samples of each
/// class. Throws Error{bad_data} where tune has no sample of the classes that share what is left.
std::vector<double> field_shares(const CalibrateOptions& options,
                                 std::span<const std::string> big_classes,
                                 std::span<const std::int64_t> counts);

}  // namespace biglittle
