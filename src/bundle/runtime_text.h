// SPDX-License-Identifier: MIT
#pragma once

// The C runtime that ships in every bundle, as text inside the program. The definition is generated
// from runtime/ at build time (cmake/EmbedText.cmake).

#include <map>
#include <string>

namespace biglittle {

/// "bl_runtime.h" and "bl_runtime.c" with their content, byte for byte.
std::map<std::string, std::string> runtime_text();

}  // namespace biglittle
