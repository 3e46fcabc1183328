// SPDX-License-Identifier: MIT
#pragma once

// Derives the little network: priority classes plus "other", by distilling the big network or by
// retraining on relabelled data.

#include <string>
#include <vector>

#include "train/train_big.h"

namespace biglittle {

enum class DeriveMethod { distill, retrain };
template <>
struct EnumNames<DeriveMethod> {
  static constexpr std::array<std::string_view, 2> names = {"distill", "retrain"};
};

struct LittleOptions {
  std::vector<std::string> priority;  ///< class names, or "all"
  DeriveMethod method = DeriveMethod::distill;
  double temperature = 3.0;
  double soft_weight = 0.9;
  TeacherLogits teacher_logits = TeacherLogits::cached;
  NetworkOptions network;
  TrainOptions train;
};
void describe(LittleOptions& options, OptionVisitor& visitor);

/// What the little network learns from a dataset. A fit request made from it refers to its labels.
struct LittleTask {
  PriorityMap map;
  std::vector<std::int64_t> train_labels;  ///< in the little network's classes
  std::vector<std::int64_t> tune_labels;
};
LittleTask little_task(const Dataset& dataset, const LittleOptions& options);

/// The samples, labels, options and, for distill, teacher that derivation fits with;
/// quantization-aware fine-tuning takes the same. `dataset` and `task` must outlive it.
FitRequest little_objective(const Checkpoint& big, const Dataset& dataset, const LittleTask& task,
                            const LittleOptions& options);

/// Trains the little network on the train split relabelled by the priority map, keeps the best on
/// tune, saves `context.checkpoint`, appends to `context.metrics` and returns the checkpoint.
/// Throws Error{bad_data} when `big` was not trained on this dataset's classes, and what
/// resolve_priorities and Engine::fit throw.
Checkpoint derive_little(const Checkpoint& big, const Dataset& dataset,
                         const LittleOptions& options, const RunContext& context,
                         const Engine& engine, Observer& observer);

}  // namespace biglittle
