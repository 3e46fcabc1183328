// SPDX-License-Identifier: MIT
#pragma once

// Float inference with plain loops, so that the benchmark networks can be quantized, and float
// engines checked, without LibTorch.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "graph/fold.h"

namespace biglittle::bench {

/// What every node of a folded network makes of one normalized sample, in C, H, W order. Throws
/// Error{internal} for an op that the benchmark networks do not have.
std::map<std::string, std::vector<float>> float_values(const Network& folded,
                                                       std::span<const float> input);

}  // namespace biglittle::bench
