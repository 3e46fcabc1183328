// SPDX-License-Identifier: MIT
#pragma once

// From raw files to a checked Dataset with seeded, stratified, disjoint splits.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"
#include "data/dataset.h"

namespace biglittle {

/// idx: {train,t10k}-{images-idx3,labels-idx1}-ubyte, gzipped or not. cifar10: data_batch_1
/// to 5.bin, test_batch.bin and batches.meta.txt. images: {train,test}/CLASS/*.{jpg,jpeg,png}, all
/// of one size, gray or RGB.
enum class ImportFormat { automatic, idx, cifar10, images };
template <>
struct EnumNames<ImportFormat> {
  static constexpr std::array<std::string_view, 4> names = {"auto", "idx", "cifar10", "images"};
};

struct ImportOptions {
  ImportFormat format = ImportFormat::automatic;
  std::filesystem::path source;  ///< folder with the raw files
  /// Names in label order. Empty: as batches.meta.txt or the sorted folders say; for idx "0", "1",
  /// ...
  std::vector<std::string> classes;
  double tune_fraction = 0.1;  ///< of the source's training part, in [0.001, 0.5]
  double calibration_fraction = 0.1;
  std::int64_t seed = 1;
};
void describe(ImportOptions& options, OptionVisitor& visitor);

/// Reads the source, removes from the training part every sample that is a copy (by content) of a
/// test sample, keeps copies within the training part together in one split, and splits it
/// class by class. The returned dataset is finished (finish_dataset). Throws Error{missing_input},
/// Error{bad_data} or Error{config}.
Dataset import_dataset(const ImportOptions& options);

/// An IDX array (LeCun's format) of unsigned bytes.
struct IdxArray {
  std::vector<std::int64_t> shape;
  std::vector<std::uint8_t> values;
};

/// Parses IDX, gzipped or not; `name` stands for the file in messages. Throws Error{bad_data} for
/// anything but one whole array of unsigned bytes.
IdxArray parse_idx(std::span<const std::byte> content, std::string_view name);

/// Reads IDX, gzipped or not. Throws Error{missing_input} or Error{bad_data}.
IdxArray read_idx(const std::filesystem::path& file);

}  // namespace biglittle
