// SPDX-License-Identifier: MIT
#pragma once

namespace biglittle {

/// Vector extensions that the processor has and the system lets programs use; AMX only where
/// ONEDNN_MAX_CPU_ISA does not forbid it to LibTorch's oneDNN.
struct Processor {
  bool avx2 = false;
  bool avx512 = false;
  bool amx_bf16 = false;
};
Processor detect_processor();

}  // namespace biglittle
