// SPDX-License-Identifier: MIT
#pragma once

// Raw files of each format, read into memory as they are: what import_dataset splits.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "data/import.h"

namespace biglittle {

/// One of the two parts of a source.
struct SourcePart {
  Samples samples;
  std::vector<std::int64_t> labels;  ///< [N], in [0, classes)
};

struct RawSource {
  std::vector<std::string> classes;
  SourcePart train;  ///< becomes train, tune and calibration
  SourcePart test;   ///< samples of the same shape as those of train
  /// [{name, sha256, ...}] for the provenance. Names are without their folder: the same data give
  /// the same dataset file wherever they lie.
  Json files = Json::array();
};

/// The format whose files lie in `folder`. Throws Error{missing_input} when none do and
/// Error{bad_data} when those of several do.
ImportFormat detect_format(const std::filesystem::path& folder);

/// Whether `folder` holds files of the format, by their names.
bool holds_idx(const std::filesystem::path& folder);
bool holds_cifar10(const std::filesystem::path& folder);
bool holds_images(const std::filesystem::path& folder);

/// Each reads `options.source` and names classes by `options.classes` where it is not empty. Throws
/// Error{missing_input} or Error{bad_data}.
RawSource read_idx_source(const ImportOptions& options);
RawSource read_cifar10_source(const ImportOptions& options);
RawSource read_image_source(const ImportOptions& options);

/// Throws Error{bad_data} that names `file` and the row of the first label beyond `classes`.
void check_label_range(std::span<const std::int64_t> labels, std::size_t classes,
                       std::string_view file);

}  // namespace biglittle
