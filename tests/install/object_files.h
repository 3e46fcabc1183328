// SPDX-License-Identifier: MIT
#pragma once

// What linker maps and the compiler's call graphs say about memory.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace biglittle::testing {

/// The bytes that each object file takes in a program, from the linker map of GNU ld.
struct ObjectBytes {
  std::int64_t flash = 0;   ///< code, constants and initial values
  std::int64_t zeroed = 0;  ///< .bss
};

/// By the name of the object file. What --gc-sections dropped is not counted.
std::map<std::string, ObjectBytes> read_linker_map(const std::filesystem::path& map);

/// The deepest stack from `function` on, over the call graphs (-fcallgraph-info=su) of all .ci
/// files in `folder`; functions of libraries count as nothing. Throws std::runtime_error for a
/// frame whose size is not fixed, recursion, or when there is no such function.
std::int64_t deepest_stack(const std::filesystem::path& folder, const std::string& function);

}  // namespace biglittle::testing
