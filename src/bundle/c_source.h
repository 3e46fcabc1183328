// SPDX-License-Identifier: MIT
#pragma once

// The device folder: C99 that computes the int8 network's integers without malloc, libm or an
// interpreter, on top of runtime/bl_runtime.{h,c}.

#include <cstdint>
#include <map>
#include <string>

#include "calibrate/policy.h"
#include "data/dataset.h"
#include "quant/int8_model.h"

namespace biglittle {

/// What the generated code needs, known at export, in bytes. `wide`: with kernels for x86 or
/// AArch64 vectors; the others are for microcontrollers and portable C.
struct DeviceFootprint {
  std::int64_t arena_bytes = 0;
  std::int64_t constant_bytes = 0;  ///< weights, biases and multipliers
  std::int64_t wide_arena_bytes = 0;
  std::int64_t wide_constant_bytes = 0;
  std::int64_t code_bytes = 0;  ///< at most, on a Cortex-M4 (device_memory.h)
};

struct DeviceSource {
  std::map<std::string, std::string> files;  ///< file name -> text, the whole device/ folder
  DeviceFootprint footprint;
};

/// The same footprint without the text.
DeviceFootprint device_footprint(const Int8Model& model);

/// `vectors` are a few samples whose accumulators and decisions the self-test must reproduce
/// (`vector_accumulators` [n, classes]). Throws Error{bad_data} when the model has no priority map,
/// the policy has not one threshold and one offset a class, or a number in it is out of range.
DeviceSource device_source(const Int8Model& model, const EscalationPolicy& policy,
                           const Samples& vectors,
                           std::span<const std::int32_t> vector_accumulators);

}  // namespace biglittle
