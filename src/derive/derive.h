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

/// Trains the little network on the train split relabelled by the priority map, keeps the best on
/// tune, saves `context.checkpoint`, appends to `context.metrics` and returns the checkpoint. Throws
/// Error{bad_data} when `big` was not trained on this dataset's classes, and what resolve_priorities
/// and Engine::fit throw.
Checkpoint derive_little(const Checkpoint& big, const Dataset& dataset, const LittleOptions& options,
                         const RunContext& context, const Engine& engine, Observer& observer);

}  // namespace biglittle
