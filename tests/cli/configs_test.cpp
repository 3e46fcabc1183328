// SPDX-License-Identifier: MIT
// The pipelines in configs/.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "cli/config.h"
#include "data/image_bytes.h"
#include "graph/zoo.h"
#include "testing/temporary_folder.h"

namespace biglittle::testing {
namespace {

const std::vector<std::string> kCifarClasses = {"airplane", "automobile", "bird",  "cat",  "deer",
                                                "dog",      "frog",       "horse", "ship", "truck"};
constexpr int kBatchRows = 40;
using Labelled = std::pair<std::string, Bytes>;  // class name, planes

/// Planes of image `row` of a file of the binary version: noise, so that all images differ.
Bytes planes_of(int file, int row) {
  Bytes planes;
  std::uint32_t state = static_cast<std::uint32_t>(file * 1000 + row + 1);
  for (int i = 0; i < 3072; ++i) {
    state = state * 1664525 + 1013904223;
    planes.push_back(static_cast<std::uint8_t>(state >> 24));
  }
  return planes;
}

/// Both forms of one small CIFAR-10 in `folder`/binary and `folder`/images.
void write_cifar10(const std::filesystem::path& folder) {
  for (int file = 0; file <= 5; ++file) {
    Bytes batch;
    for (int row = 0; row < kBatchRows; ++row) {
      const Bytes planes = planes_of(file, row);
      batch.push_back(static_cast<std::uint8_t>(row % 10));
      batch.insert(batch.end(), planes.begin(), planes.end());
      PngImage image{.width = 32, .height = 32, .colours = PngColours::rgb};
      for (std::size_t place = 0; place < 1024; ++place) {
        for (const std::size_t c : {0U, 1U, 2U}) image.rows.push_back(planes[1024 * c + place]);
      }
      const std::string& name = kCifarClasses[static_cast<std::size_t>(row % 10)];
      write_bytes(folder / "images" / (file == 0 ? "test" : "train") / name /
                      (std::to_string(file) + "-" + std::to_string(row) + ".png"),
                  encode_png(image));
    }
    write_bytes(folder / "binary" /
                    (file == 0 ? "test_batch.bin" : "data_batch_" + std::to_string(file) + ".bin"),
                batch);
  }
  std::ofstream names(folder / "binary/batches.meta.txt");
  for (const std::string& name : kCifarClasses) names << name << '\n';
}

std::set<Labelled> content(const Dataset& dataset, const std::vector<SplitName>& names) {
  std::set<Labelled> found;
  for (const SplitName name : names) {
    const Split& split = dataset.split(name);
    for (std::size_t row = 0; row < split.labels.size(); ++row) {
      const auto bytes = split.samples.bytes().subspan(3072 * row, 3072);
      found.emplace(dataset.classes.at(static_cast<std::size_t>(split.labels[row])),
                    Bytes(bytes.begin(), bytes.end()));
    }
  }
  return found;
}

TEST(Configs, AreReadAndTheirNetworksFitTheirImages) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(BIGLITTLE_CONFIGS)) {
    SCOPED_TRACE(entry.path().string());
    const Config config = load_project(entry.path(), {}).config;
    const bool gray = config.name.starts_with("fashion-mnist");
    const Shape shape = gray ? Shape{1, 28, 28} : Shape{3, 32, 32};
    EXPECT_FALSE(build_network(config.big.network, shape, 10).nodes().empty());
    const auto outputs = static_cast<std::int64_t>(config.little.priority.size()) + 1;
    EXPECT_FALSE(build_network(config.little.network, shape, outputs).nodes().empty());
    ++count;
  }
  EXPECT_GE(count, 4);
}

TEST(Configs, OfCifar10ReadBothOfItsForms) {
  const TemporaryFolder folder;
  write_cifar10(folder.path());
  const auto import = [&](const std::string& form) {
    return import_dataset(
        load_project(BIGLITTLE_CONFIGS "/cifar10.toml",
                     {"data.import.source=" + (folder / form).string(),
                      "data.import.tune_fraction=0.1", "data.import.calibration_fraction=0.1"})
            .config.data.import);
  };
  const Dataset binary = import("binary"), images = import("images");
  EXPECT_EQ(binary.classes, kCifarClasses);
  EXPECT_EQ(images.classes, kCifarClasses);
  for (const auto& names :
       {std::vector{SplitName::test},
        std::vector{SplitName::train, SplitName::tune, SplitName::calibration}}) {
    const std::set<Labelled> one = content(binary, names), other = content(images, names);
    EXPECT_EQ(one.size(), names.size() == 1 ? 40U : 200U);
    EXPECT_TRUE(one == other);
  }
}

}  // namespace
}  // namespace biglittle::testing
