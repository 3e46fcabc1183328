// SPDX-License-Identifier: MIT
#pragma once

// Shape inference of one node; Graph::append is its only user.

#include <span>
#include <string_view>

#include "graph/graph.h"

namespace biglittle {

/// Largest number of elements that one tensor of a graph (an activation or a weight) may have, so
/// that no product of sizes read from a file can overflow.
inline constexpr std::int64_t kMaxTensorElements = std::int64_t{1} << 31;

/// The output shape of `op` named `name` for `inputs`. Throws Error{bad_data} naming the node when
/// the number of inputs, their shapes or the attributes do not fit.
Shape infer_shape(std::string_view name, const Op& op, std::span<const Shape> inputs);

}  // namespace biglittle
