// SPDX-License-Identifier: MIT
#pragma once

// Networks and policies whose device code is compared with the interpreter.

#include <cstdint>
#include <vector>

#include "bundle/c_source.h"
#include "testing/device_program_runner.h"

namespace biglittle::testing {

/// Every kind of node: padding on one side, groups, depthwise with and without multiplier, pools, a
/// residual branch, relus that merge and one that does not, a flattened map. Five classes.
Graph rich_graph();

/// A threshold that about half of the priority answers of random networks reach.
inline constexpr std::int64_t kThreshold = 5000;

/// The margin, with one threshold for all priority classes.
EscalationPolicy margin_policy(const Int8Model& model, std::int64_t threshold = kThreshold);

/// A gate with every weight and offset in play, a threshold of its own for every class, `other`
/// among them.
EscalationPolicy gate_policy(const Int8Model& model);

DeviceSource generate(const Int8Model& model, const EscalationPolicy& policy);
DeviceSource generate(const Int8Model& model);

/// How many samples the device code answers differently from the interpreter and the policy, by any
/// integer.
std::int64_t count_differences(const Int8Model& model, const std::vector<DeviceAnswer>& answers,
                               const Samples& samples, const EscalationPolicy& policy);

}  // namespace biglittle::testing
