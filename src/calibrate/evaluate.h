// SPDX-License-Identifier: MIT
#pragma once

// System-level results on the test split: how good the pair is, what stays local, and against which
// references.

#include <string>
#include <vector>

#include "calibrate/policy.h"

namespace biglittle {

struct ClassRow {
  std::string name;
  std::int64_t n = 0;
  double big_accuracy = 0.0;
  double system_accuracy = 0.0;
  double local_share = 0.0;  ///< of inputs of this true class
  bool priority = false;
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

struct SystemReport {
  std::int64_t n = 0;
  Rate big;           ///< over big classes
  Rate little_float;  ///< over little classes
  Rate little_int8;
  Rate agreement;         ///< little int8 and float choose the same class
  Rate system;            ///< over big classes
  PairedDifference loss;  ///< accuracy(big) - accuracy(system)
  Rate local;             ///< answered on the device, of all
  Rate priority_local;    ///< of inputs whose true class is priority
  Rate local_correct;     ///< right among answered on the device
  double always_little =
      0.0;  ///< accuracy when the device answers whenever it names a priority class
  double random_escalation = 0.0;  ///< expected accuracy at the same local rate, inputs drawn at
                                   ///< random among those the device names a priority class for
  std::vector<ClassRow> classes;
};

/// `little_float_class` [N]: the float little network's answers.
SystemReport evaluate_system(const Scores& test,
                             const std::vector<std::int64_t>& little_float_class,
                             const EscalationPolicy& policy, const PriorityMap& map,
                             const std::vector<std::string>& classes);

Json to_json(const SystemReport& report);

}  // namespace biglittle
