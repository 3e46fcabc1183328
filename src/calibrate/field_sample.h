// SPDX-License-Identifier: MIT
#pragma once

// Calibration samples as the field would deliver them, when its mix of classes differs from the
// data's.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calibrate/scores.h"

namespace biglittle {

/// Rows of `scores` that are independent draws from the field: classes are drawn from `shares` [big
/// classes, sum 1], and each draw takes the next unused sample of its class in an order drawn from
/// `seed`. The number of draws is the largest for which the chance that any class runs out stays
/// below 1e-6; should one run out nevertheless, throws Error{gate} (the certificate is then not
/// given, which keeps it valid). Throws Error{bad_data} that begins with `name` when labels are not
/// known or a class with a share has no sample.
std::vector<std::int64_t> field_sample(const Scores& scores, std::span<const double> shares,
                                       std::int64_t seed, std::span<const std::string> big_classes,
                                       std::string_view name);

}  // namespace biglittle
