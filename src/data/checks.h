// SPDX-License-Identifier: MIT
#pragma once

// What must hold for every dataset, whether it was just imported or just read.

#include <string_view>

#include "data/dataset.h"

namespace biglittle {

/// Throws Error{bad_data} beginning with `name` for classes, shapes, counts, labels, values or
/// splits that are not as dataset.h says. Digests and statistics are not looked at.
void check_dataset(const Dataset& dataset, std::string_view name);

/// Checks the shape of one sample, as files state it; throws Error{bad_data}.
void check_shape(const Shape& shape, std::string_view name);

}  // namespace biglittle
