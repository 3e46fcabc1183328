// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace biglittle {

/// The program's version, from CMake's project(VERSION).
std::string_view program_version();

}  // namespace biglittle
