// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "train/engine.h"

namespace biglittle {

/// The learning rate of step `step` of `steps` (0 <= step < steps). Both one-cycle (Smith & Topin
/// 2018, with straight flanks) and cosine (Loshchilov & Hutter 2017) rise linearly to the peak
/// during the warm-up share, then fall to 0: along a line or along half a cosine.
double learning_rate_at(const TrainOptions& options, std::int64_t step, std::int64_t steps);

/// How many epochs of `seconds_an_epoch` fit into `seconds`, of which a thirtieth is held back for
/// what was not measured; 1 to 100,000.
std::int64_t epochs_within(double seconds, double seconds_an_epoch);

}  // namespace biglittle
