// SPDX-License-Identifier: MIT
// Damaged files: the HDF5 library crashes on some, this process must not.

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include "core/files.h"
#include "core/random.h"
#include "data/child_process.h"
#include "data/small_dataset.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using testing::error_of;
using testing::expect_error;
using testing::TemporaryFolder;

/// Without write_file's fsync, which would take most of the test's time.
void write_plainly(const std::filesystem::path& file, std::span<const std::byte> bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

class DamagedDatasetFile : public ::testing::Test {
 protected:
  DamagedDatasetFile() {
    Dataset dataset = testing::small_float_dataset();
    finish_dataset(dataset, "test");
    digest_ = dataset.digest;
    write_dataset(file_, dataset);
    good_ = read_bytes(file_);
  }

  /// One line about the file, or, where the change is in bytes that mean nothing, the same dataset.
  void expect_refused_or_same(std::span<const std::byte> bytes) {
    write_plainly(file_, bytes);
    try {
      EXPECT_EQ(read_dataset(file_).digest, digest_);
    } catch (const Error& error) {
      const std::string message = error.what();
      EXPECT_EQ(error.kind(), ErrorKind::bad_data);
      EXPECT_TRUE(message.starts_with(file_.string() + ": ")) << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "d.h5";
  std::string digest_;
  std::vector<std::byte> good_;
};

TEST_F(DamagedDatasetFile, IsRefusedWhereverItIsCut) {
  for (std::size_t size = 0; size < good_.size(); size += 97) {
    write_plainly(file_, std::span(good_).first(size));
    EXPECT_EQ(error_of([&] { read_dataset(file_); }).kind, ErrorKind::bad_data) << size;
  }
  write_plainly(file_, std::span(good_).first(good_.size() - 1));
  EXPECT_EQ(error_of([&] { read_dataset(file_); }).kind, ErrorKind::bad_data);
}

TEST_F(DamagedDatasetFile, NeverEndsThisProcess) {
  Random random(11);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::byte> bytes = good_;
    for (std::uint64_t change = random.below(6) + 1; change > 0; --change) {
      bytes[random.below(bytes.size())] = static_cast<std::byte>(random.below(256));
    }
    expect_refused_or_same(bytes);
  }
}

TEST_F(DamagedDatasetFile, NeverEndsThisProcessWithExtremeNumbers) {
  // Lengths and addresses of the format are 8-byte words: every one of the front becomes extreme.
  Random random(12);
  constexpr std::array<std::uint8_t, 4> kExtremes = {0x00, 0x7f, 0x80, 0xff};
  for (int round = 0; round < 300; ++round) {
    std::vector<std::byte> bytes = good_;
    const std::size_t word = random.below(bytes.size() / 8) * 8;
    const auto value = static_cast<std::byte>(kExtremes[random.below(kExtremes.size())]);
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(word), random.below(8) + 1, value);
    expect_refused_or_same(bytes);
  }
}

TEST(DatasetFile, ThatCrashesTheLibraryIsRefused) {
  // Found by random changes: HDF5 1.10.8 dies of SIGSEGV on it.
  const std::filesystem::path file = BIGLITTLE_FIXTURES "/crashes_hdf5_1.10.8.h5";
  const testing::Thrown thrown = error_of([&] { read_dataset(file); });
  EXPECT_EQ(thrown.kind, ErrorKind::bad_data);
  EXPECT_TRUE(thrown.message.starts_with(file.string() + ": damaged HDF5 file")) << thrown.message;
}

const char* const kDamaged =
    "f: damaged HDF5 file (the HDF5 library failed on it), expected a dataset that `biglittle "
    "import` wrote; restore a copy or import again";

TEST(RunInChild, CarriesContentAndErrors) {
  std::int64_t number = 0;
  std::string text;
  run_in_child(
      "f",
      [](PipeWriter& out) {
        out.number(-5);
        out.text(std::string(1 << 20, 'x'));
      },
      [&](PipeReader& in) {
        number = in.number();
        text = in.text(1 << 20);
      });
  EXPECT_EQ(number, -5);
  EXPECT_EQ(text, std::string(1 << 20, 'x'));

  expect_error(ErrorKind::bad_data, "f: what the child found", [] {
    run_in_child(
        "f", [](PipeWriter&) { throw Error(ErrorKind::bad_data, "f: what the child found"); },
        [](PipeReader& in) { in.number(); });
  });
}

TEST(RunInChild, ReportsAChildThatCrashes) {
  expect_error(ErrorKind::bad_data, kDamaged, [] {
    run_in_child(
        "f", [](PipeWriter&) { std::abort(); }, [](PipeReader& in) { in.number(); });
  });
  expect_error(ErrorKind::bad_data, kDamaged, [] {
    run_in_child(
        "f", [](PipeWriter&) { ::raise(SIGSEGV); }, [](PipeReader&) {});
  });
}

TEST(RunInChild, ReportsAChildThatSendsNonsense) {
  for (const std::int64_t sent : {-1, 11}) {
    expect_error(ErrorKind::bad_data, kDamaged, [&] {
      run_in_child(
          "f", [&](PipeWriter& out) { out.number(sent); },
          [](PipeReader& in) { in.number(0, 10); });
    });
  }
  expect_error(ErrorKind::bad_data, kDamaged, [] {
    run_in_child(
        "f", [](PipeWriter& out) { out.text("four"); }, [](PipeReader& in) { in.text(3); });
  });
}

TEST(RunInChild, LimitsMemory) {
  expect_error(ErrorKind::bad_data, kDamaged, [] {
    run_in_child(
        "f",
        [](PipeWriter& out) {
          const std::vector<char> much(std::size_t{3} << 30, 'x');
          out.number(much[12345]);
        },
        [](PipeReader& in) { in.number(); });
  });
}

TEST(RunInChild, StopsAChildThatNeverEnds) {
  expect_error(ErrorKind::bad_data, kDamaged, [] {
    run_in_child(
        "f",
        [](PipeWriter&) {
          for (;;) (void)::getppid();
        },
        [](PipeReader& in) { in.number(); });
  });
}

}  // namespace
}  // namespace biglittle
