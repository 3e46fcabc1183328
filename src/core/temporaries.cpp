// SPDX-License-Identifier: MIT
#include "core/temporaries.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include "core/files.h"

namespace biglittle {
namespace {

namespace fs = std::filesystem;

std::string prefix_of(const fs::path& path) {
  return fmt::format(".{}.partial-", path.filename().string());
}

std::string number_of_this_attempt() {
  static std::atomic<unsigned> counter{0};
  return fmt::format("{}-{}", ::getpid(), counter.fetch_add(1));
}

// Where a file system has no locks the owner goes without one, and nobody removes what is not
// locked by himself.
bool lock_fails(int descriptor) {
  return ::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

std::vector<fs::path> temporaries_of(const fs::path& path) {
  const std::string prefix = prefix_of(path);
  std::vector<fs::path> found;
  std::error_code code;
  fs::directory_iterator entry(folder_of(path), code);
  for (; !code && entry != fs::directory_iterator(); entry.increment(code)) {
    if (entry->path().filename().string().starts_with(prefix)) found.push_back(entry->path());
  }
  return found;
}

}  // namespace

int Descriptor::close() {
  const int value = std::exchange(value_, -1);
  return value < 0 ? 0 : ::close(value);
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

void remove_leftovers(const fs::path& path) {
  for (const fs::path& temporary : temporaries_of(path)) {
    const Descriptor descriptor(
        ::open(temporary.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (descriptor.get() < 0 || ::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) continue;
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
  }
}

Temporary make_temporary(const fs::path& path, const std::function<int(const fs::path&)>& make) {
  remove_leftovers(path);
  constexpr int kTries = 1000;
  for (int i = 0; i < kTries; ++i) {
    const fs::path name = folder_of(path) / (prefix_of(path) + number_of_this_attempt());
    Descriptor opened(make(name));
    if (opened.get() < 0) {
      if (errno == EEXIST) continue;
      return {};
    }
    // Another process may have taken it for a leftover before it was locked.
    if (lock_fails(opened.get()) || ::access(name.c_str(), F_OK) != 0) continue;
    return {name, std::move(opened)};
  }
  errno = EEXIST;
  return {};
}

fs::path unused_name(const fs::path& path) {
  for (;;) {
    fs::path name = folder_of(path) / fmt::format(".{}.previous-{}", path.filename().string(),
                                                  number_of_this_attempt());
    if (!fs::exists(fs::symlink_status(name))) return name;
  }
}

}  // namespace biglittle
