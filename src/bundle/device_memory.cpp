// SPDX-License-Identifier: MIT
#include "bundle/device_memory.h"

#include <map>
#include <string_view>

namespace biglittle {
namespace {

/// A kernel with what only it calls: what GCC 12 makes of it and about a quarter more, since other
/// versions differ.
struct Kernel {
  std::string_view name;
  std::int64_t bytes = 0;
};

/// Input, last layer, requantization and decision, which every network has.
constexpr std::int64_t kCommonBytes = 1536;
/// Layer description and call: 88 + 24 for a convolution, the largest.
constexpr std::int64_t kStepBytes = 112;
/// A threshold, an offset of the score and a pointer to the name.
constexpr std::int64_t kClassBytes = 8 + 8 + 4;
/// bl_model_run, the rule of the score, and what alignment adds.
constexpr std::int64_t kFrameBytes = 128;

Kernel kernel_of(const Graph& graph, const Node& node) {
  return std::visit(Overloaded{[&](const Input&) { return Kernel{}; },
                               [&](const Conv2d& op) {
                                 if (op.groups == 1) return Kernel{"bl_conv2d", 2048};
                                 return is_depthwise(node, graph.input_shape(node))
                                            ? Kernel{"bl_depthwise2d", 1536}
                                            : Kernel{"bl_grouped2d", 896};
                               },
                               [&](const Linear&) {
                                 return Kernel{"bl_linear", 256};
                               },
                               [&](const MaxPool&) {
                                 return Kernel{"bl_max_pool", 512};
                               },
                               [&](const AvgPool&) {
                                 return Kernel{"average", 1024};
                               },
                               [&](const GlobalAvgPool&) {
                                 return Kernel{"average", 1024};
                               },
                               [&](const Add&) {
                                 return Kernel{"bl_add", 384};
                               },
                               [&](const Flatten&) {
                                 return Kernel{"bl_flatten", 128};
                               },
                               [&](const auto&) {
                                 return Kernel{"bl_clamp", 160};
                               }},
                    node.op);
}

}  // namespace

std::int64_t device_code_bytes(const Int8Model& model, const DeviceProgram& program) {
  std::map<std::string_view, std::int64_t> kernels;
  for (const DeviceStep& step : program.steps) {
    const Kernel kernel = kernel_of(model.graph, *step.node);
    kernels[kernel.name] = kernel.bytes;
  }
  std::int64_t bytes = kCommonBytes + kFrameBytes + kStepBytes * std::ssize(program.steps);
  for (const auto& [name, size] : kernels) bytes += size;
  for (const std::string& name : model.classes) bytes += kClassBytes + std::ssize(name) + 4;
  return bytes;
}

}  // namespace biglittle
