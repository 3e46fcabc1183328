// SPDX-License-Identifier: MIT
#pragma once

// A network evaluated by the plainest loops in double: the independent truth that folding and
// exported float files are compared with. Used by tests only.

#include <vector>

#include "graph/fold.h"

namespace biglittle::testing {

/// The output of the last node for one sample (in the network's own units, C, H, W order).
std::vector<double> run_reference(const Network& network, const std::vector<double>& input);

}  // namespace biglittle::testing
