// SPDX-License-Identifier: MIT
#pragma once

// What the programs that train for a comparison ask of the engine: the recipe of bench/peer.py.

#include <string_view>

#include "bench/records.h"
#include "train/engine.h"

namespace biglittle::bench {

/// SGD with Nesterov momentum, one-cycle, label smoothing 0.1, random crops of a padded image and
/// flips. `train` and `tune` must outlive it; epochs, batch, seed and threads are the caller's.
/// `precision` is "auto", "fp32" or "bf16"; throws Error{usage} for another word.
FitRequest usual_request(Graph graph, const Records& train, const Records& tune,
                         std::string_view precision);

}  // namespace biglittle::bench
