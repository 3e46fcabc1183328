// SPDX-License-Identifier: MIT
#pragma once

// The statements that can be certified, each with its exact test at every step of a threshold path.
// Local(i): the device answers sample i. An answer `other` on the device (filter mode) is right
// when the truth is no priority class. In filter mode accuracy is counted over little classes, for
// big too, because the application asks only which priority class an input is, or other.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "calibrate/calibrate_options.h"
#include "calibrate/scores.h"
#include "calibrate/threshold_path.h"

namespace biglittle {

/// One statement: with probability >= 1 - delta over calibration draws, risk <= bound.
///
/// | risk | what is at most the bound | events / n | test |
/// |---|---|---|---|
/// | net-loss | accuracy(big) - accuracy(system) | D = 1: little wrong, big right, of all (offsets:
/// D = -1) | betting_p_value | | harm | P(local, little wrong, big right) | such samples of all |
/// binomial_p_value | | selective | P(little wrong given local) | wrong of the local ones |
/// binomial_p_value | | miss:<class> | P(local, answer is not c given truth c) | such samples of
/// the class | binomial_p_value | | dropped:<class> | P(local, answer is other given truth c) |
/// such samples of the class | binomial_p_value | | agreement | P(local, little differs from big) |
/// such samples of all | binomial_p_value | | cost | E[local * cost(truth, answer)] | samples with
/// a cost, of all | hoeffding_bentkus_p_value | | budget | P(escalate) | escalated of all |
/// binomial_p_value |
struct RiskResult {
  std::string risk;
  double bound = 0.0;     ///< what was asked
  double estimate = 0.0;  ///< on calibration at the chosen step
  double p_value = 1.0;
  double upper_bound = 1.0;  ///< smallest bound that passes at this step and n at the search's
                             ///< level; below 0 where the system is certified to beat big
  std::int64_t events = 0;
  std::int64_t offsets = 0;  ///< net-loss only
  std::int64_t n = 0;
  /// Samples needed (of the class for miss and dropped, local ones for selective) for the asked
  /// bound at the observed rate; empty when that rate is not below it, or so close that 10^9 would
  /// not do.
  std::optional<std::int64_t> needed;

  bool operator==(const RiskResult&) const = default;
};

/// One asked risk on one calibration set.
class Risk {
 public:
  virtual ~Risk() = default;
  virtual const std::string& name() const = 0;
  virtual double bound() const = 0;
  /// At a step of the path.
  virtual double p_value(std::int64_t step) const = 0;
  virtual RiskResult result(std::int64_t step) const = 0;
};

/// What the tests are told besides the scores.
struct RiskContext {
  const PriorityMap& map;
  const std::vector<std::string>& big_classes;
  OtherMode other = OtherMode::escalate;
  double level = 0.05;    ///< at which p-values will be compared: tunes net-loss's power only
  std::int64_t seed = 1;  ///< of net-loss's order
};

/// The risks that are asked, in the order of the table above. `overall` is the sample for
/// statements about all inputs (the field sample where a field prior is given), `by_class` for
/// statements about one class; the same object twice without a prior. The risks keep what they need
/// of the scores. Throws Error{bad_data} where a class has no calibration sample for its risk, or
/// labels are missing for a risk that needs them.
std::vector<std::unique_ptr<Risk>> asked_risks(const CalibrateOptions& options,
                                               const RiskContext& context, const Scores& overall,
                                               const Scores& by_class, const ThresholdPath& path);

/// What both networks' answers are worth for a sample.
struct Verdict {
  bool little_wrong = false;
  bool big_wrong = false;
  bool differs = false;  ///< big's answer is not little's, over little classes
};
Verdict judge(const Scores& scores, std::int64_t row, const PriorityMap& map, OtherMode other);

}  // namespace biglittle
