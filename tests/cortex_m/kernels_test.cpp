// SPDX-License-Identifier: MIT
// The kernels for microcontrollers against a naive loop (tests/runtime/kernel_check.c), on cores
// that have the instructions they are made of and on cores that have not.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "cortex_m/cortex_m.h"
#include "testing/temporary_folder.h"

namespace biglittle::testing {
namespace {

namespace fs = std::filesystem;

/// The device runtime and the program that checks its kernels.
void copy_sources(const fs::path& folder) {
  for (const fs::directory_entry& entry : fs::directory_iterator(BIGLITTLE_RUNTIME)) {
    const fs::path extension = entry.path().extension();
    if (extension == ".c" || extension == ".h") fs::copy(entry.path(), folder);
  }
  fs::copy(BIGLITTLE_KERNEL_CHECK, folder);
}

void expect_exact(CortexCore core, const std::string& flags, const std::string& form) {
  if (!has_cortex_tools()) return;
  const TemporaryFolder folder;
  copy_sources(folder.path());
  const CortexRun run = run_on_cortex_m(folder.path(), core,
                                        flags +
                                            " -Wall -Wextra -Wpedantic -Wconversion -Wshadow "
                                            "-Werror -DBL_CHECK_CASES=60");
  EXPECT_THAT(run.output, ::testing::StartsWith("form " + form + ":"));
  EXPECT_THAT(run.output, ::testing::HasSubstr(": 0 differences"));
  EXPECT_EQ(run.exit_code, 0) << run.output;
}

TEST(CortexMKernels, DspFormOnCortexM4) { expect_exact(CortexCore::m4, "-O2", "1"); }

TEST(CortexMKernels, DspFormWithoutOptimization) { expect_exact(CortexCore::m4, "-O0", "1"); }

TEST(CortexMKernels, DspFormForSize) { expect_exact(CortexCore::m4, "-Os", "1"); }

TEST(CortexMKernels, DspFormWithIntegerRequantization) {
  expect_exact(CortexCore::m4, "-O2 -DBL_SOFT_FLOAT=1", "1");
}

TEST(CortexMKernels, PortableFormOnCortexM4) {
  expect_exact(CortexCore::m4, "-O2 -DBL_FORM=0", "0");
}

TEST(CortexMKernels, PortableFormOnCortexM3) { expect_exact(CortexCore::m3, "-O2", "0"); }

TEST(CortexMKernels, PortableFormOnCortexM0Plus) { expect_exact(CortexCore::m0_plus, "-O2", "0"); }

}  // namespace
}  // namespace biglittle::testing
