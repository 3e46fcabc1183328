// SPDX-License-Identifier: MIT
#pragma once

// The escalation policy on the device: what its numbers must be, and how it reads in C (thresholds,
// score rule, audit limit) and in the device folder's README.

#include <cstddef>
#include <map>
#include <string>

#include "calibrate/policy.h"

namespace biglittle {

/// Throws Error{bad_data} unless the policy has one threshold and one offset for each of `classes`
/// little classes and every number fits the device's arithmetic, which then cannot overflow.
void require_device_policy(const EscalationPolicy& policy, std::size_t classes);

/// The keys of c_templates.h that are about the policy, which fits the device.
std::map<std::string, std::string> device_policy_keys(const EscalationPolicy& policy,
                                                      const PriorityMap& map);

}  // namespace biglittle
