// SPDX-License-Identifier: MIT
#pragma once

// Trains the big network on a dataset: build the graph, choose the preprocessing, fit, and keep the
// best weights on tune in a checkpoint.

#include <filesystem>
#include <string>

#include "graph/zoo.h"
#include "train/checkpoint.h"
#include "train/engine.h"

namespace biglittle {

struct BigOptions {
  bool test_time_flip = false;  ///< answers are means over a sample and its mirror image
  NetworkOptions network;
  TrainOptions train;
};
void describe(BigOptions& options, OptionVisitor& visitor);

/// Whether an interrupted run of the same settings is gone on with.
enum class Resume { no, exactly, with_changes };

/// What every training run needs besides its own options.
struct RunContext {
  ComputeOptions compute;
  Ranks ranks;  ///< files are written by the one that writes
  std::int64_t seed = 1;
  std::string config_toml;           ///< resolved, saved inside the checkpoint
  std::filesystem::path checkpoint;  ///< written whenever tune accuracy improved, and at the end
  std::filesystem::path metrics;     ///< one JSON object a line, one line an epoch
  std::filesystem::path state;       ///< what an interrupted run needs; removed when all is done
  Resume resume = Resume::no;
};

/// Fits on train, keeps the best on tune, and returns the checkpoint; files and errors are those of
/// fit_checkpoint.
Checkpoint train_big(const Dataset& dataset, const BigOptions& options, const RunContext& context,
                     const Engine& engine, Observer& observer);

/// Times `steps` >= 1 steps of that training; files are neither read nor written. Throws what
/// Engine::profile throws.
TrainingProfile profile_big(const Dataset& dataset, const BigOptions& options,
                            const RunContext& context, const Engine& engine, std::int64_t steps);

}  // namespace biglittle
