// SPDX-License-Identifier: MIT
#pragma once

// The fixed text of the device folder's files, with @KEY@ where an export fills in (c_text.h,
// fill_in).

#include <string_view>

namespace biglittle {

std::string_view model_header_template();
std::string_view model_source_template();
std::string_view selftest_template();
std::string_view device_readme_template();
std::string_view device_cmake_template();

}  // namespace biglittle
