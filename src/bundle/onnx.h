// SPDX-License-Identifier: MIT
#pragma once

// ONNX files: opset 13, IR 7, raw samples in, dynamic batch, metadata keys, no external data.

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "quant/int8_model.h"

namespace biglittle {

using OnnxMetadata = std::map<std::string, std::string>;

/// The folded network in float32. Input "input": uint8 (or float32) [N, C, H, W] in raw units;
/// output "logits": float32 [N, classes].
std::vector<std::byte> float_onnx(const Network& folded, const Preprocessing& preprocessing,
                                  const OnnxMetadata& metadata);

/// The int8 network as QuantizeLinear/DequantizeLinear around standard ops, with the integers of
/// quant/arithmetic.h. Input as float_onnx; outputs "accumulators": int32 [N, classes] and
/// "logits": float32 [N, classes] = accumulators * scale.
std::vector<std::byte> int8_onnx(const Int8Model& model, const OnnxMetadata& metadata);

}  // namespace biglittle
