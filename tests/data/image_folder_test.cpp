// SPDX-License-Identifier: MIT
// import of folders train/CLASS and test/CLASS.
#include <gmock/gmock.h>

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
using testing::encode_png;
using testing::error_of;
using testing::expect_error;
using testing::PngColours;
using testing::write_bytes;

constexpr int kTrain = 20;
constexpr int kTest = 3;
const std::array<std::string, 3> kClasses = {"bird", "cat", "dog"};

/// 2x1 gray: (class, number).
Bytes image(int label, int number) {
  return encode_png(
      {.width = 2,
       .height = 1,
       .rows = {static_cast<std::uint8_t>(label), static_cast<std::uint8_t>(number)}});
}

std::string number_name(int number) { return std::to_string(1000 + number) + ".png"; }

/// Three classes of 20 training images, numbers from 0, and 3 test images, numbers from 100.
class Source {
 public:
  Source() {
    // Files are made backwards: what is read must not depend on the order in the folder.
    for (int label = 2; label >= 0; --label) {
      const std::string& name = kClasses.at(static_cast<std::size_t>(label));
      for (int i = kTrain - 1; i >= 0; --i) {
        write_bytes(folder / ("train/" + name) / number_name(i), image(label, i));
      }
      for (int i = kTest - 1; i >= 0; --i) {
        write_bytes(folder / ("test/" + name) / number_name(i), image(label, 100 + i));
      }
    }
    options.format = ImportFormat::images;
    options.source = folder.path();
    options.tune_fraction = 0.1;
    options.calibration_fraction = 0.2;
  }

  std::string file(const std::string& name) const { return (folder / name).string(); }
  void refuses(ErrorKind kind, const std::string& message) const {
    expect_error(kind, message, [&] { import_dataset(options); });
  }

  testing::TemporaryFolder folder;
  ImportOptions options;
};

TEST(ImageFolder, GivesClassesInTheOrderOfTheirNamesAndFilesInTheirs) {
  const Source source;
  const Dataset dataset = import_dataset(source.options);
  EXPECT_EQ(dataset.classes, (std::vector<std::string>{"bird", "cat", "dog"}));
  EXPECT_EQ(dataset.input_shape, (Shape{1, 1, 2}));
  const Split& test = dataset.split(SplitName::test);
  EXPECT_EQ(std::get<0>(test.samples.values),
            (Bytes{0, 100, 0, 101, 0, 102, 1, 100, 1, 101, 1, 102, 2, 100, 2, 101, 2, 102}));
  EXPECT_EQ(test.labels, (std::vector<std::int64_t>{0, 0, 0, 1, 1, 1, 2, 2, 2}));
}

TEST(ImageFolder, KeepsEachTrainingImageOnceWithItsLabel) {
  const Dataset dataset = import_dataset(Source().options);
  std::set<std::pair<int, int>> seen;
  for (const SplitName name : {SplitName::train, SplitName::tune, SplitName::calibration}) {
    const Split& split = dataset.split(name);
    for (std::size_t row = 0; row < split.labels.size(); ++row) {
      const int label = split.samples.bytes()[2 * row];
      EXPECT_EQ(split.labels[row], label);
      seen.emplace(label, split.samples.bytes()[2 * row + 1]);
    }
  }
  EXPECT_EQ(seen.size(), 3U * kTrain);
}

TEST(ImageFolder, TakesTheClassesInTheOrderThatIsStated) {
  Source source;
  source.options.classes = {"dog", "bird", "cat"};
  const Dataset dataset = import_dataset(source.options);
  EXPECT_EQ(dataset.classes, source.options.classes);
  const Split& test = dataset.split(SplitName::test);
  EXPECT_EQ(test.samples.bytes()[0], 2);  // "dog" was written with 2
  EXPECT_EQ(test.labels[0], 0);
}

TEST(ImageFolder, ReadsJpegAndPngUnderAnyEndingAndNoHiddenFile) {
  const Source source;
  write_bytes(source.folder / "train/cat/upper.JPG", image(1, 50));
  write_bytes(source.folder / "train/cat/other.jpeg",
              testing::encode_jpeg(2, 1, testing::JpegColours::gray, {9, 9}));
  write_bytes(source.folder / "train/cat/.DS_Store", {1, 2, 3});
  write_bytes(source.folder / "train/.hidden", {1, 2, 3});
  write_bytes(source.folder / "README", {1, 2, 3});
  const Json provenance = Json::parse(import_dataset(source.options).provenance);
  EXPECT_EQ(provenance.at("train_part_samples"), 3 * kTrain + 2);
}

TEST(ImageFolder, StatesWhereTheSamplesCameFrom) {
  const Source source;
  const Json provenance = Json::parse(import_dataset(source.options).provenance);
  EXPECT_EQ(provenance.at("format"), "images");
  std::string lines;
  for (const std::string& name : kClasses) {
    for (int i = 0; i < kTest; ++i) {
      const std::string path = name + "/" + number_name(i);
      lines += path + "\n" + sha256_file(source.folder / ("test/" + path)) + "\n";
    }
  }
  ASSERT_EQ(provenance.at("files").size(), 2U);
  EXPECT_EQ(provenance.at("files").at(0).at("name"), "train");
  EXPECT_EQ(provenance.at("files").at(0).at("files"), 3 * kTrain);
  EXPECT_EQ(provenance.at("files").at(1),
            (Json{{"name", "test"}, {"files", 3 * kTest}, {"sha256", sha256_hex(lines)}}));
}

