// SPDX-License-Identifier: MIT
#pragma once

// Files that are either wholly there or not there: a temporary file in the same folder, every write
// checked, fsync, re-read and compare, rename, fsync of the folder. Until the rename the previous
// file is untouched. What a killed process left is removed by the next one that writes the file.

#include <cstddef>
#include <filesystem>
#include <memory>
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
/// Throws Error{cannot_create} when the folder or temporary file may not be made and Error{io} when
/// the disk is full or fails at any call (naming how many bytes are to be written and how many of
/// them are missing). The previous file is intact then, or when only the folder could not be synced
/// after the rename the new one is, and no temporary file is left.
void write_file(const std::filesystem::path& file, std::span<const std::byte> content);
void write_file(const std::filesystem::path& file, std::string_view content);

/// Appends one line to a log file; throws Error{cannot_create} when it may not be opened and
/// Error{io} when the disk is full or fails; no part of the line is left then.
void append_line(const std::filesystem::path& file, std::string_view line);

/// Removes what killed processes left of attempts to write this file or folder. What a living
/// process is writing stays, and so does everything where the file system has no locks.
void remove_leftovers(const std::filesystem::path& path);

/// A folder that becomes visible under its final name only when complete: fill `path()`, then
/// `commit()`. An existing folder of that name is replaced on commit, in one step where the file
/// system can swap two names, else it is moved aside and removed after.
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
  struct Lock;
  std::unique_ptr<Lock> lock_;  // on the staging folder
  bool committed_ = false;
};

}  // namespace biglittle
