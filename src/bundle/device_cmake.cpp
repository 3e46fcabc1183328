// SPDX-License-Identifier: MIT
#include "bundle/c_templates.h"

namespace biglittle {

std::string_view device_cmake_template() {
  return R"(cmake_minimum_required(VERSION 3.13)
project(bl_model LANGUAGES C)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

add_library(bl_model STATIC bl_model.c bl_runtime.c)
target_include_directories(bl_model PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
set_target_properties(bl_model PROPERTIES C_STANDARD 99 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
if(NOT MSVC)
  # One rounding a product: a fused multiply-add would round differently.
  target_compile_options(bl_model PRIVATE -ffp-contract=off)
endif()

if(CMAKE_SOURCE_DIR STREQUAL CMAKE_CURRENT_SOURCE_DIR)
  enable_testing()
  add_executable(bl_selftest bl_selftest.c)
  set_target_properties(bl_selftest PROPERTIES C_STANDARD 99 C_STANDARD_REQUIRED ON
                                               C_EXTENSIONS OFF)
  target_compile_definitions(bl_selftest PRIVATE BL_SELFTEST_MAIN)
  target_link_libraries(bl_selftest PRIVATE bl_model)
  add_test(NAME bl_selftest COMMAND bl_selftest)
endif()
)";
}

}  // namespace biglittle
