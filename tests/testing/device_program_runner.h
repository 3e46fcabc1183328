// SPDX-License-Identifier: MIT
#pragma once

// Compiles generated device code on this machine and runs it over samples.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace biglittle::testing {

/// What the generated code says about one sample.
struct DeviceAnswer {
  std::int32_t class_index = 0;
  std::int32_t margin = 0;
  bool escalate = false;
  std::int64_t score = 0;
  std::vector<std::int32_t> accumulators;
};

/// Exit code and everything printed of one shell command line.
struct CommandResult {
  int exit_code = 0;
  std::string output;
};
CommandResult run_command(const std::string& command);

/// Every warning that device code promises to be free of.
inline const std::string kStrictC99 = "-std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror ";

/// Writes `files` to `folder`.
void write_files(const std::filesystem::path& folder,
                 const std::map<std::string, std::string>& files);

/// Compiles bl_model.c, `runtime` (a source or object file) and the batch program
/// (testing/device_batch.c) in `folder` with `compiler` (a command with its flags) and runs
/// `samples`. Throws std::runtime_error with the compiler's output when a command fails.
std::vector<DeviceAnswer> run_device_code(const std::filesystem::path& folder,
                                          const std::string& compiler, const Samples& samples,
                                          const std::string& runtime = "bl_runtime.c");

}  // namespace biglittle::testing
