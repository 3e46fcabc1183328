// SPDX-License-Identifier: MIT
// The real data set, where the package dataset-fashion-mnist is installed.

#include <chrono>

#include "data/import.h"
#include "data/small_dataset.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

const std::filesystem::path kFolder = "/usr/share/datasets/fashion-mnist";

std::vector<std::int64_t> class_counts(const Split& split) {
  std::vector<std::int64_t> counts(10, 0);
  for (const std::int64_t label : split.labels) ++counts[static_cast<std::size_t>(label)];
  return counts;
}

class FashionMnist : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::is_directory(kFolder)) GTEST_SKIP() << kFolder << " is not there";
  }
};

TEST_F(FashionMnist, HasTheCountsItsAuthorsState) {
  const IdxArray images = read_idx(kFolder / "train-images-idx3-ubyte.gz");
  const IdxArray labels = read_idx(kFolder / "train-labels-idx1-ubyte.gz");
  EXPECT_EQ(images.shape, (std::vector<std::int64_t>{60'000, 28, 28}));
  std::vector<std::int64_t> counts(10, 0);
  for (const std::uint8_t label : labels.values) ++counts.at(label);
  EXPECT_EQ(counts, std::vector<std::int64_t>(10, 6'000));
}

TEST_F(FashionMnist, IsImportedWrittenAndReadQuickly) {
  ImportOptions options;
  options.source = kFolder;
  const Dataset dataset = import_dataset(options);

  EXPECT_EQ(dataset.input_shape, (Shape{1, 28, 28}));
  EXPECT_EQ(class_counts(dataset.split(SplitName::test)), std::vector<std::int64_t>(10, 1'000));
  const auto removed =
      Json::parse(dataset.provenance).at("removed_copies_of_test_samples").get<std::int64_t>();
  std::int64_t rows = removed;
  for (const SplitName name : {SplitName::train, SplitName::tune, SplitName::calibration}) {
    rows += dataset.split(name).samples.count();
  }
  EXPECT_EQ(rows, 60'000);
  // Mean and deviation of the 60,000 training images as the PyTorch community quotes them:
  // 0.2860 and 0.3530 of 255; 48,000 of them come close.
  EXPECT_NEAR(dataset.statistics.mean.at(0) / 255.0, 0.2860, 0.001);
  EXPECT_NEAR(dataset.statistics.deviation.at(0) / 255.0, 0.3530, 0.001);

  const testing::TemporaryFolder folder;
  write_dataset(folder / "d.h5", dataset);
  const auto start = std::chrono::steady_clock::now();
  const Dataset read = read_dataset(folder / "d.h5");
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(read.digest, dataset.digest);
  RecordProperty("read_seconds", std::to_string(seconds.count()));
  RecordProperty("removed", std::to_string(removed));
  EXPECT_LT(seconds.count(), 5.0);
}

}  // namespace
}  // namespace biglittle
