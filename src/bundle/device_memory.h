// SPDX-License-Identifier: MIT
#pragma once

// What the device code takes beside its constants and its arena. Compilers decide it, so these are
// upper bounds; a test holds them against linker maps and the compilers' own stack accounts.

#include <cstdint>

#include "bundle/device_program.h"
#include "quant/int8_model.h"

namespace biglittle {

/// The stack below bl_model_run with -O2 or -O3, whatever the network: maps and scratch memory lie
/// in the arena. For microcontrollers, and for the forms of x86 and AArch64, which spill vectors.
inline constexpr std::int64_t kDeviceStackBytes = 768;
inline constexpr std::int64_t kWideDeviceStackBytes = 6144;

/// Flash for code, layer descriptions, thresholds and class names of a tight program on a
/// Cortex-M4, compiled by GCC with -O2, where the linker drops the kernels that nobody calls.
std::int64_t device_code_bytes(const Int8Model& model, const DeviceProgram& program);

}  // namespace biglittle
