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

}  // namespace
}  // namespace biglittle
