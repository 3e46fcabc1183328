// SPDX-License-Identifier: MIT
#pragma once

// Cross-layer equalization: channels of one tensor whose sizes differ a hundredfold share one
// activation scale, and the small ones drown in rounding. Networks with depthwise convolutions have
// such channels often.

#include "graph/fold.h"

namespace biglittle {

/// Rescales the channels between consecutive layers of a folded network so that each channel has
/// the same largest weight on both sides: for channel i with r1 = max |W1[i]| and r2 = max |W2[:,
/// i]|, s = sqrt(r1 / r2), W1[i] and b1[i] divided by s, W2[:, i] multiplied by s (Nagel et al.
/// 2019, arXiv 1906.04721, section 4.1, equation 11), repeated over all pairs until nothing moves.
/// The function of the network stays the same, since relu(s x) = s relu(x) for s > 0.
///
/// Pairs are a conv2d or linear and the next one, joined by nodes of one reader that only relu,
/// pool or flatten. Relu6 joins no pair: its limit of 6 does not scale with the channel. A channel
/// that is zero on either side stays as it is.
Network equalize_layers(Network folded);

}  // namespace biglittle
