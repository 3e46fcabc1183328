// SPDX-License-Identifier: MIT
#pragma once

// An int8 network as the straight line of kernel calls that the generated C code makes: relus
// merged into the layer before them, tensors assigned to arena offsets, element-wise steps in
// place.

#include <cstdint>
#include <optional>
#include <vector>

#include "bundle/arena_plan.h"
#include "quant/int8_model.h"

namespace biglittle {

/// One kernel call. `node` belongs to the model the program was made of.
struct DeviceStep {
  const Node* node = nullptr;
  std::vector<std::size_t> inputs;  ///< indices into DeviceProgram::tensors
  std::size_t output = 0;           ///< may equal an input: in place
  std::int32_t low = -128;          ///< clamp of the result, which carries merged relus
  std::int32_t high = 127;
  /// A linear layer whose input is a map in memory (channels fastest) where the graph has its
  /// flattened form (channels slowest): the shape of that map.
  std::optional<Shape> flattened_map;
};

struct DeviceProgram {
  std::vector<DeviceStep> steps;     ///< the first loads the input, the last makes accumulators
  std::vector<ArenaTensor> tensors;  ///< lives in steps
  ArenaPlan arena;
};

/// `model` must outlive the program.
DeviceProgram plan_device_program(const Int8Model& model);

}  // namespace biglittle
