// SPDX-License-Identifier: MIT
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/program.h"

namespace biglittle::testing {

/// Runs the program with the dynamic loader's own log on and expects LibTorch not to be in it.
inline void expect_no_libtorch(const std::vector<std::string>& arguments, Setting setting,
                               int code) {
  setting.environment.emplace_back("LD_DEBUG", "libs");
  const Outcome outcome = biglittle(arguments, setting);
  EXPECT_EQ(outcome.code, code) << outcome.err;
  EXPECT_THAT(outcome.err, ::testing::HasSubstr("libc.so")) << "the log is off";
  EXPECT_THAT(outcome.err, ::testing::Not(::testing::HasSubstr("libtorch")));
  EXPECT_THAT(outcome.err, ::testing::Not(::testing::HasSubstr("biglittle_engine")));
}

}  // namespace biglittle::testing
