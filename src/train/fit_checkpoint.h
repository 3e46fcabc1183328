// SPDX-License-Identifier: MIT
#pragma once

#include "train/train_big.h"

namespace biglittle {

/// Runs `request` and turns its result into a checkpoint: `start` states everything but weights and
/// history. Saves `context.checkpoint` whenever tune accuracy improved and once at the end, and
/// appends each epoch to `context.metrics` (begun anew). Throws what Engine::fit and save_checkpoint
/// throw.
Checkpoint fit_checkpoint(Checkpoint start, FitRequest request, const RunContext& context,
                          const Engine& engine, Observer& observer);

}  // namespace biglittle
