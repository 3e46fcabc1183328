// SPDX-License-Identifier: MIT
#pragma once

// What the device code takes beside its constants and its arena. Compilers decide it, so these are
// upper bounds; a test holds them against linker maps and the compilers' own stack accounts.

#include <cstddef>
#include <cstdint>

#include "quant/int8_model.h"

namespace biglittle {

/// The stack below bl_model_run, whatever the network: maps and scratch memory lie in the arena.
/// For microcontrollers, and for the forms of x86 and AArch64, whose vectors are spilled there.
inline constexpr std::int64_t kDeviceStackBytes = 768;
inline constexpr std::int64_t kWideDeviceStackBytes = 2048;

/// Flash that code, layer descriptions, thresholds and class names take on a Cortex-M4, compiled by
/// GCC with -O2, of a network of `steps` kernel calls.
std::int64_t device_code_bytes(const Int8Model& model, std::size_t steps);

}  // namespace biglittle
