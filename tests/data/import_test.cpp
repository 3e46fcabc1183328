// SPDX-License-Identifier: MIT
#include "data/import.h"

#include <set>

#include "core/hash.h"
#include "data/content.h"
#include "data/image_bytes.h"
#include "data/small_dataset.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using testing::Bytes;
using testing::expect_error;
using testing::TemporaryFolder;
using testing::write_bytes;

void append_size(Bytes& bytes, std::size_t size) {
  for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<std::uint8_t>(size >> shift));
}

Bytes idx(const std::vector<std::size_t>& shape, const Bytes& values) {
  Bytes bytes = {0, 0, 8, static_cast<std::uint8_t>(shape.size())};
  for (const std::size_t size : shape) append_size(bytes, size);
  bytes.insert(bytes.end(), values.begin(), values.end());
  return bytes;
}

/// A folder with `train_rows` and 10 test images of 1x2 pixels, all different: (row / 200 + base,
/// row % 200); labels count through three classes.
class Source {
 public:
  explicit Source(std::size_t train_rows = 120) {
    write_part("train", pixels(train_rows, 0), labels(train_rows));
    write_part("t10k", pixels(10, 100), labels(10));
    options.source = folder.path();
    options.classes = {"a", "b", "c"};
    options.tune_fraction = 0.1;
    options.calibration_fraction = 0.2;
  }

  void write_part(const std::string& prefix, const Bytes& values, const Bytes& label_values) const {
    write_bytes(folder / (prefix + "-images-idx3-ubyte"), idx({values.size() / 2, 1, 2}, values));
    write_bytes(folder / (prefix + "-labels-idx1-ubyte"), idx({label_values.size()}, label_values));
  }

  static Bytes pixels(std::size_t rows, std::size_t base) {
    Bytes values;
    for (std::size_t row = 0; row < rows; ++row) {
      values.push_back(static_cast<std::uint8_t>(row / 200 + base));
      values.push_back(static_cast<std::uint8_t>(row % 200));
    }
    return values;
  }
  static Bytes labels(std::size_t rows) {
    Bytes values;
    for (std::size_t row = 0; row < rows; ++row)
      values.push_back(static_cast<std::uint8_t>(row % 3));
    return values;
  }

  std::string file(const std::string& name) const { return (folder / name).string(); }
  void refuses(ErrorKind kind, const std::string& message) const {
    expect_error(kind, message, [&] { import_dataset(options); });
  }

  TemporaryFolder folder;
  ImportOptions options;
};

std::vector<std::int64_t> class_counts(const Split& split) {
  std::vector<std::int64_t> counts(3, 0);
  for (const std::int64_t label : split.labels) ++counts[static_cast<std::size_t>(label)];
  return counts;
}

TEST(Import, SplitsExactlyClassByClassAndKeepsTheTestPart) {
  const Source source;
  const Dataset dataset = import_dataset(source.options);

  EXPECT_EQ(dataset.input_shape, (Shape{1, 1, 2}));
  EXPECT_EQ(class_counts(dataset.split(SplitName::tune)), (std::vector<std::int64_t>{4, 4, 4}));
  EXPECT_EQ(class_counts(dataset.split(SplitName::calibration)),
            (std::vector<std::int64_t>{8, 8, 8}));
  EXPECT_EQ(class_counts(dataset.split(SplitName::train)), (std::vector<std::int64_t>{28, 28, 28}));
  const Split& test = dataset.split(SplitName::test);
  EXPECT_EQ(std::get<0>(test.samples.values), Source::pixels(10, 100));
  EXPECT_EQ(class_counts(test), (std::vector<std::int64_t>{4, 3, 3}));
}

TEST(Import, KeepsEachSampleWithItsLabel) {
  const Source source;
  const Dataset dataset = import_dataset(source.options);
  std::set<int> rows;
  for (const SplitName name : {SplitName::train, SplitName::tune, SplitName::calibration}) {
    const Split& split = dataset.split(name);
    for (std::size_t row = 0; row < split.labels.size(); ++row) {
      const int source_row = split.samples.bytes()[2 * row + 1];
      EXPECT_EQ(split.labels[row], source_row % 3);
      rows.insert(source_row);
    }
  }
  EXPECT_EQ(rows.size(), 120U);
}

