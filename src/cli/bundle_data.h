// SPDX-License-Identifier: MIT
#pragma once

// A bundle beside a dataset: whether its networks can be measured on it, and whether they were made
// with it.

#include <filesystem>

#include "bundle/bundle.h"
#include "data/dataset.h"

namespace biglittle {

/// Throws Error{bad_data} that begins with `file` unless the dataset has the bundle's input shape
/// and classes, in the same order.
void require_same_task(const Bundle& bundle, const Dataset& dataset,
                       const std::filesystem::path& file);

/// True for the dataset that the bundle was made with.
bool is_bundles_own(const Bundle& bundle, const Dataset& dataset);

}  // namespace biglittle
