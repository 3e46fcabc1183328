// SPDX-License-Identifier: MIT
#pragma once

// What check_bundle.mjs compares its own reading of policy.json with.

#include "calibrate/policy.h"
#include "core/safetensors.h"

namespace biglittle::testing {

/// Adds "little_class", "score" and "escalate" by the program's own arithmetic to a file that has
/// "accumulators".
void add_decisions(SafetensorsFile& file, const EscalationPolicy& policy, const PriorityMap& map);

}  // namespace biglittle::testing
