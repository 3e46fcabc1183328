// SPDX-License-Identifier: MIT
#pragma once

// How much of the asked bounds a growing set of local answers uses up, as far as tune shows: by it
// filter mode shares the bounds between priority answers and `other`.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "calibrate/calibrate_options.h"
#include "calibrate/scores.h"

namespace biglittle {

/// After each of `rows` has become local, the largest of (events + 1) / (samples + 1) / bound over
/// the asked risks, in filter mode. [rows] `big_classes` names the truths of options.cost.
std::vector<double> usage_along(const Scores& tune, const PriorityMap& map,
                                const CalibrateOptions& options,
                                std::span<const std::string> big_classes,
                                std::span<const std::int64_t> rows);

}  // namespace biglittle
