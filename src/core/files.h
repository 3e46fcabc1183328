// SPDX-License-Identifier: MIT
#pragma once

// Files that are either wholly there or not there: a temporary file in the same folder, every write
// checked, fsync, re-read and compare, rename, fsync of the folder. Until the rename the previous
// file is untouched.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace biglittle {

/// The whole content. Throws Error{missing_input} when it cannot be opened, Error{bad_data} when it
/// is longer than `limit_bytes`, Error{io} when reading fails.
std::vector<std::byte> read_bytes(const std::filesystem::path& file,
                                  std::size_t limit_bytes = std::size_t{1} << 34);
std::string read_text(const std::filesystem::path& file,
                      std::size_t limit_bytes = std::size_t{1} << 28);

/// Replaces `file` with `content` as this header describes; missing parent folders are made.
/// Throws Error{cannot_create} when the folder or temporary file cannot be made and Error{io} when
/// a write, sync or rename fails (naming how many bytes are missing when the disk is full); the
/// previous file is intact then and no temporary file is left.
void write_file(const std::filesystem::path& file, std::span<const std::byte> content);
void write_file(const std::filesystem::path& file, std::string_view content);

/// Appends one line to a log file; throws Error{cannot_create} when it cannot be opened and
/// Error{io} when the write fails.
void append_line(const std::filesystem::path& file, std::string_view line);

/// A folder that becomes visible under its final name only when complete: fill `path()`, then
/// `commit()`. An existing folder of that name is replaced on commit (moved aside, removed after).
/// Without commit everything written is removed.
/// The constructor throws Error{cannot_create}; commit syncs every file first and throws Error{io},
/// and then the existing folder is in its place again.
class StagedFolder {
 public:
  explicit StagedFolder(std::filesystem::path final_path);
  ~StagedFolder();
  StagedFolder(const StagedFolder&) = delete;
  StagedFolder& operator=(const StagedFolder&) = delete;

  const std::filesystem::path& path() const { return staging_; }
  void commit();

 private:
  std::filesystem::path final_;
  std::filesystem::path staging_;
  bool committed_ = false;
};

}  // namespace biglittle
