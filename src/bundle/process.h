// SPDX-License-Identifier: MIT
#pragma once

// Runs another program with a time limit and without a shell; how verify meets the C compiler.

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace biglittle {

struct ProcessResult {
  int exit_code = -1;      ///< 128 + signal when a signal ended it
  bool timed_out = false;  ///< it and its children were killed
  std::string output;      ///< standard output and error together, the first 64 KiB
};

/// Runs `arguments[0]` (a path) with the rest as arguments, in `folder`, with no input. Throws
/// Error{io} when it cannot be started.
ProcessResult run_process(const std::vector<std::string>& arguments,
                          const std::filesystem::path& folder, std::chrono::seconds limit);

/// The executable file that `program` names: itself when it has a '/', else the first on the PATH.
std::optional<std::filesystem::path> find_program(std::string_view program);

}  // namespace biglittle
