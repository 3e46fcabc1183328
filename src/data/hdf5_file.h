// SPDX-License-Identifier: MIT
#pragma once

// An HDF5 file read with suspicion: every object is checked to be what the dataset format says
// before anything of it is used. It guards against wrong files; files made to crash the HDF5
// library itself are the reason to use it in a child process only (child_process.h).

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/hdf5.h"

namespace biglittle::hdf5 {

/// "/group/member", or "/member" of the root group "/".
std::string path_of(std::string_view group, std::string_view member);

/// An array whose type, shape and storage were found good.
struct StoredArray {
  std::string path;
  Handle id;
  Handle type;
  std::vector<std::int64_t> shape;  ///< empty for a scalar
  std::int64_t element_bytes = 0;
  std::int64_t block_rows = 1;  ///< how many rows are read at a time

  std::int64_t rows() const { return shape.empty() ? 1 : shape.front(); }
  std::int64_t row_bytes() const;
};

class CheckedFile {
 public:
  /// Opens for reading without locks (read-only and network file systems lack them). Throws
  /// Error{bad_data}, as every method here does.
  explicit CheckedFile(std::filesystem::path file);

  /// The group holds exactly these members, each by a hard link.
  void check_members(const std::string& group, std::vector<std::string> expected) const;

  std::int64_t integer_attribute(const std::string& object, const char* name) const;
  std::vector<std::int64_t> integers_attribute(const std::string& object, const char* name,
                                               std::int64_t count) const;
  /// Fixed-length text of at most `limit_bytes`.
  std::string text_attribute(const std::string& object, const char* name,
                             std::int64_t limit_bytes) const;

  /// An array of one of the `types` with `rank` axes (0: a scalar), held in this file contiguously,
  /// compactly, or in chunks with no filters but shuffle and deflate.
  StoredArray array(const std::string& path, std::span<const hid_t> types, const char* type_names,
                    std::size_t rank) const;
  /// The same for fixed-length text of at most `limit_bytes` an element.
  StoredArray text_array(const std::string& path, std::size_t rank, std::int64_t limit_bytes) const;

  /// Gives the values block after block, in order.
  void read(const StoredArray& array,
            const std::function<void(std::span<const std::byte>)>& use) const;

  /// Throws Error{bad_data}: `FILE: WHAT is FOUND, expected EXPECTED; import the data again`.
  [[noreturn]] void refuse(const std::string& message) const;

 private:
  Handle own(hid_t id, Handle::Close close, const std::string& path) const;
  void require(bool ok, const std::string& path) const;
  Handle open_object(const std::string& path, H5I_type_t type) const;
  Handle open_attribute(const std::string& object, const char* name) const;
  StoredArray open_array(const std::string& path, std::size_t rank) const;
  void check_storage(StoredArray& array) const;
  void check_contiguous(const StoredArray& array) const;
  void check_chunks(StoredArray& array, hid_t creation) const;

  std::string name_;
  std::int64_t file_bytes_ = 0;
  Handle file_;
};

}  // namespace biglittle::hdf5
