// SPDX-License-Identifier: MIT
// Writing to a file system that is really full: a child process mounts one of 64 KiB for itself.

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/error.h"
#include "core/files.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

constexpr int kPassed = 0;
constexpr int kFailed = 1;
constexpr int kCannotMount = 77;

// In a namespace of its own, in which the user counts as root, so that everybody may run this.
bool mount_64_kib(const std::filesystem::path& folder) {
  const std::string user = fmt::format("0 {} 1", ::geteuid());
  const std::string group = fmt::format("0 {} 1", ::getegid());
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << user;
  std::ofstream("/proc/self/gid_map") << group;
  return ::mount("none", folder.c_str(), "tmpfs", 0, "size=64k") == 0;
}

// 16 pages of 4096 bytes; the previous file takes one and 15 take 61,440 of the new one's bytes.
int fill_disk(const std::filesystem::path& folder) {
  if (!mount_64_kib(folder)) return kCannotMount;
  write_file(folder / "x", "previous");
  const std::string expected =
      (folder / "x").string() +
      ": cannot be written: No space left on device (38560 bytes are to be written, 0 are free, "
      "38560 are missing)";
  try {
    write_file(folder / "x", std::string(100'000, 'n'));
    return kFailed;
  } catch (const Error& error) {
    if (error.what() != expected || error.kind() != ErrorKind::io) {
      std::fprintf(stderr, "%s\n", error.what());
      return kFailed;
    }
  }
  std::size_t entries = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    entries += entry.path().filename() == "x" ? 1 : 100;
  }
  return read_text(folder / "x") == "previous" && entries == 1 ? kPassed : kFailed;
}

TEST(WriteFile, KeepsThePreviousFileAndSaysHowMuchIsMissingOnAFullDisk) {
  if (::sysconf(_SC_PAGESIZE) != 4096) GTEST_SKIP() << "the numbers are for pages of 4096 bytes";
  const testing::TemporaryFolder folder;
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    int result = kFailed;
    try {
      result = fill_disk(folder.path());
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
    ::_exit(result);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kCannotMount) GTEST_SKIP() << "private mounts are not permitted here";
  EXPECT_EQ(WEXITSTATUS(status), kPassed);
}

}  // namespace
}  // namespace biglittle
