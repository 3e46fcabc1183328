// SPDX-License-Identifier: MIT
#include "core/files.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "testing/expect_error.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
using testing::TemporaryFolder;
using ::testing::UnorderedElementsAre;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

// While it lives, no file of this process grows beyond `bytes`: a write that crosses the limit is
// short, and the next one fails, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST(WriteFile, RoundTripsEveryByte) {
  const TemporaryFolder folder;
  std::string content;
  for (int i = 0; i < 100'000; ++i) content += static_cast<char>(i % 256);
  write_file(folder / "x", content);
  EXPECT_EQ(read_text(folder / "x"), content);
  const std::vector<std::byte> bytes = read_bytes(folder / "x");
  EXPECT_EQ(bytes.size(), 100'000U);
  EXPECT_EQ(bytes[255], std::byte{255});
}

TEST(WriteFile, MakesFoldersAndReplacesAndLeavesNothingElse) {
  const TemporaryFolder folder;
  write_file(folder / "a/b/x", "first");
  write_file(folder / "a/b/x", "2");
  EXPECT_EQ(read_text(folder / "a/b/x"), "2");
  EXPECT_THAT(names_in(folder / "a/b"), UnorderedElementsAre("x"));
}

TEST(WriteFile, WritesAnEmptyFile) {
  const TemporaryFolder folder;
  write_file(folder / "x", "");
  EXPECT_EQ(fs::file_size(folder / "x"), 0U);
}

TEST(WriteFile, WritesBesideTheCurrentFolderForABareName) {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  EXPECT_NO_THROW(write_file("bare", "x"));
  EXPECT_EQ(read_text("bare"), "x");
  fs::current_path(before);
}

TEST(WriteFile, NeverChangesTheOldFileInPlace) {
  const TemporaryFolder folder;
  write_file(folder / "x", "old");
  fs::create_hard_link(folder / "x", folder / "link");
  write_file(folder / "x", "new");
  EXPECT_EQ(read_text(folder / "link"), "old");
}

TEST(WriteFile, KeepsThePreviousFileWhenAWriteStopsHalfWay) {
  const TemporaryFolder folder;
  write_file(folder / "x", "previous");
  const std::string message = (folder / "x").string() + ": cannot be written: File too large";
  {
    const FileSizeLimit limit(1000);
    expect_error(ErrorKind::io, message, [&] { write_file(folder / "x", std::string(1001, 'n')); });
  }
  EXPECT_EQ(read_text(folder / "x"), "previous");
  EXPECT_THAT(names_in(folder.path()), UnorderedElementsAre("x"));
}

TEST(WriteFile, SucceedsUpToTheLimit) {
  const TemporaryFolder folder;
  const FileSizeLimit limit(1000);
  EXPECT_NO_THROW(write_file(folder / "x", std::string(1000, 'n')));
}

TEST(WriteFile, CannotMakeAFolderBelowAFile) {
  const TemporaryFolder folder;
  write_file(folder / "file", "kept");
  expect_error(ErrorKind::cannot_create,
               (folder / "file/inner").string() + ": folder cannot be made: Not a directory",
               [&] { write_file(folder / "file/inner/x", "content"); });
  EXPECT_EQ(read_text(folder / "file"), "kept");
}

TEST(WriteFile, CannotCreateANameThatIsTooLong) {
  const TemporaryFolder folder;
  const fs::path file = folder / std::string(250, 'x');
  expect_error(ErrorKind::cannot_create, file.string() + ": cannot be created: File name too long",
               [&] { write_file(file, "content"); });
}

TEST(WriteFile, DoesNotReplaceAFolder) {
  const TemporaryFolder folder;
  write_file(folder / "x/inside", "kept");
  expect_error(ErrorKind::io, (folder / "x").string() + ": cannot be replaced: Is a directory",
               [&] { write_file(folder / "x", "content"); });
  EXPECT_EQ(read_text(folder / "x/inside"), "kept");
  EXPECT_THAT(names_in(folder.path()), UnorderedElementsAre("x"));
}

// Leaves a temporary of `file` that its writer holds while the descriptor is open.
int begin_writing(const fs::path& file) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666);
  ::flock(descriptor, LOCK_EX);
  return descriptor;
}

TEST(WriteFile, RemovesWhatKilledProcessesLeftAndNothingElse) {
  const TemporaryFolder folder;
  for (int i = 0; i < 100; ++i) {
    std::ofstream(folder / fmt::format(".x.partial-{}-{}", ::getpid(), i)) << "left over";
  }
  write_file(folder / ".xy.partial-1-1", "of another file");
  const int living = begin_writing(folder / ".x.partial-1-1");
  write_file(folder / "x", "content");
  EXPECT_EQ(read_text(folder / "x"), "content");
  EXPECT_THAT(names_in(folder.path()),
              UnorderedElementsAre("x", ".xy.partial-1-1", ".x.partial-1-1"));
  ::close(living);
  write_file(folder / "x", "again");
  EXPECT_THAT(names_in(folder.path()), UnorderedElementsAre("x", ".xy.partial-1-1"));
}

