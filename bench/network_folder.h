// SPDX-License-Identifier: MIT
#pragma once

// One benchmark network as files that engines read.

#include <filesystem>

#include "bench/networks.h"

namespace biglittle::bench {

/// Samples in height, width, channel order.
std::vector<std::uint8_t> interleaved(const Samples& samples);

/// Writes into `folder`:
///   device/       the generated C code
///   float.onnx    the float network; takes normalized floats
///   int8.onnx     the int8 network as the bundle has it, exact in every engine
///   usual.onnx    the int8 network as quantization tools write it (usual_onnx.h)
///   empty.onnx    the outputs, given and returned: what a call costs
///   samples.u8, sample.u8  all samples and the first, height, width, channel order
///   samples.f32   normalized, channel, height, width order; samples.chw.u8: raw in that order
///   network.json  name, shape, MACs, classes, expected accumulators and logits
void write_network_folder(const BenchNetwork& network, const std::filesystem::path& folder);

}  // namespace biglittle::bench
