// SPDX-License-Identifier: MIT
#pragma once

// The networks that training speed is measured on, as graphs; bench/peer.py writes the same ones
// the way a PyTorch user does, and bench/training.mjs refuses to compare when their sizes differ.

#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace biglittle::bench {

/// vgg-6         3x32x32: six 3x3 convolutions of 32, 32, 64, 64, 128, 128 channels
/// resnet-20     3x32x32, width 16 (He et al. 2016, section 4.2; projection shortcuts)
/// wrn-10-4      3x32x32: depth 10, four times as wide (Zagoruyko & Komodakis 2016), with blocks of
///               He et al. as resnet-20 has them
/// airbench94    3x32x32: the shape of Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds": 24 filters
/// of
///               2x2, three stages of 64, 256, 256 channels, each pooled after its first
///               convolution; with ReLU, all layers learned
/// fashion-vgg   1x28x28: vgg-6 with a quarter of the channels, small enough to train many times
std::vector<std::string> training_network_names();

/// Ten outputs. Throws Error{usage} with the names there are when `name` is none of them.
Graph training_network(std::string_view name);

/// Floating-point operations of one training step for one sample: two for each multiply-accumulate
/// of the forward pass, of the gradients of weights and of those of inputs, which the first layer
/// does not need. Batch norm, activations, pooling and the optimizer count as nothing.
double training_operations(const Graph& graph);

}  // namespace biglittle::bench