TEST(Import, NamesClassesByNumberWhenNoneAreGiven) {
  Source source;
  source.options.classes.clear();
  EXPECT_EQ(import_dataset(source.options).classes, (std::vector<std::string>{"0", "1", "2"}));
}

TEST(Import, GivesTheSameDatasetForTheSameSeedOnly) {
  Source source;
  const std::string first = import_dataset(source.options).digest;
  EXPECT_EQ(import_dataset(source.options).digest, first);
  source.options.seed = 2;
  EXPECT_NE(import_dataset(source.options).digest, first);
}

TEST(Import, StatesWhereTheSamplesCameFrom) {
  const Source source;
  const Json provenance = Json::parse(import_dataset(source.options).provenance);
  EXPECT_EQ(provenance.at("format"), "idx");
  EXPECT_EQ(provenance.at("seed"), 1);
  EXPECT_EQ(provenance.at("tune_fraction"), 0.1);
  EXPECT_EQ(provenance.at("calibration_fraction"), 0.2);
  EXPECT_EQ(provenance.at("train_part_samples"), 120);
  EXPECT_EQ(provenance.at("test_part_samples"), 10);
  EXPECT_EQ(provenance.at("removed_copies_of_test_samples"), 0);
  ASSERT_EQ(provenance.at("files").size(), 4U);
  EXPECT_EQ(provenance.at("files").at(0).at("name"), "train-images-idx3-ubyte");
  EXPECT_EQ(provenance.at("files").at(0).at("sha256"),
            sha256_file(source.folder / "train-images-idx3-ubyte"));
}

TEST(Import, RemovesCopiesOfTestSamplesFromTheTrainingPart) {
  const Source source;
  Bytes train = Source::pixels(120, 0);
  for (const std::size_t row : {3U, 40U, 77U}) train[2 * row] = 100, train[2 * row + 1] = 5;
  source.write_part("train", train, Source::labels(120));

  const Dataset dataset = import_dataset(source.options);

  const Json provenance = Json::parse(dataset.provenance);
  EXPECT_EQ(provenance.at("removed_copies_of_test_samples"), 3);
  std::int64_t rows = 0;
  for (const SplitName name : {SplitName::train, SplitName::tune, SplitName::calibration}) {
    rows += dataset.split(name).samples.count();
  }
  EXPECT_EQ(rows, 117);
  EXPECT_EQ(dataset.split(SplitName::test).samples.count(), 10);
}

TEST(Import, KeepsCopiesInOneSplitForEverySeed) {
  Source source;
  Bytes train = Source::pixels(120, 0);
  for (const std::size_t row : {0U, 30U, 60U, 90U}) train[2 * row] = 50, train[2 * row + 1] = 50;
  source.write_part("train", train, Source::labels(120));
  std::set<SplitName> seen;
  for (source.options.seed = 0; source.options.seed < 60; ++source.options.seed) {
    // finish_dataset would refuse copies in two splits; that all four are kept is counted here.
    const Dataset dataset = import_dataset(source.options);
    for (const SplitName name : {SplitName::train, SplitName::tune, SplitName::calibration}) {
      const Samples& samples = dataset.split(name).samples;
      int copies = 0;
      for (std::int64_t row = 0; row < samples.count(); ++row) {
        copies += content_of(samples, row) == std::string_view("\x32\x32") ? 1 : 0;
      }
      EXPECT_TRUE(copies == 0 || copies == 4);
      if (copies == 4) seen.insert(name);
    }
    EXPECT_EQ(dataset.split(SplitName::tune).samples.count(), 12);
    EXPECT_EQ(dataset.split(SplitName::calibration).samples.count(), 24);
  }
  EXPECT_EQ(seen.size(), 3U);
}

