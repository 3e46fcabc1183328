// SPDX-License-Identifier: MIT
#pragma once

// The resampling experiment as a table for people.

#include <string>

#include "calibrate/resample.h"

namespace biglittle {

/// What was drawn, how often bounds were broken by the certificate and by the naive rule, how much
/// escalated, and whether that is what delta promises.
std::string resample_text(const ResampleReport& report);

}  // namespace biglittle
