// SPDX-License-Identifier: MIT
// What run_on_cortex_m reports, against programs whose instructions, sizes and stack are known.

#include "cortex_m/cortex_m.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "testing/device_program_runner.h"
#include "testing/temporary_folder.h"

namespace biglittle::testing {
namespace {

CortexRun run_program(const std::string& source, CortexCore core,
                      const std::string& flags = "-O1") {
  const TemporaryFolder folder;
  write_files(folder.path(), {{"main.c", "#include \"cortex_device.h\"\n" + source}});
  return run_on_cortex_m(folder.path(), core, flags);
}

const std::string kLoop = R"(
int main(void) {
  uint32_t rounds = ROUNDS;
  cortex_count_begin();
  __asm__ volatile(".syntax unified\n1: subs %0, #1\n nop\n bne 1b\n" : "+l"(rounds) : : "cc");
  cortex_count_end();
  cortex_print_number(-2147483647 - 1);
  return 7;
}
)";

class CortexM : public ::testing::TestWithParam<CortexCore> {
 protected:
  void SetUp() override { has_cortex_tools(); }
};

TEST_P(CortexM, CountsInstructionsAndHandsOnOutputAndExitCode) {
  const CortexRun run = run_program(kLoop, GetParam(), "-O1 -DROUNDS=1000000");
  EXPECT_NEAR(static_cast<double>(run.instructions), 3e6, 200);
  EXPECT_EQ(run.output, "-2147483648");
  EXPECT_EQ(run.exit_code, 7);
}

TEST_P(CortexM, PrintfWorks) {
  const CortexRun run = run_program(
      "#include <stdio.h>\nint main(void) { printf(\"%d and %s\\n\", 42, \"text\"); return 0; }",
      GetParam());
  EXPECT_EQ(run.output, "42 and text\n");
}

TEST_P(CortexM, MeasuresTheStack) {
  const std::string source = R"(
    __attribute__((noinline)) static int deep(void) {
      volatile char bytes[SIZE];
      for (int i = 0; i < SIZE; ++i) bytes[i] = (char)i;
      return bytes[SIZE - 1];
    }
    int main(void) { return deep() == 0x55; })";
  const CortexRun small = run_program(source, GetParam(), "-O1 -DSIZE=1000");
  const CortexRun large = run_program(source, GetParam(), "-O1 -DSIZE=9000");
  EXPECT_EQ(large.stack_bytes - small.stack_bytes, 8000);
  EXPECT_GE(small.stack_bytes, 1000);
  EXPECT_LE(small.stack_bytes, 1300);
}

TEST_P(CortexM, MeasuresFlashAndStaticMemory) {
  const std::string source = R"(
    static const uint32_t table[TABLE] = {1};
    volatile uint32_t memory[MEMORY];
    int main(void) { return (int)table[memory[MEMORY - 1]]; })";
  const CortexRun small = run_program(source, GetParam(), "-O1 -DTABLE=100 -DMEMORY=100");
  const CortexRun large = run_program(source, GetParam(), "-O1 -DTABLE=2100 -DMEMORY=5100");
  EXPECT_NEAR(static_cast<double>(large.image_bytes - small.image_bytes), 8000, 16);
  EXPECT_EQ(large.data_bytes - small.data_bytes, 20000);
}

TEST_P(CortexM, SaysWhatTheCompilerSaid) {
  try {
    run_program("int main(void) { return nothing_of_this_name; }", GetParam());
    ADD_FAILURE() << "expected an error";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("nothing_of_this_name"));
  }
}

TEST(CortexMTimer, CountsBeyondOnePeriod) {
  if (!has_cortex_tools()) return;
  // 2^24 ticks of 40 instructions are 671 millions.
  const CortexRun run = run_program(kLoop, CortexCore::m4, "-O1 -DROUNDS=230000000");
  EXPECT_NEAR(static_cast<double>(run.instructions), 690e6, 20000);
}

std::string core_name(const ::testing::TestParamInfo<CortexCore>& core) {
  switch (core.param) {
    case CortexCore::m4:
      return "M4";
    case CortexCore::m3:
      return "M3";
    default:
      return "M0Plus";
  }
}

INSTANTIATE_TEST_SUITE_P(Cores, CortexM,
                         ::testing::Values(CortexCore::m4, CortexCore::m3, CortexCore::m0_plus),
                         core_name);

}  // namespace
}  // namespace biglittle::testing