TEST(ImageFolder, GivesTheSameDatasetWhereverItLies) {
  const Dataset one = import_dataset(Source().options), other = import_dataset(Source().options);
  EXPECT_EQ(one.digest, other.digest);
  EXPECT_EQ(one.provenance, other.provenance);
}

TEST(ImageFolder, NamesWhatIsMissing) {
  Source source;
  source.options.classes = {"bird", "cat", "dog", "fish"};
  source.refuses(ErrorKind::missing_input,
                 source.file("train") +
                     ": no folder 'fish', expected one for each class; add it or correct "
                     "import.classes");
  source.options.classes.clear();
  std::filesystem::remove_all(source.folder / "test/cat");
  source.refuses(ErrorKind::missing_input,
                 source.file("test") +
                     ": no folder 'cat', expected one for each class; add it or correct "
                     "import.classes");
  std::filesystem::remove_all(source.folder / "test");
  source.refuses(ErrorKind::missing_input,
                 source.folder.path().string() +
                     ": no folders train and test, expected images in train/CLASS and test/CLASS; "
                     "put them there or set import.source");
}

TEST(ImageFolder, RefusesAPartWithoutImages) {
  const Source source;
  for (const std::string& name : kClasses) {
    std::filesystem::remove_all(source.folder / ("test/" + name));
    std::filesystem::create_directory(source.folder / ("test/" + name));
  }
  source.refuses(ErrorKind::missing_input,
                 source.file("test") + ": no images, expected some in test/CLASS; put them there");
}

TEST(ImageFolder, RefusesWhatDoesNotBelongThere) {
  Source source;
  source.options.classes = {"bird", "cat"};
  source.refuses(ErrorKind::bad_data,
                 source.file("train") +
                     ": folder 'dog' is none of the classes, expected one for each class; remove "
                     "it or correct import.classes");
  source.options.classes.clear();
  write_bytes(source.folder / "train/cat/notes.txt", {1});
  source.refuses(ErrorKind::bad_data,
                 source.file("train/cat/notes.txt") +
                     ": not an image by its name, expected files ending in .jpg, .jpeg or .png; "
                     "move it elsewhere");
  write_bytes(source.folder / "test/list.csv", {1});
  std::filesystem::remove(source.folder / "train/cat/notes.txt");
  source.refuses(ErrorKind::bad_data,
                 source.file("test/list.csv") +
                     ": a file among the folders of the classes, expected images in test/CLASS; "
                     "move it elsewhere");
}

TEST(ImageFolder, RefusesImagesOfSeveralShapes) {
  const Source source;
  const std::string rest = ", expected 1x1x2 (channels, height, width) as " +
                           source.file("train/bird/1000.png") +
                           "; make all images one size and all gray or all RGB";
  write_bytes(source.folder / "test/dog/1001.png",
              encode_png({.width = 1, .height = 2, .rows = {1, 2}}));
  source.refuses(ErrorKind::bad_data, source.file("test/dog/1001.png") + ": image of 1x2x1" + rest);
  write_bytes(
      source.folder / "train/cat/1005.png",
      encode_png(
          {.width = 2, .height = 1, .colours = PngColours::rgb, .rows = {1, 2, 3, 4, 5, 6}}));
  source.refuses(ErrorKind::bad_data,
                 source.file("train/cat/1005.png") + ": image of 3x1x2" + rest);
}

TEST(ImageFolder, NamesTheFirstDamagedFile) {
  const Source source;
  for (const std::string name : {"dog/1003.png", "cat/1007.png", "cat/1011.png"}) {
    Bytes bytes = image(1, 7);
    bytes.resize(bytes.size() - 4);
    write_bytes(source.folder / ("train/" + name), bytes);
  }
  source.refuses(ErrorKind::bad_data,
                 source.file("train/cat/1007.png") +
                     ": damaged PNG data (the file ends early), expected a whole image; fetch the "
                     "file again or remove it");
}

TEST(ImageFolder, TakesNoMemoryForMoreThanADatasetMayHold) {
  const Source source;
  for (const std::string& name : kClasses) {
    std::filesystem::remove_all(source.folder / ("train/" + name));
    std::filesystem::create_directory(source.folder / ("train/" + name));
  }
  // 257 headers that promise 64 MiB each.
  for (int i = 0; i < 257; ++i) {
    write_bytes(source.folder / "train/cat" / number_name(i), testing::png_header(65'536, 1'024));
  }
  source.refuses(ErrorKind::bad_data,
                 source.file("train") +
                     ": 257 images of 1x1024x65536 take 17246978048 bytes, expected at most "
                     "17179869184; use fewer or smaller ones");
}

}  // namespace
}  // namespace biglittle
