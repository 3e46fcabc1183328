// SPDX-License-Identifier: MIT
#include "core/error.h"

#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "core/version.h"

namespace biglittle {
namespace {

// The numbers are those of sysexits.h, which scripts rely on.
TEST(ExitCode, FollowsSysexits) {
  EXPECT_EQ(exit_code(ErrorKind::gate), 1);
  EXPECT_EQ(exit_code(ErrorKind::usage), 64);
  EXPECT_EQ(exit_code(ErrorKind::bad_data), 65);
  EXPECT_EQ(exit_code(ErrorKind::missing_input), 66);
  EXPECT_EQ(exit_code(ErrorKind::internal), 70);
  EXPECT_EQ(exit_code(ErrorKind::cannot_create), 73);
  EXPECT_EQ(exit_code(ErrorKind::io), 74);
  EXPECT_EQ(exit_code(ErrorKind::config), 78);
}

TEST(Error, KeepsItsKindAndLine) {
  const Error error(ErrorKind::io, "x: cannot be read");
  EXPECT_EQ(error.kind(), ErrorKind::io);
  EXPECT_STREQ(error.what(), "x: cannot be read");
}

TEST(ProgramVersion, IsThreeNumbers) {
  EXPECT_TRUE(
      std::regex_match(std::string(program_version()), std::regex("[0-9]+\\.[0-9]+\\.[0-9]+")));
}

}  // namespace
}  // namespace biglittle
