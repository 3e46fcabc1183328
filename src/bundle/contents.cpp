// SPDX-License-Identifier: MIT
#include "bundle/contents.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "core/error.h"
#include "core/hash.h"

namespace biglittle {
namespace {

namespace fs = std::filesystem;

// A bundle lists at most 1000 files; a walk that finds more entries than this is no bundle's
// folder.
constexpr std::size_t kEntryLimit = 2000;

/// Relative paths of the plain files under `folder`, sorted, without the manifest.
std::vector<std::string> list_files(const fs::path& folder) {
  std::vector<std::string> found;
  std::size_t entries = 0;
  std::error_code error;
  // The iterator does not follow links to folders, and links themselves are refused below.
  auto walk = fs::recursive_directory_iterator(folder, error);
  for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    if (++entries > kEntryLimit) {
      throw Error(ErrorKind::bad_data,
                  fmt::format("{}: holds more than {} files, which no bundle does", folder.string(),
                              kEntryLimit));
    }
    const fs::file_status status = walk->symlink_status(error);
    if (error) break;
    const std::string path = walk->path().lexically_relative(folder).generic_string();
    if (fs::is_directory(status)) continue;
    if (!fs::is_regular_file(status)) {
      throw Error(ErrorKind::bad_data,
                  fmt::format("{}: '{}' is {}, expected a plain file", folder.string(), path,
                              fs::is_symlink(status) ? "a symbolic link" : "a special file"));
    }
    if (path != kManifestName) found.push_back(path);
  }
  if (error) {
    throw Error(ErrorKind::io,
                fmt::format("{}: cannot list the folder: {}", folder.string(), error.message()));
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::int64_t size_of(const fs::path& file) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  if (error) throw Error(ErrorKind::missing_input, fmt::format("{}: is missing", file.string()));
  return static_cast<std::int64_t>(size);
}

bool lists(const Manifest& manifest, std::string_view path) {
  return std::any_of(manifest.files.begin(), manifest.files.end(),
                     [&](const FileRecord& file) { return file.path == path; });
}

}  // namespace

std::vector<std::string> required_files() {
  return {"MODEL_CARD.md",
          "answers.safetensors",
          "big/model.onnx",
          "big/model.safetensors",
          "classes.json",
          "config.resolved.toml",
          "little/model.int8.onnx",
          "little/model.int8.safetensors",
          "little/model.onnx",
          "little/model.safetensors",
          "little/vectors.safetensors",
          "policy.json",
          "preprocessing.json",
          "report.html",
          "report.json"};
}

std::vector<FileRecord> hash_files(const fs::path& folder) {
  std::vector<FileRecord> records;
  for (const std::string& path : list_files(folder)) {
    records.push_back({path, size_of(folder / path), sha256_file(folder / path)});
  }
  return records;
}

void check_contents(const fs::path& folder, const Manifest& manifest) {
  for (const std::string& path : required_files()) {
    if (!lists(manifest, path)) {
      throw Error(ErrorKind::bad_data, fmt::format("{}: does not list '{}', which every bundle has",
                                                   (folder / kManifestName).string(), path));
    }
  }
  for (const std::string& path : list_files(folder)) {
    if (!lists(manifest, path)) {
      throw Error(ErrorKind::bad_data,
                  fmt::format("{}: '{}' is not listed in {}; remove it or export again",
                              folder.string(), path, kManifestName));
    }
  }
}

void check_file(const fs::path& folder, const FileRecord& record) {
  const fs::path file = folder / record.path;
  const std::int64_t size = size_of(file);
  if (size != record.bytes) {
    throw Error(ErrorKind::bad_data, fmt::format("{}: has {} bytes, the manifest says {}",
                                                 file.string(), size, record.bytes));
  }
  const std::string hash = sha256_file(file);
  if (hash != record.sha256) {
    throw Error(ErrorKind::bad_data, fmt::format("{}: has SHA-256 {}, the manifest says {}",
                                                 file.string(), hash, record.sha256));
  }
}

void check_replaceable(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(folder, error))) return;
  if (fs::is_directory(folder, error)) {
    if (fs::is_empty(folder, error)) return;
    if (is_bundle_folder(folder)) return;
  }
  throw Error(ErrorKind::cannot_create,
              fmt::format("{}: exists and is not a bundle; choose another folder or remove it",
                          folder.string()));
}

}  // namespace biglittle