TEST(Import, NamesAMissingFolderOrFile) {
  Source source;
  std::filesystem::remove(source.folder / "t10k-labels-idx1-ubyte");
  source.refuses(ErrorKind::missing_input,
                 source.folder.path().string() +
                     ": no file t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz, expected both "
                     "parts of an IDX data set; put it there or set import.source");
  source.options.source = "/nowhere";
  source.refuses(ErrorKind::missing_input,
                 "/nowhere: not a folder, expected one with raw files; set import.source");
}

TEST(Import, RefusesFractionsOutsideTheirRange) {
  Source source;
  source.options.tune_fraction = 0.0009;
  source.refuses(ErrorKind::config,
                 "import.tune_fraction = 0.0009, expected 0.001 to 0.5; choose a fraction in this "
                 "range");
  source.options.tune_fraction = 0.1;
  source.options.calibration_fraction = 0.51;
  source.refuses(ErrorKind::config,
                 "import.calibration_fraction = 0.51, expected 0.001 to 0.5; choose a fraction in "
                 "this range");
  source.options.tune_fraction = source.options.calibration_fraction = 0.5;
  source.refuses(ErrorKind::config,
                 "import.tune_fraction and import.calibration_fraction add up to 1, expected less "
                 "so that samples are left for train; lower one");
  source.options.tune_fraction = 0.4;
  EXPECT_EQ(import_dataset(source.options).split(SplitName::train).samples.count(), 12);
}

TEST(Import, RefusesAFractionThatLeavesASplitEmpty) {
  Source source;
  source.options.tune_fraction = 0.001;  // of 120 rows: rounds to none
  source.refuses(ErrorKind::bad_data,
                 source.folder.path().string() +
                     ": split tune: no samples, expected at least one; use more data or other "
                     "fractions");
}

TEST(Import, RefusesLabelsBeyondTheClassNames) {
  Source source;
  source.options.classes = {"a", "b"};
  source.refuses(ErrorKind::bad_data,
                 source.file("train-labels-idx1-ubyte") +
                     ": label 2 in row 2, expected 0 to 1 for 2 classes; name all classes in "
                     "import.classes");
}

TEST(Import, RefusesPartsThatDoNotFit) {
  const Source source;
  source.write_part("train", Source::pixels(120, 0), Source::labels(119));
  source.refuses(ErrorKind::bad_data,
                 source.file("train-labels-idx1-ubyte") +
                     ": 119 labels, expected 120 as there are images in train-images-idx3-ubyte; "
                     "fetch both files again");
  source.write_part("train", Source::pixels(120, 0), Source::labels(120));
  write_bytes(source.folder / "t10k-images-idx3-ubyte", idx({10, 2, 1}, Source::pixels(10, 100)));
  source.refuses(ErrorKind::bad_data,
                 source.file("t10k-images-idx3-ubyte") +
                     ": images of shape 1x2x1, expected 1x1x2 as in train-images-idx3-ubyte; take "
                     "both from one data set");
}

TEST(Import, RefusesOtherRanks) {
  const Source source;
  write_bytes(source.folder / "train-images-idx3-ubyte", idx({120, 2}, Source::pixels(120, 0)));
  source.refuses(ErrorKind::bad_data,
                 source.file("train-images-idx3-ubyte") +
                     ": IDX rank 2, expected 3 (images, rows, columns); convert the file");
  source.write_part("train", Source::pixels(120, 0), Source::labels(120));
  write_bytes(source.folder / "train-labels-idx1-ubyte", idx({120, 1}, Source::labels(120)));
  source.refuses(ErrorKind::bad_data,
                 source.file("train-labels-idx1-ubyte") +
                     ": IDX rank 2, expected 1 (one label each image); convert the file");
}

TEST(Import, RefusesImagesWiderThanTheFormatAllows) {
  const Source source;
  write_bytes(source.folder / "train-images-idx3-ubyte", idx({1, 1, 65537}, Bytes(65537)));
  source.refuses(ErrorKind::bad_data,
                 source.file("train-images-idx3-ubyte") +
                     ": input shape 1x1x65537, expected channels, height and width from 1 to "
                     "65536; correct the shape");
}

}  // namespace
}  // namespace biglittle
