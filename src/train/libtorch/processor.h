// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace biglittle {

/// Vector extensions that the processor has and the system lets programs use; those for bf16 only
/// where ONEDNN_MAX_CPU_ISA does not forbid them to LibTorch's oneDNN.
struct Processor {
  bool avx2 = false;
  bool avx512 = false;
  bool avx512_bf16 = false;
  bool amx_bf16 = false;
  bool by_amd = false;

  /// Whether it trains faster in bf16 than in float32. AMX does; the products of AVX-512 take half
  /// as long in bf16 on AMD's processors (measured on Zen 5: 430 against 219 GFLOP/s a core), but
  /// just as long on Intel's, where Winograd's convolutions in float32 win.
  bool has_fast_bf16() const { return amx_bf16 || (avx512_bf16 && by_amd); }
};
Processor detect_processor();

/// Whether oneDNN uses an instruction set under `limit`, the value of ONEDNN_MAX_CPU_ISA: "ALL",
/// "DEFAULT", or the name of one that contains it (oneDNN Developer Guide, "CPU Dispatcher
/// Control").
bool permits_amx(std::string_view limit);
bool permits_avx512_bf16(std::string_view limit);

}  // namespace biglittle
