// SPDX-License-Identifier: MIT
#pragma once

// Runs the networks of a pair over a split: what export and evaluate judge them by.

#include <string>
#include <vector>

#include "bundle/answers.h"
#include "calibrate/evaluate.h"
#include "quant/int8_model.h"
#include "train/checkpoint.h"
#include "train/engine.h"

namespace biglittle {

/// The class of the largest logit of each row of [N, classes], the lowest index on a tie.
std::vector<std::int64_t> predicted_classes(std::span<const float> logits, std::int64_t classes);

/// Share of equal entries in two vectors of one length, in [0, 1]; 0 for empty ones.
double share_equal(std::span<const std::int64_t> left, std::span<const std::int64_t> right);

/// The networks that decide together, and the machine they are measured on.
struct NetworkPair {
  const Checkpoint& big;
  const Checkpoint& little;
  const Int8Model& little_int8;
  const Engine& engine;
  const ComputeOptions& compute;
};

/// The priority map of a little checkpoint; throws Error{bad_data} naming it when there is none.
const PriorityMap& priority_of(const Checkpoint& little);

/// The int8 network's accumulators and big's answers on `split`.
Answers answer_split(const NetworkPair& pair, const Split& split);

/// Binds a policy to the networks and to the splits that it was made from.
void bind(EscalationPolicy& policy, const NetworkPair& pair, const Dataset& dataset);

/// The float little network's answers on `split`, in little classes.
std::vector<std::int64_t> little_float_classes(const NetworkPair& pair, const Split& split);

/// System-level results on the test split under `policy`, from the answers to tune, which fit the
/// temperature, and to test.
SystemReport report_answers(const NetworkPair& pair, const RecordedAnswers& answers,
                            const EscalationPolicy& policy);

/// The report for a terminal: accuracies and shares with their intervals, the references, and what
/// 1,000 inputs lead to. What is dropped is stated in filter mode only.
std::string report_text(const SystemReport& report);

/// Class by class: accuracy of big and of the system, share answered on the device,
/// in filter mode also the share dropped.
std::string class_table(const SystemReport& report);

}  // namespace biglittle
