// SPDX-License-Identifier: MIT
#pragma once

#include <span>

namespace biglittle {

/// Whether no number is NaN or infinite. As fast as memory: it is asked of all gradients each step.
bool all_finite(std::span<const float> values);

}  // namespace biglittle
