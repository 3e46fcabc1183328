// SPDX-License-Identifier: MIT
#include "train/libtorch/processor.h"

#include <gtest/gtest.h>

namespace biglittle {
namespace {

// The names in oneDNN's "CPU Dispatcher Control".
TEST(Processor, KnowsWhichLimitsOfOneDnnLeaveAmx) {
  for (const char* with : {"ALL", "DEFAULT", "AVX512_CORE_AMX", "AVX512_CORE_AMX_FP16",
                           "AVX10_1_512_AMX", "AVX10_1_512_AMX_FP16"}) {
    EXPECT_TRUE(permits_amx(with)) << with;
  }
  for (const char* without : {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX512_CORE",
                              "AVX512_CORE_VNNI", "AVX512_CORE_BF16", "AVX512_CORE_FP16", ""}) {
    EXPECT_FALSE(permits_amx(without)) << without;
  }
}

TEST(Processor, KnowsWhichLimitsOfOneDnnLeaveBf16InVectors) {
  for (const char* with : {"ALL", "DEFAULT", "AVX512_CORE_BF16", "AVX512_CORE_FP16",
                           "AVX512_CORE_AMX", "AVX10_1_512", "AVX10_1_512_AMX"}) {
    EXPECT_TRUE(permits_avx512_bf16(with)) << with;
  }
  for (const char* without :
       {"SSE41", "AVX2", "AVX2_VNNI", "AVX512_CORE", "AVX512_CORE_VNNI", ""}) {
    EXPECT_FALSE(permits_avx512_bf16(without)) << without;
  }
}

TEST(Processor, TrainsInBf16WhereThatIsFaster) {
  Processor processor;
  EXPECT_FALSE(processor.has_fast_bf16());
  processor.avx512_bf16 = true;
  EXPECT_FALSE(processor.has_fast_bf16()) << "Intel's vectors take as long as in float32";
  processor.by_amd = true;
  EXPECT_TRUE(processor.has_fast_bf16());
  processor.avx512_bf16 = false;
  EXPECT_FALSE(processor.has_fast_bf16()) << "Zen 3";
  processor.amx_bf16 = true;
  EXPECT_TRUE(processor.has_fast_bf16());
}

}  // namespace
}  // namespace biglittle
