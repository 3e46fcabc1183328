// SPDX-License-Identifier: MIT
#pragma once

namespace biglittle {

/// Vector extensions that the processor has and the system lets programs use.
struct Processor {
  bool avx2 = false;
  bool avx512 = false;
  bool avx512_bf16 = false;
  bool amx_bf16 = false;
};
Processor detect_processor();

}  // namespace biglittle
