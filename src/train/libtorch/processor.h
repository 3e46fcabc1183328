// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace biglittle {

/// Vector extensions that the processor has and the system lets programs use; AMX only where
/// ONEDNN_MAX_CPU_ISA does not forbid it to LibTorch's oneDNN.
struct Processor {
  bool avx2 = false;
  bool avx512 = false;
  bool amx_bf16 = false;
};
Processor detect_processor();

/// Whether oneDNN uses AMX under `limit`, the value of ONEDNN_MAX_CPU_ISA: "ALL", "DEFAULT", or the
/// name of an instruction set that contains it (oneDNN Developer Guide, "CPU Dispatcher Control").
bool permits_amx(std::string_view limit);

}  // namespace biglittle
