// SPDX-License-Identifier: MIT
#pragma once

// System-level results on the test split: how good the pair is, what stays local, and against which
// references.

#include <optional>
#include <string>
#include <vector>

#include "calibrate/deferral_curve.h"
#include "calibrate/forecast.h"
#include "calibrate/policy.h"
#include "calibrate/reliability.h"

namespace biglittle {

/// One big class on test. Accuracies are counted as the system's is.
struct ClassRow {
  std::string name;
  bool priority = false;
  std::int64_t n = 0;
  double big_accuracy = 0.0;
  double system_accuracy = 0.0;
  Rate local;    ///< of inputs of this true class, answered on the device
  Rate dropped;  ///< of these, kept there as `other`; 0 unless in filter mode
};

/// What the system said to the inputs of each true little class.
struct Confusion {
  std::vector<std::string> names;  ///< of little classes
  /// [true little class][answer]: every little class as answered on the device (`other` only in
  /// filter mode), then escalated.
  std::vector<std::vector<std::int64_t>> counts;
};

/// (low, value, high) of a difference of two accuracies measured on the same samples.
struct PairedDifference {
  double value = 0.0;
  double low = 0.0;
  double high = 0.0;
};

/// first - second with a 95 % interval for paired proportions (Newcombe 1998, method 10). Vectors
/// of equal length; true where the answer was right.
PairedDifference paired_difference(const std::vector<bool>& first, const std::vector<bool>& second);

/// Accuracies of big and of the system are over big classes; in filter mode, where the application
/// asks only which priority class an input is or other, over little classes (judge in risk.h).
struct SystemReport {
  std::int64_t n = 0;
  OtherMode other = OtherMode::escalate;
  Rate big;
  Rate little_float;           ///< over little classes
  Rate little_int8;            ///< over little classes
  Rate agreement;              ///< little int8 and float choose the same class
  PairedDifference int8_loss;  ///< accuracy(little float) - accuracy(little int8)
  Rate system;
  PairedDifference loss;       ///< accuracy(big) - accuracy(system)
  Rate local;                  ///< answered on the device (in filter mode also dropped), of all
  Rate escalated;              ///< of all
  Rate dropped;                ///< kept on the device as `other`, of all; 0 unless in filter mode
  Rate priority_local;         ///< local, of inputs whose true class is priority
  Rate priority_dropped;       ///< dropped, of inputs whose true class is priority
  Rate local_correct;          ///< right among local
  double always_little = 0.0;  ///< accuracy when the device answers whenever it may: it names a
                               ///< priority class, or in filter mode any class
  double random_escalation = 0.0;  ///< expected accuracy at the same local rate, inputs drawn at
                                   ///< random among those the device may answer
  std::vector<ClassRow> classes;
  Confusion confusion;
  DeferralCurve curve;
  TemperatureReport temperature;
  Forecast data_forecast;                  ///< in the test split's mix of classes
  std::optional<Forecast> field_forecast;  ///< in the field's, where the certificate has one
  std::vector<ScoreMerit> merits;          ///< of the scores, on tune
};

/// What a pair is judged by.
struct Evaluation {
  const Answers& test;
  const Answers& tune;                                  ///< fits the temperature
  const std::vector<std::int64_t>& little_float_class;  ///< the float little network's, on test
  double logit_scale = 1.0;                             ///< of the int8 network
};

/// Deterministic: what is drawn is drawn from the certificate's seed. Throws Error{bad_data} for
/// parts that do not fit each other.
SystemReport evaluate_system(const Evaluation& data, const EscalationPolicy& policy,
                             const PriorityMap& map, const std::vector<std::string>& classes);

Json to_json(const SystemReport& report);

}  // namespace biglittle
