// SPDX-License-Identifier: MIT
#include "bundle/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <fstream>

#include "core/error.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

ProcessResult shell(const std::string& script, seconds limit = seconds(10)) {
  return run_process({"/bin/sh", "-c", script}, "/", limit);
}

TEST(Process, ReportsExitCodeAndBothOutputs) {
  const ProcessResult result = shell("echo out; echo err >&2; exit 3");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_FALSE(result.timed_out);
  EXPECT_EQ(result.output, "out\nerr\n");
}

TEST(Process, ASignalIs128PlusItsNumber) {
  EXPECT_EQ(shell("kill -SEGV $$").exit_code, 128 + SIGSEGV);
}

TEST(Process, RunsInTheFolderWithoutInput) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder / "here") << "x";
  const ProcessResult result =
      run_process({"/bin/sh", "-c", "ls; cat"}, folder.path(), seconds(10));
  EXPECT_EQ(result.output, "here\n");
  EXPECT_EQ(result.exit_code, 0);
}

TEST(Process, ArgumentsAreNotReadByAShell) {
  EXPECT_EQ(run_process({"/bin/echo", "$HOME; exit"}, "/", seconds(10)).output, "$HOME; exit\n");
}

TEST(Process, ChildrenEndAtTheTimeLimitToo) {
  const auto start = std::chrono::steady_clock::now();
  const ProcessResult result = shell("sleep 30 & sleep 30", seconds(1));
  EXPECT_TRUE(result.timed_out);
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(10));
}

TEST(Process, AClosedOutputDoesNotEscapeTheTimeLimit) {
  EXPECT_TRUE(shell("exec >&- 2>&-; sleep 30", seconds(1)).timed_out);
}

TEST(Process, KeepsTheFirst64KiBOfALongOutput) {
  const ProcessResult result = shell("head -c 300000 /dev/zero");
  EXPECT_EQ(result.output.size(), 65536u);
  EXPECT_EQ(result.exit_code, 0);
}

TEST(Process, AMissingProgramIsAnError) {
  try {
    (void)run_process({"/nowhere/cc"}, "/", seconds(1));
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io);
    EXPECT_THAT(error.what(), HasSubstr("/nowhere/cc: cannot be run: "));
  }
}

TEST(Process, ProgramsAreFoundOnThePathOnly) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder / "tool") << "#!/bin/sh\n";
  std::ofstream(folder / "text") << "not a program";
  std::filesystem::permissions(folder / "tool", std::filesystem::perms::owner_all);
  const std::string before = std::getenv("PATH");
  ::setenv("PATH", (":.:relative:" + folder.path().string()).c_str(), 1);
  EXPECT_EQ(find_program("tool"), folder / "tool");
  EXPECT_EQ(find_program("text"), std::nullopt);
  EXPECT_EQ(find_program(""), std::nullopt);
  ::setenv("PATH", before.c_str(), 1);
  EXPECT_EQ(find_program((folder / "tool").string()), folder / "tool");
  EXPECT_EQ(find_program((folder / "text").string()), std::nullopt);
}

}  // namespace
}  // namespace biglittle
