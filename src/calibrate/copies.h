// SPDX-License-Identifier: MIT
#pragma once

// A certificate counts samples as independent draws; a copy of a sample is none.

#include <string_view>

#include "data/dataset.h"

namespace biglittle {

/// Share of calibration samples that may equal an earlier one: what a clean collection holds by
/// chance.
inline constexpr double kMostCopies = 0.01;

/// Throws Error{bad_data} that begins with `name` when more than kMostCopies of the samples are
/// equal, byte for byte, to an earlier one.
void require_few_copies(const Samples& calibration, std::string_view name);

}  // namespace biglittle
