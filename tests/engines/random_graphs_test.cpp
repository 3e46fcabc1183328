// SPDX-License-Identifier: MIT
// Random graphs in every form of the kernels: scripts/soak graphs in small.
#include "engines/random_graphs.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "testing/temporary_folder.h"

namespace biglittle::testing {
namespace {

void expect_equal_to_plain_loops(std::vector<DeviceEngine> engines, int batches, std::size_t size) {
  if (engines.empty()) {
    const char* required = std::getenv("BIGLITTLE_REQUIRE_ENGINES");
    if (required != nullptr && std::string_view(required) == "1") {
      FAIL() << "gcc or clang is not installed";
    }
    GTEST_SKIP() << "gcc or clang is not installed";
  }
  const TemporaryFolder folder;
  EXPECT_EQ(check_random_graphs(RandomGraphs(folder.path(), std::move(engines)), batches, size),
            "");
}

TEST(RandomGraphsOfGeneratedCode, EqualPlainLoopsUnderSanitizers) {
  expect_equal_to_plain_loops(sanitized_engines(), 1, 40);
}

TEST(RandomGraphsOfGeneratedCode, EqualPlainLoopsInEveryForm) {
  expect_equal_to_plain_loops(plain_engines(), 1, 40);
}

}  // namespace
}  // namespace biglittle::testing
