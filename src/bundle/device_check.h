// SPDX-License-Identifier: MIT
#pragma once

// Compiles device code with warnings as errors and runs its self-test on this machine.

#include <map>
#include <string>

#include "bundle/bundle.h"

namespace biglittle {

/// `files` are a device/ folder as device_source makes it. Skipped with the reason when no C
/// compiler is found ($CC, cc, gcc, clang), failed with the compiler's or the self-test's first
/// lines. Compiles in a temporary folder that is removed afterwards.
VerifyItem check_device_code(const std::map<std::string, std::string>& files);

}  // namespace biglittle