TEST(WriteFile, LeavesTheSaveOfAnotherThreadAlone) {
  const TemporaryFolder folder;
  const std::string content(100'000, 'x');
  const auto save = [&] {
    for (int i = 0; i < 100; ++i) write_file(folder / "x", content);
  };
  std::thread other(save);
  EXPECT_NO_THROW(save());
  other.join();
  EXPECT_EQ(read_text(folder / "x"), content);
  EXPECT_THAT(names_in(folder.path()), UnorderedElementsAre("x"));
}

TEST(ReadBytes, LimitsTheLengthOnBothSides) {
  const TemporaryFolder folder;
  write_file(folder / "x", "12345");
  EXPECT_EQ(read_bytes(folder / "x", 5).size(), 5U);
  expect_error(ErrorKind::bad_data,
               (folder / "x").string() + ": too long: 5 bytes, expected at most 4",
               [&] { read_bytes(folder / "x", 4); });
}

TEST(ReadBytes, NamesWhatIsNotThereOrNotAFile) {
  const TemporaryFolder folder;
  expect_error(ErrorKind::missing_input,
               (folder / "x").string() + ": cannot be opened: No such file or directory",
               [&] { read_bytes(folder / "x"); });
  expect_error(ErrorKind::missing_input,
               folder.path().string() + ": cannot be opened: not a regular file",
               [&] { read_text(folder.path()); });
}

TEST(AppendLine, AddsLinesToAFile) {
  const TemporaryFolder folder;
  append_line(folder / "log", "one");
  append_line(folder / "log", "two");
  EXPECT_EQ(read_text(folder / "log"), "one\ntwo\n");
}

TEST(AppendLine, SaysWhenTheFileCannotBeOpenedOrGrow) {
  const TemporaryFolder folder;
  expect_error(ErrorKind::cannot_create,
               (folder / "none/log").string() +
                   ": cannot be opened for appending: No such file or directory",
               [&] { append_line(folder / "none/log", "line"); });
  EXPECT_THAT(
      [] { append_line("/dev/full", "line"); },
      ::testing::ThrowsMessage<Error>(::testing::StartsWith(
          "/dev/full: cannot be written: No space left on device (5 bytes are to be written, ")));
}

TEST(AppendLine, LeavesNoPartOfALineThatDoesNotFit) {
  const TemporaryFolder folder;
  append_line(folder / "log", "one");
  {
    const FileSizeLimit limit(6);
    expect_error(ErrorKind::io, (folder / "log").string() + ": cannot be written: File too large",
                 [&] { append_line(folder / "log", "longer"); });
  }
  EXPECT_EQ(read_text(folder / "log"), "one\n");
}

TEST(StagedFolder, RemovesWhatKilledProcessesLeft) {
  const TemporaryFolder folder;
  write_file(folder / ".net.partial-1-1/deep/old", "left over");
  const StagedFolder living(folder / "net");
  StagedFolder staged(folder / "net");
  EXPECT_TRUE(fs::exists(living.path()));
  staged.commit();
  EXPECT_THAT(names_in(folder.path()),
              UnorderedElementsAre("net", living.path().filename().string()));
}

TEST(StagedFolder, IsInvisibleUntilCommitted) {
  const TemporaryFolder folder;
  StagedFolder staged(folder / "exports/net");
  EXPECT_EQ(staged.path().parent_path(), folder / "exports");
  write_file(staged.path() / "little/model", "m");
  EXPECT_FALSE(fs::exists(folder / "exports/net"));
  staged.commit();
  EXPECT_EQ(read_text(folder / "exports/net/little/model"), "m");
  EXPECT_THAT(names_in(folder / "exports"), UnorderedElementsAre("net"));
}

TEST(StagedFolder, ReplacesAnExistingFolderAsAWhole) {
  const TemporaryFolder folder;
  write_file(folder / "net/old", "o");
  StagedFolder staged(folder / "net");
  write_file(staged.path() / "new", "n");
  staged.commit();
  EXPECT_THAT(names_in(folder / "net"), UnorderedElementsAre("new"));
  EXPECT_THAT(names_in(folder.path()), UnorderedElementsAre("net"));
}

TEST(StagedFolder, LeavesNothingWithoutCommit) {
  const TemporaryFolder folder;
  write_file(folder / "net/old", "o");
  {
    const StagedFolder staged(folder / "net");
    write_file(staged.path() / "deep/new", "n");
  }
  EXPECT_THAT(names_in(folder / "net"), UnorderedElementsAre("old"));
  EXPECT_THAT(names_in(folder.path()), UnorderedElementsAre("net"));
}

TEST(StagedFolder, TakesANameWithASlashAtItsEnd) {
  const TemporaryFolder folder;
  StagedFolder staged(folder / "net/");
  write_file(staged.path() / "x", "n");
  staged.commit();
  EXPECT_THAT(names_in(folder.path()), UnorderedElementsAre("net"));
  EXPECT_EQ(read_text(folder / "net/x"), "n");
}

TEST(StagedFolder, RestoresThePreviousFolderWhenTheStagedOneIsGone) {
  const TemporaryFolder folder;
  write_file(folder / "net/old", "o");
  StagedFolder staged(folder / "net");
  fs::remove_all(staged.path());
  EXPECT_THROW(staged.commit(), Error);
  EXPECT_EQ(read_text(folder / "net/old"), "o");
  EXPECT_THAT(names_in(folder.path()), UnorderedElementsAre("net"));
}

TEST(StagedFolder, DoesNotReplaceAFile) {
  const TemporaryFolder folder;
  write_file(folder / "net", "a file");
  expect_error(ErrorKind::cannot_create,
               (folder / "net").string() + ": cannot be created: a file of that name exists",
               [&] { const StagedFolder staged(folder / "net"); });
  EXPECT_EQ(read_text(folder / "net"), "a file");
}

TEST(StagedFolder, CannotBeMadeBelowAFile) {
  const TemporaryFolder folder;
  write_file(folder / "file", "kept");
  expect_error(ErrorKind::cannot_create,
               (folder / "file/deep").string() + ": folder cannot be made: Not a directory",
               [&] { const StagedFolder staged(folder / "file/deep/net"); });
}

}  // namespace
}  // namespace biglittle
