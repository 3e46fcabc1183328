// SPDX-License-Identifier: MIT
#pragma once

// How much of each layer's signal quantization leaves intact.

#include <vector>

#include "quant/interpreter.h"
#include "quant/quantize.h"

namespace biglittle {

/// Compares every node of `folded` with the int8 network made from it on `samples`, in graph order.
std::vector<LayerNoise> measure_noise(const Network& folded, const Int8Model& model,
                                      const Interpreter& interpreter, const Samples& samples,
                                      const Engine& engine);

/// "conv3 (12.1 dB), head (15.0 dB)": the `count` nodes with the lowest SQNR, worst first.
std::string name_worst(std::vector<LayerNoise> noise, std::size_t count);

}  // namespace biglittle
