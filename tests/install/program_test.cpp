// SPDX-License-Identifier: MIT
// The program as `cmake --install` puts it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/version.h"
#include "testing/device_program_runner.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(InstalledProgram, RunsFromAnyPrefixAndFindsItsEngine) {
  const testing::TemporaryFolder folder;
  const std::string in = "cd " + folder.path().string() + " && ";
  const auto installed = testing::run_command(
      in + "DESTDIR=$PWD/stage cmake --install " BIGLITTLE_BUILD_FOLDER " --prefix /opt/biglittle");
  ASSERT_EQ(installed.exit_code, 0) << installed.output;
  const std::string program = in + "env -u BIGLITTLE_ENGINE stage/opt/biglittle/bin/biglittle ";

  const auto help = testing::run_command(program + "--help");
  EXPECT_EQ(help.exit_code, 0) << help.output;
  EXPECT_THAT(help.output, HasSubstr("derive-little"));
  const auto version = testing::run_command(program + "--version");
  EXPECT_THAT(version.output, HasSubstr(std::string(program_version())));

  const auto doctor = testing::run_command(program + "doctor");
  EXPECT_THAT(doctor.output, HasSubstr("LibTorch"));
#if BIGLITTLE_HAS_ENGINE
  EXPECT_EQ(doctor.exit_code, 0) << doctor.output;
  EXPECT_THAT(doctor.output, Not(HasSubstr("the engine, which this command needs, is not at")));
#else
  EXPECT_THAT(doctor.output, HasSubstr("lib/biglittle/libbiglittle_engine.so"));
#endif
}

}  // namespace
}  // namespace biglittle
