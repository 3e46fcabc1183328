// SPDX-License-Identifier: MIT
#pragma once

// Int8 networks and samples of seeded random numbers: not trained to do anything, but every tensor
// uses most of int8 and every rule of check_int8_model holds.

#include <cstdint>

#include "quant/int8_model.h"

namespace biglittle::testing {

/// Weights, zero points and scales for `graph`, whose last node is linear. Names class i "class i",
/// the last "other".
Int8Model random_int8_model(const Graph& graph, std::uint32_t seed,
                            SampleType type = SampleType::u8);

/// A graph of about `length` nodes mixing every op of an int8 network: odd sizes, strides,
/// asymmetric padding, groups, depthwise layers, branches joined by add, maps whose readers want
/// different padding, pools, relus anywhere. A shorter graph of the same seed begins the same.
Graph random_graph(std::uint32_t seed, std::int64_t length);

/// `count` random samples that `model` accepts.
Samples random_samples(const Int8Model& model, std::int64_t count, std::uint32_t seed);

}  // namespace biglittle::testing
