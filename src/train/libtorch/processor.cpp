// SPDX-License-Identifier: MIT
#include "train/libtorch/processor.h"

#if defined(__x86_64__)
#include <cpuid.h>

#include <cstdlib>
#endif

namespace biglittle {

bool permits_amx(std::string_view limit) {
  return limit == "ALL" || limit == "DEFAULT" || limit.find("AMX") != limit.npos;
}

#if defined(__x86_64__)
namespace {

// Which register states the system saves (XCR0): bit 17 and 18 are the AMX tiles.
bool saves_amx_tiles() {
  unsigned low = 0;
  unsigned high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (low >> 17 & 3) == 3;
}

// oneDNN reads this name, or the older one.
bool onednn_may_use_amx() {
  const char* limit = std::getenv("ONEDNN_MAX_CPU_ISA");
  if (limit == nullptr) limit = std::getenv("DNNL_MAX_CPU_ISA");
  return limit == nullptr || permits_amx(limit);
}

}  // namespace

Processor detect_processor() {
  Processor found;
  found.avx2 = __builtin_cpu_supports("avx2") != 0;
  found.avx512 = __builtin_cpu_supports("avx512f") != 0;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  const bool has_leaf = __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0;
  // Leaf 7: EDX bit 22 is AMX-BF16, bit 24 AMX-TILE (Intel SDM volume 2, CPUID).
  found.amx_bf16 = has_leaf && (d >> 22 & 1) != 0 && (d >> 24 & 1) != 0 && found.avx512 &&
                   saves_amx_tiles() && onednn_may_use_amx();
  return found;
}
#else
Processor detect_processor() { return {}; }
#endif

}  // namespace biglittle
