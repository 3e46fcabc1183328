// SPDX-License-Identifier: MIT
#pragma once

#include "train/train_big.h"

namespace biglittle {

/// `request` with what `start` and `context` say about every training: graph, preprocessing,
/// threads, ranks, seed.
FitRequest completed(FitRequest request, const Checkpoint& start, const RunContext& context);

/// Runs `request` and turns its result into a checkpoint: `start` states everything but weights and
/// history. Saves `context.checkpoint` whenever tune accuracy improved and once at the end, appends
/// each epoch to `context.metrics` (begun anew), and saves `context.state` after each epoch and
/// when interrupted; only the rank that writes does so. With `context.resume` it goes on from that
/// state where there is one; when settings, program or data are not those of the state and changes
/// are not allowed, throws Error{config} naming each. Throws what Engine::fit, save_checkpoint and
/// load_fit_state throw.
Checkpoint fit_checkpoint(Checkpoint start, FitRequest request, const RunContext& context,
                          const Engine& engine, Observer& observer);

}  // namespace biglittle
