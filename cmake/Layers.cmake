# SPDX-License-Identifier: MIT
# The folders of src/ are layers: each is a static library that may use those to its left only.
#   core <- graph <- data <- train <- derive <- quant <- calibrate <- bundle <- cli

add_library(biglittle_warnings INTERFACE)
target_compile_options(biglittle_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion>
  $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion>)
if(BIGLITTLE_SANITIZE)
  target_compile_options(biglittle_warnings INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(biglittle_warnings INTERFACE -fsanitize=address,undefined)
endif()

# Headers that nearly every source includes, directly or not: compiled once for all layers. The library
# holds nothing else.
set(BIGLITTLE_COMMON_HEADERS
  <algorithm> <cstdint> <filesystem> <functional> <map> <memory> <optional> <span> <string>
  <string_view> <variant> <vector> <fmt/core.h> <fmt/format.h> <nlohmann/json.hpp>)
file(WRITE ${PROJECT_BINARY_DIR}/precompiled.cpp "")
add_library(biglittle_precompiled OBJECT ${PROJECT_BINARY_DIR}/precompiled.cpp)
target_link_libraries(biglittle_precompiled PRIVATE biglittle_warnings fmt::fmt
                      nlohmann_json::nlohmann_json)
target_precompile_headers(biglittle_precompiled PRIVATE ${BIGLITTLE_COMMON_HEADERS})

# biglittle_layer(NAME USES layer... LIBRARIES target...): src/NAME as target biglittle_NAME. Its
# sources are added by target_sources in the folder.
function(biglittle_layer name)
  cmake_parse_arguments(LAYER "" "" "USES;LIBRARIES" ${ARGN})
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/layer.cpp "")
  add_library(biglittle_${name} STATIC ${CMAKE_CURRENT_BINARY_DIR}/layer.cpp)
  add_library(biglittle::${name} ALIAS biglittle_${name})
  target_include_directories(biglittle_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>)
  list(TRANSFORM LAYER_USES PREPEND biglittle::)
  target_link_libraries(biglittle_${name} PUBLIC ${LAYER_USES} PRIVATE biglittle_warnings)
  target_link_libraries(biglittle_${name} PUBLIC ${LAYER_LIBRARIES})
  target_precompile_headers(biglittle_${name} REUSE_FROM biglittle_precompiled)
endfunction()

if(BIGLITTLE_TESTS)
  file(WRITE ${PROJECT_BINARY_DIR}/precompiled_tests.cpp "")
  add_executable(biglittle_precompiled_tests ${PROJECT_BINARY_DIR}/precompiled_tests.cpp)
  target_link_libraries(biglittle_precompiled_tests PRIVATE biglittle_warnings fmt::fmt
                        nlohmann_json::nlohmann_json GTest::gmock GTest::gtest_main)
  target_precompile_headers(biglittle_precompiled_tests PRIVATE ${BIGLITTLE_COMMON_HEADERS}
                            <gmock/gmock.h> <gtest/gtest.h>)
  # Tests are compiled often and run once: their own code is not worth long optimisation.
  set(BIGLITTLE_TEST_OPTIONS -O1)
  target_compile_options(biglittle_precompiled_tests PRIVATE ${BIGLITTLE_TEST_OPTIONS})
endif()

# biglittle_test(NAME [ONE_PROCESS] SOURCES file... LIBRARIES target... [LABELS label...]): one test
# program, every TEST in it known to ctest. With ONE_PROCESS all its tests run in one process, for those
# that share costly work.
function(biglittle_test name)
  cmake_parse_arguments(TEST "ONE_PROCESS" "" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE ${TEST_LIBRARIES} biglittle_warnings GTest::gmock
                        GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_options(${name} PRIVATE ${BIGLITTLE_TEST_OPTIONS})
  # LibTorch's definitions change the standard library's, so that its tests cannot share the header.
  if(NOT biglittle_libtorch IN_LIST TEST_LIBRARIES)
    target_precompile_headers(${name} REUSE_FROM biglittle_precompiled_tests)
  endif()
  # Sanitizers leave slow tests out (scripts/test), so that they need not be compiled for them.
  if(BIGLITTLE_SANITIZE AND "slow" IN_LIST TEST_LABELS)
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
    return()
  endif()
  include(GoogleTest)
  set(properties)
  if(TEST_LABELS)
    set(properties PROPERTIES LABELS "${TEST_LABELS}")
  endif()
  if(TEST_ONE_PROCESS)
    add_test(NAME ${name} COMMAND ${name})
    # Whole programs begin first: one that begins last keeps a single core busy.
    set_tests_properties(${name} PROPERTIES COST 100)
    if(properties)
      set_tests_properties(${name} ${properties})
    endif()
  else()
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST ${properties})
  endif()
endfunction()
