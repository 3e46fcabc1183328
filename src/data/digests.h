// SPDX-License-Identifier: MIT
#pragma once

// What the digests of a dataset are made from.

#include <string>

#include "data/dataset.h"

namespace biglittle {

/// SHA-256 over a line "TYPE NxCxHxW", the samples and the int64 labels, little-endian.
std::string split_digest(const Split& split);

/// SHA-256 over format and version, class names, shape and the splits' stored digests.
std::string dataset_digest(const Dataset& dataset);

}  // namespace biglittle
