// SPDX-License-Identifier: MIT
#pragma once

// An int8 network as quantization tools write it for ONNX Runtime: a DequantizeLinear before and a
// QuantizeLinear after every layer, unsigned activations, signed weights. On processors with VNNI
// that is the fastest form ONNX Runtime has; its averages and sums are rounded otherwise than
// docs/int8.md says, so its outputs differ a little.

#include <cstddef>
#include <vector>

#include "quant/int8_model.h"

namespace biglittle::bench {

/// Input "input": uint8 [N, C, H, W]; output "logits": float32 [N, classes]. Throws Error{internal}
/// for an op that the benchmark networks do not have.
std::vector<std::byte> usual_onnx(const Int8Model& model);

/// A network that gives back its input: float32 [N, classes].
std::vector<std::byte> empty_onnx(std::int64_t classes);

}  // namespace biglittle::bench
