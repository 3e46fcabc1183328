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
/// output "logits": float32 [N, classes]. Throws Error{bad_data} when the last node is not linear.
std::vector<std::byte> float_onnx(const Network& folded, const Preprocessing& preprocessing,
                                  const OnnxMetadata& metadata);

/// How conv2d and inner linear layers are written; all other ops are the same exact integer (or
/// exact whole-number float) ops in both.
enum class Int8OnnxForm {
  /// DequantizeLinear -> Conv -> QuantizeLinear, the form that engines recognise and fuse. ONNX
  /// Runtime fuses it at its default optimization level and then gives the integers of
  /// quant/arithmetic.h; an engine that runs the Conv in float instead may round a value in about
  /// 10,000 the other way.
  qdq,
  /// QLinearConv: the same integers without any optimizer.
  qoperator,
};

/// The int8 network with the integers of quant/arithmetic.h, activations and weights held as uint8
/// (value + 128), which no x86 kernel saturates. Input as float_onnx; outputs "accumulators": int32
/// [N, classes] and "logits": float32 [N, classes] = accumulators * scale. Throws as
/// check_int8_model does.
std::vector<std::byte> int8_onnx(const Int8Model& model, const OnnxMetadata& metadata,
                                 Int8OnnxForm form = Int8OnnxForm::qdq);

}  // namespace biglittle
