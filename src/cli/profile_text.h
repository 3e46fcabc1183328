// SPDX-License-Identifier: MIT
#pragma once

// Where the time of training steps goes, for people and for programs.

#include <string>

#include "core/json.h"
#include "train/engine.h"

namespace biglittle {

/// The parts of a step, the costliest first, then samples a second and GFLOP/s beside the machine's
/// peak. Parts that took no time are left out.
std::string profile_text(const TrainingProfile& profile);

/// Keys: steps, batch_size, threads, precision, seconds, samples_per_second, gflops, peak_gflops,
/// and parts with seconds of all threads together by name.
Json to_json(const TrainingProfile& profile);

}  // namespace biglittle
