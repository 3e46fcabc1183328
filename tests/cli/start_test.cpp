// SPDX-License-Identifier: MIT
// What needs no tensors starts at once: LibTorch takes a third of a second and 160 MB to load.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "cli/loads.h"
#include "testing/temporary_folder.h"

namespace biglittle::testing {
namespace {

TEST(Start, HelpDoesNotLoadLibTorch) { expect_no_libtorch({"--help"}, {}, 0); }

TEST(Start, WrongOptionDoesNotLoadLibTorch) { expect_no_libtorch({"train", "--bad"}, {}, 64); }

TEST(Start, ConfigErrorDoesNotLoadLibTorch) {
  TemporaryFolder folder;
  std::ofstream(folder / "toy.toml") << "sed = 1\n";
  expect_no_libtorch({"train", "toy.toml"}, {folder.path(), {}}, 78);
}

}  // namespace
}  // namespace biglittle::testing
