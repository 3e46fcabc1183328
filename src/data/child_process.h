// SPDX-License-Identifier: MIT
#pragma once

// Reading in a child process: the HDF5 library crashes or hangs on some damaged files, so such a
// file is opened only by a child with limits on time and memory, which sends what it read through a
// pipe. When the child dies the parent says so in one line and goes on.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

namespace biglittle {

/// The child's end of the pipe. Writing ends the child when the parent is gone.
class PipeWriter {
 public:
  explicit PipeWriter(int descriptor) : descriptor_(descriptor) {}
  void bytes(std::span<const std::byte> content);
  void number(std::int64_t value);
  void text(const std::string& value);

 private:
  int descriptor_;
};

/// The parent's end. Every method throws ChildFailed when the child sends less or nothing.
class PipeReader {
 public:
  explicit PipeReader(int descriptor) : descriptor_(descriptor) {}
  void bytes(std::span<std::byte> out);
  std::int64_t number();
  /// Throws ChildFailed for a number outside [low, high] too.
  std::int64_t number(std::int64_t low, std::int64_t high);
  std::string text(std::int64_t limit_bytes);

 private:
  int descriptor_;
};

/// The child did not send what was expected; run_in_child turns it into the Error that users see.
struct ChildFailed {};

/// Forks; the child runs `produce` and the parent `consume`. An Error of the child is thrown in the
/// parent as Error{bad_data} with the same message; a child that dies, hangs or sends nonsense
/// becomes Error{bad_data} `FILE: damaged HDF5 file ...`. `produce` must use no threads and no
/// locks that another thread of the parent may hold.
void run_in_child(const std::filesystem::path& file,
                  const std::function<void(PipeWriter&)>& produce,
                  const std::function<void(PipeReader&)>& consume);

}  // namespace biglittle
