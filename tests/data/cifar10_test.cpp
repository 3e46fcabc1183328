// SPDX-License-Identifier: MIT
// import of CIFAR-10's binary version, and how a format is recognized.
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "core/hash.h"
#include "data/image_bytes.h"
#include "data/import.h"
#include "data/small_dataset.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using testing::Bytes;
using testing::expect_error;
using testing::write_bytes;

constexpr int kRows = 40;  // of each file

/// Label, then 1024 bytes of red, of green and of blue. Red says which file and record it is.
void append_record(Bytes& bytes, int label, int file, int row) {
  bytes.push_back(static_cast<std::uint8_t>(label));
  for (const int value : {row, 100 + row, 200 + file}) {
    bytes.insert(bytes.end(), 1024, static_cast<std::uint8_t>(value));
  }
  bytes[bytes.size() - 3072 + 33] = 77;  // second row, second column of red
}

Bytes batch(int file) {
  Bytes bytes;
  for (int row = 0; row < kRows; ++row) append_record(bytes, (row + file) % 10, file, row);
  return bytes;
}

class Source {
 public:
  Source() {
    for (int file = 1; file <= 5; ++file) {
      write_bytes(folder / ("data_batch_" + std::to_string(file) + ".bin"), batch(file));
    }
    write_bytes(folder / "test_batch.bin", batch(0));
    write_names("airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n");
    options.format = ImportFormat::cifar10;
    options.source = folder.path();
    options.tune_fraction = 0.1;
    options.calibration_fraction = 0.2;
  }
  void write_names(const std::string& text) const {
    std::ofstream(folder / "batches.meta.txt") << text;
  }
  std::string file(const std::string& name) const { return (folder / name).string(); }
  void refuses(ErrorKind kind, const std::string& message) const {
    expect_error(kind, message, [&] { import_dataset(options); });
  }

  testing::TemporaryFolder folder;
  ImportOptions options;
};

TEST(Cifar10, ReadsLabelsAndPlanes) {
  const Dataset dataset = import_dataset(Source().options);
  EXPECT_EQ(dataset.input_shape, (Shape{3, 32, 32}));
  ASSERT_EQ(dataset.classes.size(), 10U);
  EXPECT_EQ(dataset.classes.front(), "airplane");
  EXPECT_EQ(dataset.classes.back(), "truck");
  const Split& test = dataset.split(SplitName::test);
  ASSERT_EQ(test.samples.count(), kRows);
  for (int row = 0; row < kRows; ++row) {
    const auto index = static_cast<std::size_t>(row);
    EXPECT_EQ(test.labels[index], row % 10);
    const auto pixels = test.samples.bytes().subspan(3072 * index, 3072);
    EXPECT_EQ(pixels[0], row);
    EXPECT_EQ(pixels[33], 77);
    EXPECT_EQ(pixels[1023], row);
    EXPECT_EQ(pixels[1024], 100 + row);
    EXPECT_EQ(pixels[2047], 100 + row);
    EXPECT_EQ(pixels[2048], 200);
    EXPECT_EQ(pixels[3071], 200);
  }
}

TEST(Cifar10, TakesEveryRecordOfTheFiveFilesOnceWithItsLabel) {
  const Dataset dataset = import_dataset(Source().options);
  std::set<std::pair<int, int>> seen;
  for (const SplitName name : {SplitName::train, SplitName::tune, SplitName::calibration}) {
    const Split& split = dataset.split(name);
    for (std::size_t index = 0; index < split.labels.size(); ++index) {
      const int row = split.samples.bytes()[3072 * index];
      const int file = split.samples.bytes()[3072 * index + 3071] - 200;
      EXPECT_EQ(split.labels[index], (row + file) % 10);
      seen.emplace(file, row);
    }
  }
  EXPECT_EQ(seen.size(), 5U * kRows);
}

