// SPDX-License-Identifier: MIT
#pragma once

#include "train/train_big.h"

namespace biglittle {

/// `request` with what `start` and `context` say about every training: graph, preprocessing,
/// threads, ranks, seed.
FitRequest completed(FitRequest request, const Checkpoint& start, const RunContext& context);

/// Lets `request` save its state in `context.state` after each epoch and when interrupted, if this
/// is the rank that writes, and with `context.resume` go on from the state that is there. When
/// `identity` is not the state's and changes are not allowed, throws Error{config} naming what
/// differs. Throws what load_fit_state throws.
void attach_state(FitRequest& request, const RunContext& context, const FitIdentity& identity,
                  Observer& observer);

/// Runs `request` and turns its result into a checkpoint: `start` states everything but weights and
/// history. Saves `context.checkpoint` whenever tune accuracy improved and once at the end, and
/// appends each epoch to `context.metrics` (begun anew); only the rank that writes does so. Its
/// state is attached, with settings, program, data and teacher as identity, and is left there: who
/// ends the stage removes it. Throws what attach_state, Engine::fit and save_checkpoint throw.
Checkpoint fit_checkpoint(Checkpoint start, FitRequest request, const RunContext& context,
                          const Engine& engine, Observer& observer);

}  // namespace biglittle
