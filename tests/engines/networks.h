// SPDX-License-Identifier: MIT
#pragma once

// The networks on which engines must agree: one of each kind that the tool makes, and shapes that
// kernels find hard. Weights are random; activations are spread over real images.

#include <cstdint>
#include <string>
#include <vector>

#include "quant/int8_model.h"

namespace biglittle::testing {

struct EngineNetwork {
  std::string name;
  Graph graph;
  SampleType type = SampleType::u8;
};

/// mlp, lenet, vgg, ds-cnn, resnet-8, mobilenet, sensor (1-D floats), keyword (49x10, kernel 10x4),
/// odd (sizes and windows), strides, groups, averages, additions, flattened.
std::vector<EngineNetwork> engine_networks();

/// Quantized by the tool with ranges from `samples` (a few suffice). Ten classes, the last `other`.
Int8Model quantized(const EngineNetwork& network, const Samples& samples, std::uint32_t seed);

}  // namespace biglittle::testing