TEST(Cifar10, StatesWhereTheSamplesCameFrom) {
  const Source source;
  const Json provenance = Json::parse(import_dataset(source.options).provenance);
  EXPECT_EQ(provenance.at("format"), "cifar10");
  ASSERT_EQ(provenance.at("files").size(), 6U);
  EXPECT_EQ(provenance.at("files").at(4).at("name"), "data_batch_5.bin");
  EXPECT_EQ(provenance.at("files").at(5),
            (Json{{"name", "test_batch.bin"},
                  {"sha256", sha256_file(source.folder / "test_batch.bin")}}));
}

TEST(Cifar10, StatedClassesNeedNoFileOfNames) {
  Source source;
  std::filesystem::remove(source.folder / "batches.meta.txt");
  source.refuses(ErrorKind::missing_input,
                 source.folder.path().string() +
                     ": no file batches.meta.txt, expected the whole binary version of CIFAR-10; "
                     "put it there or set import.source");
  source.options.classes = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  EXPECT_EQ(import_dataset(source.options).classes, source.options.classes);
}

TEST(Cifar10, RefusesANumberOfNamesThatIsNotTen) {
  const Source source;
  source.write_names("airplane\r\nautomobile\r\n\r\n");
  source.refuses(ErrorKind::bad_data,
                 source.file("batches.meta.txt") +
                     ": 2 class names, expected 10; fetch the file again or set import.classes");
}

TEST(Cifar10, NamesAMissingFile) {
  const Source source;
  std::filesystem::remove(source.folder / "data_batch_3.bin");
  source.refuses(ErrorKind::missing_input,
                 source.folder.path().string() +
                     ": no file data_batch_3.bin, expected the whole binary version of CIFAR-10; "
                     "put it there or set import.source");
}

TEST(Cifar10, RefusesBrokenRecords) {
  const Source source;
  Bytes bytes = batch(4);
  bytes.pop_back();
  write_bytes(source.folder / "data_batch_4.bin", bytes);
  source.refuses(ErrorKind::bad_data,
                 source.file("data_batch_4.bin") +
                     ": 122919 bytes, expected whole records of 3073; fetch the file again");
  write_bytes(source.folder / "data_batch_4.bin", {});
  source.refuses(ErrorKind::bad_data,
                 source.file("data_batch_4.bin") +
                     ": 0 bytes, expected whole records of 3073; fetch the file again");
}

TEST(Cifar10, RefusesLabelsBeyondTheClasses) {
  const Source source;
  Bytes bytes = batch(2);
  bytes[3073 * 7] = 10;
  write_bytes(source.folder / "data_batch_2.bin", bytes);
  source.refuses(ErrorKind::bad_data,
                 source.file("data_batch_2.bin") +
                     ": label 10 in row 7, expected 0 to 9 for 10 classes; name all classes in "
                     "import.classes");
}

TEST(ImportFormat, IsRecognizedByTheFilesThatAreThere) {
  Source source;
  source.options.format = ImportFormat::automatic;
  EXPECT_EQ(Json::parse(import_dataset(source.options).provenance).at("format"), "cifar10");
  std::filesystem::create_directories(source.folder / "train");
  std::filesystem::create_directories(source.folder / "test");
  source.refuses(ErrorKind::bad_data,
                 source.folder.path().string() +
                     ": files of formats cifar10 and images, expected one; set import.format");
  std::filesystem::remove(source.folder / "data_batch_1.bin");
  source.refuses(
      ErrorKind::missing_input,
      source.file("train") + ": no images, expected some in train/CLASS; put them there");
  std::filesystem::remove(source.folder / "train");
  source.refuses(ErrorKind::missing_input,
                 source.folder.path().string() +
                     ": neither IDX files nor CIFAR-10's data_batch_*.bin nor folders train and "
                     "test, expected one of them; set import.source");
  write_bytes(source.folder / "train-images-idx3-ubyte.gz", {});
  source.refuses(ErrorKind::missing_input,
                 source.folder.path().string() +
                     ": no file train-labels-idx1-ubyte or train-labels-idx1-ubyte.gz, expected "
                     "both parts of an IDX data set; put it there or set import.source");
}

}  // namespace
}  // namespace biglittle
