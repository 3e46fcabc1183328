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

bool permits_avx512_bf16(std::string_view limit) {
  return permits_amx(limit) || limit.starts_with("AVX512_CORE_BF16") ||
         limit.starts_with("AVX512_CORE_FP16") || limit.starts_with("AVX10_1_512");
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
std::string_view onednn_limit() {
  const char* limit = std::getenv("ONEDNN_MAX_CPU_ISA");
  if (limit == nullptr) limit = std::getenv("DNNL_MAX_CPU_ISA");
  return limit == nullptr ? "DEFAULT" : limit;
}

bool is_by_amd() {
  unsigned highest = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  // "AuthenticAMD" in EBX, EDX, ECX (AMD64 Architecture Programmer's Manual volume 3, appendix E).
  return __get_cpuid(0, &highest, &b, &c, &d) != 0 && b == signature_AMD_ebx &&
         c == signature_AMD_ecx && d == signature_AMD_edx;
}

}  // namespace

Processor detect_processor() {
  Processor found;
  found.avx2 = __builtin_cpu_supports("avx2") != 0;
  found.avx512 = __builtin_cpu_supports("avx512f") != 0;
  found.by_amd = is_by_amd();
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  // Leaf 7: EDX bit 22 is AMX-BF16, bit 24 AMX-TILE; its subleaf 1: EAX bit 5 is AVX512_BF16 (Intel
  // SDM volume 2, CPUID).
  const bool has_leaf = __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0;
  found.amx_bf16 = has_leaf && (d >> 22 & 1) != 0 && (d >> 24 & 1) != 0 && found.avx512 &&
                   saves_amx_tiles() && permits_amx(onednn_limit());
  const bool has_subleaf = __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0;
  found.avx512_bf16 =
      has_subleaf && (a >> 5 & 1) != 0 && found.avx512 && permits_avx512_bf16(onednn_limit());
  return found;
}
#else
Processor detect_processor() { return {}; }
#endif

}  // namespace biglittle
