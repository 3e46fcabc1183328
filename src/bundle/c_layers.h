// SPDX-License-Identifier: MIT
#pragma once

// The constant data and the kernel call of one step of the generated C code.

#include <cstdint>
#include <string>

#include "bundle/device_program.h"

namespace biglittle {

struct LayerText {
  std::string data;                 ///< definitions at file scope; empty when the step needs none
  std::string call;                 ///< one statement inside bl_model_run_with
  std::int64_t constant_bytes = 0;  ///< weights, biases and multipliers
};

/// `step` is one of `program`'s, which was made of `model`.
LayerText layer_text(const Int8Model& model, const DeviceProgram& program, const DeviceStep& step);

}  // namespace biglittle
