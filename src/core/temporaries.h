// SPDX-License-Identifier: MIT
#pragma once

// Names beside a file or folder under which its next content is prepared: ".NAME.partial-PID-N".
// Whoever prepares it holds a lock on it (flock), which ends with the process however it ends. So a
// temporary that can be locked belongs to nobody, and the next one of the same name removes it.

#include <filesystem>
#include <functional>
#include <utility>

namespace biglittle {

/// An open file or folder, closed at the end.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }

  int get() const { return value_; }
  /// 0, or -1 with errno set.
  int close();

 private:
  int value_ = -1;
};

/// A temporary of this process; the lock is held while `lock` is open.
struct Temporary {
  std::filesystem::path name;  ///< empty when none could be made, with errno set
  Descriptor lock;
};

/// The folder that `path` lies in; "." for a bare name.
std::filesystem::path folder_of(const std::filesystem::path& path);

/// Removes what killed processes left of earlier attempts to write `path`, and makes a temporary
/// for it: `make` creates a name that must be new and returns it opened, or -1 with errno set.
Temporary make_temporary(const std::filesystem::path& path,
                         const std::function<int(const std::filesystem::path&)>& make);

/// A name beside `path` that is not there and that nothing removes by itself.
std::filesystem::path unused_name(const std::filesystem::path& path);

}  // namespace biglittle
