// SPDX-License-Identifier: MIT
#pragma once

// manifest.json: what a bundle is, on which data it was measured, and the size and SHA-256 of every
// other file in it. It is the first thing a reader opens and the only file it believes unchecked.

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "data/dataset.h"

namespace biglittle {

inline constexpr int kBundleVersion = 2;
inline constexpr std::string_view kManifestName = "manifest.json";

/// One file of a bundle other than the manifest.
struct FileRecord {
  std::string path;  ///< relative to the bundle, '/' between folders
  std::int64_t bytes = 0;
  std::string sha256;  ///< 64 lower-case hexadecimal digits

  bool operator==(const FileRecord&) const = default;
};

/// Identity and size of one split of the dataset.
struct SplitRecord {
  std::string digest;
  std::int64_t samples = 0;

  bool operator==(const SplitRecord&) const = default;
};

/// In the order of SplitName.
using SplitRecords = std::array<SplitRecord, 4>;

SplitRecords describe_splits(const Dataset& dataset);

/// The data behind the bundle's numbers: train fitted, tune chose, calibration certified, test was
/// reported on.
struct MeasuredOn {
  std::string dataset_digest;
  SplitRecords splits;

  bool operator==(const MeasuredOn&) const = default;
};

Json to_json(const MeasuredOn& measured_on);
MeasuredOn measured_on_from_json(const Json& json, std::string_view name);

struct Manifest {
  std::string program_version;
  std::string name;
  std::string id;
  MeasuredOn measured_on;
  std::vector<FileRecord> files;  ///< sorted by path

  bool operator==(const Manifest&) const = default;
};

/// SHA-256 over the lines "<path> <sha256>\n" of `files` sorted by path.
std::string bundle_id(std::vector<FileRecord> files);

/// True for a relative path of [A-Za-z0-9._-] names joined by '/', none of them "." or "..".
bool is_bundle_path(std::string_view path);

/// True for a bundle's name: [a-z0-9-]+, at most 64 characters.
bool is_bundle_name(std::string_view name);

/// True for 64 lower-case hexadecimal digits.
bool is_digest(std::string_view text);

Json to_json(const Manifest& manifest);

/// The inverse. Unknown or missing keys, a format or version of another kind, file names outside
/// the bundle, unsorted or repeated files and an id that is not bundle_id(files) throw
/// Error{bad_data}.
Manifest manifest_from_json(const Json& json, std::string_view name);

/// True when `folder` has a manifest of this format, of whatever version. Does not throw.
bool is_bundle_folder(const std::filesystem::path& folder);

/// Reads `folder`/manifest.json. Throws Error{missing_input} or Error{bad_data}.
Manifest read_manifest(const std::filesystem::path& folder);

}  // namespace biglittle
