// SPDX-License-Identifier: MIT
#pragma once

// The networks that speed and size are measured on: shapes that other tools' benchmarks use too,
// with random weights, since the time of a layer does not depend on what it has learned. The same
// name gives the same network everywhere.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "quant/int8_model.h"

namespace biglittle::bench {

/// resnet-8       3x32x32, width 16, 10 classes: image classification of MLPerf Tiny
/// ds-cnn         1x49x10, 64 channels, 12 classes: keyword spotting of MLPerf Tiny
/// lenet-5        1x28x28, 10 classes (LeCun et al. 1998)
/// mobilenet-0.25 3x96x96, 2 classes: visual wake words of MLPerf Tiny
/// resnet-8-w40   resnet-8 of width 40
/// mlp            1x28x28, hidden layers of 128 and 64, 10 classes
/// vgg-6          3x32x32, width 16, 10 classes
/// resnet-20      3x32x32, width 16, 10 classes
/// conv-1d        3x1x256, width 16, 6 classes: three accelerometer axes
/// demo           1x28x28, 4 classes: the little network of configs/fashion-mnist.toml
std::vector<std::string> network_names();

/// A network in all the forms that engines take.
struct BenchNetwork {
  std::string name;
  Network folded;
  Preprocessing preprocessing;  ///< of raw bytes
  Int8Model int8;               ///< quantized from `folded`, with classes and a priority map
  Samples samples;              ///< random bytes, which the ranges were observed on
};

/// Throws Error{usage} with the names there are when `name` is none of them.
BenchNetwork make_network(std::string_view name);

/// The float network's outputs for each of the samples: [N, classes].
std::vector<float> float_logits(const BenchNetwork& network);

}  // namespace biglittle::bench
