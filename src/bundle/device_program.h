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

/// How maps lie in memory (BL_WIDE in bl_runtime.h). `tight`: without gaps; a sample of bytes is
/// read where the caller has it. `wide`: every map carries the padding that its readers want, so
/// that kernels need no bounds tests.
enum class DeviceLayout { tight, wide };

/// Pixels around a map that hold its zero point.
struct Padding {
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t bottom = 0;
  std::int64_t right = 0;
  bool operator==(const Padding&) const = default;
};

/// A map in height, width, channel order, the int32 accumulators of the last layer, or scratch
/// memory of one step.
struct DeviceTensor {
  Shape shape;
  std::int64_t element_bytes = 1;
  Padding padding = {};
  bool is_callers_input = false;  ///< lies in the caller's memory: no bytes in the arena
  std::int64_t first = 0;         ///< the step that writes it first
  std::int64_t last = 0;          ///< the last step that reads or writes it

  std::int64_t row_bytes() const;
  std::int64_t first_pixel() const;  ///< bytes from the tensor's beginning
  std::int64_t bytes() const;        ///< in the arena
};

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
  std::optional<std::size_t> scratch;  ///< a tensor for this step alone
  bool fills_padding = false;  ///< readers of the result want the output tensor's padding filled
};

struct DeviceProgram {
  DeviceLayout layout = DeviceLayout::tight;
  std::vector<DeviceStep> steps;      ///< the first loads the input, the last makes accumulators
  std::vector<DeviceTensor> tensors;  ///< lives in steps
  ArenaPlan arena;
};

/// Whether every group of a conv2d has one input and one output channel.
bool is_depthwise(const Node& node, const Shape& input);

/// The tensors' lives, for plan_arena and liveness_bound.
std::vector<ArenaTensor> arena_tensors(const DeviceProgram& program);

/// `model` must outlive the program.
DeviceProgram plan_device_program(const Int8Model& model, DeviceLayout layout);

}  // namespace biglittle
