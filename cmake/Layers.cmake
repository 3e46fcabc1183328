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
endfunction()

# biglittle_test(NAME SOURCES file... LIBRARIES target... [LABELS label...]): one test program,
# every TEST in it known to ctest.
function(biglittle_test name)
  cmake_parse_arguments(TEST "" "" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE ${TEST_LIBRARIES} biglittle_warnings GTest::gmock
                        GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  include(GoogleTest)
  if(TEST_LABELS)
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES LABELS "${TEST_LABELS}")
  else()
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST)
  endif()
endfunction()
