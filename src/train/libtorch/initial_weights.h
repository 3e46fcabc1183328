// SPDX-License-Identifier: MIT
#pragma once

// The weights that training begins with.

#include <cstdint>

#include "core/tensor.h"
#include "data/dataset.h"
#include "graph/graph.h"
#include "train/engine.h"

namespace biglittle {

/// Fresh weights: conv2d and linear normal with deviation sqrt(2 / fan_in) (He et al. 2015; the
/// last linear layer sqrt(1 / fan_in), as no ReLU follows it), biases 0, batch norm 1 and 0,
/// running statistics 0 and 1.
TensorMap fresh_weights(const Graph& graph, std::uint64_t seed);

/// Lets each ungrouped convolution wider than 1x1, except those that read the graph's input, begin
/// with the identity (Zagoruyko & Komodakis 2017; Jordan 2024, section 3.2): its first min(out, in)
/// filters pass on the input channel of the same number; the others stay as they are.
void begin_as_identity(const Graph& graph, TensorMap& weights);

/// Lets each ungrouped convolution that reads the graph's input begin with whitening filters
/// (Jordan 2024, section 3.1): filters 2i and 2i + 1 are plus and minus the eigenvector of the i-th
/// largest eigenvalue v of the covariance of the patches that it sees, divided by sqrt(v + e) with
/// e = 1e-5 of the sum of all v, so that their outputs have variance 1 and are uncorrelated between
/// pairs. Filters beyond two for each number of a patch stay as they are, and so do all where the
/// samples do not vary. Patches come from as many samples as make two million, drawn by `seed`.
void whiten_input(const Graph& graph, const Samples& samples, const Preprocessing& preprocessing,
                  std::uint64_t seed, TensorMap& weights);

/// What `request` starts from: its own initial weights, or fresh ones by its options.
TensorMap initial_weights(const FitRequest& request);

}  // namespace biglittle
