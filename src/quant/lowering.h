// SPDX-License-Identifier: MIT
#pragma once

// From a folded float network and activation ranges to the int8 network.

#include <map>
#include <string>

#include "quant/ranges.h"

namespace biglittle {

/// Fills graph, activations, weights, preprocessing and input_step of an Int8Model. `ranges` are
/// those of observe_ranges. Weights are symmetric, [-127, 127], with scale max |w| / 127 of the
/// channel (of the whole tensor in the last layer), larger where the bias would not fit otherwise.
/// Throws Error{bad_data} when the network does not end in a linear layer.
Int8Model lower(const Network& folded, const Preprocessing& preprocessing,
                const std::map<std::string, Range>& ranges);

}  // namespace biglittle
