// SPDX-License-Identifier: MIT
// Dataset files: what is written is read, byte for byte reproducible, and independent of the layout
// that another HDF5 writer chose.

#include <fstream>

#include "core/files.h"
#include "data/hdf5_editor.h"
#include "data/small_dataset.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using testing::Hdf5Editor;
using testing::small_dataset;
using testing::small_float_dataset;
using testing::TemporaryFolder;

Dataset finished(Dataset dataset) {
  finish_dataset(dataset, "test");
  return dataset;
}

void expect_equal(const Dataset& left, const Dataset& right) {
  EXPECT_EQ(left.classes, right.classes);
  EXPECT_EQ(left.input_shape, right.input_shape);
  EXPECT_EQ(left.provenance, right.provenance);
  EXPECT_EQ(left.digest, right.digest);
  EXPECT_EQ(left.statistics.mean, right.statistics.mean);
  EXPECT_EQ(left.statistics.deviation, right.statistics.deviation);
  for (std::size_t split = 0; split < 4; ++split) {
    EXPECT_EQ(left.splits[split].samples.shape, right.splits[split].samples.shape);
    EXPECT_EQ(left.splits[split].samples.values, right.splits[split].samples.values);
    EXPECT_EQ(left.splits[split].labels, right.splits[split].labels);
    EXPECT_EQ(left.splits[split].digest, right.splits[split].digest);
  }
}

TEST(DatasetFile, RoundTripsBothTypes) {
  const TemporaryFolder folder;
  for (const Dataset& dataset : {finished(small_dataset()), finished(small_float_dataset())}) {
    write_dataset(folder / "d.h5", dataset);
    EXPECT_TRUE(looks_like_hdf5(folder / "d.h5"));
    expect_equal(read_dataset(folder / "d.h5"), dataset);
  }
}

TEST(DatasetFile, RoundTripsUnusualTexts) {
  const TemporaryFolder folder;
  Dataset dataset = small_dataset();
  dataset.classes = {"größe", std::string(256, 'x'), " "};
  dataset.provenance = "";
  dataset = finished(dataset);
  write_dataset(folder / "d.h5", dataset);
  expect_equal(read_dataset(folder / "d.h5"), dataset);
}

TEST(DatasetFile, RoundTripsSamplesOfSeveralBlocks) {
  // 1.5 MiB a sample, so that the reader's blocks of 8 MiB hold five and train needs two.
  constexpr std::size_t kSampleBytes = 3 << 19;
  const TemporaryFolder folder;
  Dataset dataset = small_dataset();
  dataset.input_shape = {3, 512, 1024};
  for (Split& split : dataset.splits) {
    const std::vector<std::uint8_t> first(split.samples.bytes().begin(),
                                          split.samples.bytes().end());
    std::vector<std::uint8_t> values(split.labels.size() * kSampleBytes, 0);
    for (std::size_t row = 0; row < split.labels.size(); ++row) {
      values[row * kSampleBytes] = first[row * 6];
      values[(row + 1) * kSampleBytes - 1] = static_cast<std::uint8_t>(row);
    }
    split.samples.shape = dataset.input_shape;
    split.samples.values = std::move(values);
  }
  dataset = finished(std::move(dataset));
  write_dataset(folder / "d.h5", dataset);
  expect_equal(read_dataset(folder / "d.h5"), dataset);
}

TEST(DatasetFile, HasTheSameBytesEveryTime) {
  const TemporaryFolder folder;
  const Dataset dataset = finished(small_dataset());
  write_dataset(folder / "first.h5", dataset);
  // Times in the file, if there were any, would count seconds.
  ::timespec pause{1, 100'000'000};
  ::nanosleep(&pause, nullptr);
  write_dataset(folder / "second.h5", dataset);
  EXPECT_EQ(read_bytes(folder / "first.h5"), read_bytes(folder / "second.h5"));
}

TEST(DatasetFile, KeepsThePreviousFileUntilTheNewOneIsComplete) {
  const TemporaryFolder folder;
  write_dataset(folder / "d.h5", finished(small_dataset()));
  testing::expect_error(ErrorKind::internal,
                        (folder / "d.h5").string() + ": the dataset was not finished",
                        [&] { write_dataset(folder / "d.h5", small_dataset()); });
  EXPECT_NO_THROW(read_dataset(folder / "d.h5"));
}

TEST(DatasetFile, MayBeChunkedShuffledAndDeflated) {
  const TemporaryFolder folder;
  const Dataset dataset = finished(small_float_dataset());
  write_dataset(folder / "d.h5", dataset);
  {
    Hdf5Editor editor(folder / "d.h5");
    const auto creation = Hdf5Editor::creation();
    const std::vector<hsize_t> chunk = {4, 1, 1, 2};
    Hdf5Editor::check(H5Pset_chunk(creation.id(), 4, chunk.data()));
    Hdf5Editor::check(H5Pset_shuffle(creation.id()));
    Hdf5Editor::check(H5Pset_deflate(creation.id(), 6));
    editor.replace("/train/samples", H5T_IEEE_F32LE, {6, 2, 1, 3}, creation,
                   dataset.splits[0].samples.floats().data());
    const auto compact = Hdf5Editor::creation();
    Hdf5Editor::check(H5Pset_layout(compact.id(), H5D_COMPACT));
    editor.replace("/tune/labels", H5T_STD_I64LE, {3}, compact, dataset.splits[1].labels.data());
  }
  expect_equal(read_dataset(folder / "d.h5"), dataset);
}

TEST(DatasetFile, OfVersionOneStaysReadable) {
  // The digest was computed from data/README.md's description by a Python program.
  const Dataset dataset = read_dataset(BIGLITTLE_FIXTURES "/version_1.h5");
  EXPECT_EQ(dataset.digest, "e8ce5b9df78140d1b855d23ebea4801a8565b174169470bea80796ab339856f5");
  expect_equal(dataset, finished(small_float_dataset()));
}

TEST(DatasetFile, IsToldFromOtherFiles) {
  const TemporaryFolder folder;
  EXPECT_FALSE(looks_like_hdf5(folder / "absent"));
  std::ofstream(folder / "short") << "\x89HDF";
  EXPECT_FALSE(looks_like_hdf5(folder / "short"));
  std::ofstream(folder / "text") << "this is not the file";
  EXPECT_FALSE(looks_like_hdf5(folder / "text"));
}

}  // namespace
}  // namespace biglittle
