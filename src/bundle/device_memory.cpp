// SPDX-License-Identifier: MIT
#include "bundle/device_memory.h"

namespace biglittle {
namespace {

/// All kernels; a linker that drops unused sections leaves fewer.
constexpr std::int64_t kKernelBytes = 8 * 1024;
/// A bl_conv2d_layer of 88 bytes and its call.
constexpr std::int64_t kStepBytes = 128;
/// A threshold, an offset of the score and a pointer to the name.
constexpr std::int64_t kClassBytes = 8 + 8 + 4;
/// The score's rule, the decision's call and what alignment adds.
constexpr std::int64_t kFrameBytes = 128;

}  // namespace

std::int64_t device_code_bytes(const Int8Model& model, std::size_t steps) {
  std::int64_t bytes = kKernelBytes + kFrameBytes + kStepBytes * static_cast<std::int64_t>(steps);
  for (const std::string& name : model.classes) bytes += kClassBytes + std::ssize(name) + 4;
  return bytes;
}

}  // namespace biglittle
