// SPDX-License-Identifier: MIT
#include "core/files.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "core/error.h"

namespace biglittle {
namespace {

namespace fs = std::filesystem;

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return value_; }
  int close() { return ::close(std::exchange(value_, -1)); }

 private:
  int value_;
};

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

// "No space left on device (12 bytes are to be written, 8 are free, 4 are missing)". Nothing is
// missing when other limits than free blocks apply.
std::string write_failure(const fs::path& file, int code, std::size_t unwritten_bytes) {
  std::string reason = std::strerror(code);
  struct statvfs space {};
  if (code != ENOSPC || ::statvfs(folder_of(file).c_str(), &space) != 0) return reason;
  const std::uint64_t available = std::uint64_t{space.f_bavail} * space.f_frsize;
  reason += fmt::format(" ({} bytes are to be written, {} are free", unwritten_bytes, available);
  if (unwritten_bytes > available) {
    reason += fmt::format(", {} are missing", unwritten_bytes - available);
  }
  return reason + ")";
}

[[noreturn]] void fail(ErrorKind kind, const fs::path& file, std::string_view what,
                       std::string_view reason) {
  throw Error(kind, fmt::format("{}: {}: {}", file.string(), what, reason));
}

void write_all(int descriptor, std::span<const std::byte> content, const fs::path& file) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int code = written == 0 ? ENOSPC : errno;
      fail(ErrorKind::io, file, "cannot be written", write_failure(file, code, content.size()));
    }
    content = content.subspan(static_cast<std::size_t>(written));
  }
}

void sync(const fs::path& file) {
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0 || ::fsync(descriptor.get()) != 0) {
    fail(ErrorKind::io, file, "cannot be synced", std::strerror(errno));
  }
}

void sync_tree(const fs::path& folder) {
  std::error_code code;
  fs::recursive_directory_iterator entry(folder, code);
  for (; !code && entry != fs::recursive_directory_iterator(); entry.increment(code)) {
    const fs::file_type type = entry->symlink_status().type();
    if (type == fs::file_type::regular || type == fs::file_type::directory) sync(entry->path());
  }
  if (code) fail(ErrorKind::io, folder, "cannot be listed", code.message());
  sync(folder);
}

void make_folder(const fs::path& folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) fail(ErrorKind::cannot_create, folder, "folder cannot be made", code.message());
}

// A name in the same folder that this process has not used yet.
fs::path temporary_name(const fs::path& file) {
  static std::atomic<unsigned> counter{0};
  return folder_of(file) / fmt::format(".{}.partial-{}-{}", file.filename().string(), ::getpid(),
                                       counter.fetch_add(1));
}

// Calls `make` with new names until one is free: a program that was killed earlier may have left
// files behind under the same process number. Gives the name, or "" with errno set.
template <typename Make>
fs::path make_temporary(const fs::path& file, const Make& make) {
  constexpr int kTries = 1000;
  for (int i = 0; i < kTries; ++i) {
    fs::path name = temporary_name(file);
    if (make(name) >= 0) return name;
    if (errno != EEXIST) break;
  }
  return {};
}

// Removes a file unless it was renamed away.
class RemoveOnExit {
 public:
  explicit RemoveOnExit(fs::path file) : file_(std::move(file)) {}
  ~RemoveOnExit() {
    if (!file_.empty()) ::unlink(file_.c_str());
  }
  RemoveOnExit(const RemoveOnExit&) = delete;
  RemoveOnExit& operator=(const RemoveOnExit&) = delete;
  void keep() { file_.clear(); }

 private:
  fs::path file_;
};

// The content, safe on the disk under a name that nobody uses yet.
fs::path write_temporary(const fs::path& file, std::span<const std::byte> content) {
  int opened = -1;
  fs::path temporary = make_temporary(file, [&](const fs::path& name) {
    return opened = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  });
  if (temporary.empty()) {
    fail(ErrorKind::cannot_create, file, "cannot be created", std::strerror(errno));
  }
  Descriptor descriptor(opened);
  RemoveOnExit remove(temporary);
  write_all(descriptor.get(), content, file);
  if (::fsync(descriptor.get()) != 0 || descriptor.close() != 0) {
    fail(ErrorKind::io, file, "cannot be written", write_failure(file, errno, content.size()));
  }
  if (!std::ranges::equal(read_bytes(temporary), content)) {
    fail(ErrorKind::io, file, "reads back differently than written", "check the disk");
  }
  remove.keep();
  return temporary;
}

}  // namespace

std::vector<std::byte> read_bytes(const fs::path& file, std::size_t limit_bytes) {
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) {
    fail(ErrorKind::missing_input, file, "cannot be opened", std::strerror(errno));
  }
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) {
    fail(ErrorKind::io, file, "cannot be read", std::strerror(errno));
  }
  if (!S_ISREG(status.st_mode)) {
    fail(ErrorKind::missing_input, file, "cannot be opened", "not a regular file");
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > limit_bytes) {
    fail(ErrorKind::bad_data, file, "too long",
         fmt::format("{} bytes, expected at most {}", size, limit_bytes));
  }
  std::vector<std::byte> content(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(descriptor.get(), content.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(ErrorKind::io, file, "cannot be read", std::strerror(errno));
    if (got == 0) fail(ErrorKind::io, file, "cannot be read", "it became shorter meanwhile");
    done += static_cast<std::size_t>(got);
  }
  return content;
}

std::string read_text(const fs::path& file, std::size_t limit_bytes) {
  const std::vector<std::byte> content = read_bytes(file, limit_bytes);
  return {reinterpret_cast<const char*>(content.data()), content.size()};
}

void write_file(const fs::path& file, std::span<const std::byte> content) {
  make_folder(folder_of(file));
  const fs::path temporary = write_temporary(file, content);
  RemoveOnExit remove(temporary);
  if (::rename(temporary.c_str(), file.c_str()) != 0) {
    fail(ErrorKind::io, file, "cannot be replaced", std::strerror(errno));
  }
  remove.keep();
  sync(folder_of(file));
}

void write_file(const fs::path& file, std::string_view content) {
  write_file(file, std::as_bytes(std::span(content.data(), content.size())));
}

void append_line(const fs::path& file, std::string_view line) {
  Descriptor descriptor(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (descriptor.get() < 0) {
    fail(ErrorKind::cannot_create, file, "cannot be opened for appending", std::strerror(errno));
  }
  const std::string text = std::string(line) + "\n";
  write_all(descriptor.get(), std::as_bytes(std::span(text.data(), text.size())), file);
  if (descriptor.close() != 0) {
    fail(ErrorKind::io, file, "cannot be written", write_failure(file, errno, text.size()));
  }
}

StagedFolder::StagedFolder(fs::path final_path) : final_(std::move(final_path)) {
  // "exports/name/" would otherwise be a nameless entry inside exports/name.
  if (!final_.has_filename()) final_ = final_.parent_path();
  std::error_code ignored;
  if (fs::exists(final_, ignored) && !fs::is_directory(final_, ignored)) {
    fail(ErrorKind::cannot_create, final_, "cannot be created", "a file of that name exists");
  }
  make_folder(folder_of(final_));
  staging_ =
      make_temporary(final_, [](const fs::path& name) { return ::mkdir(name.c_str(), 0777); });
  if (staging_.empty()) {
    fail(ErrorKind::cannot_create, final_, "cannot be created", std::strerror(errno));
  }
}

StagedFolder::~StagedFolder() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(staging_, ignored);
}

void StagedFolder::commit() {
  sync_tree(staging_);
  fs::path aside;
  if (fs::exists(fs::symlink_status(final_))) {
    aside = make_temporary(final_, [&](const fs::path& name) {
      errno = EEXIST;
      return fs::exists(fs::symlink_status(name)) ? -1 : ::rename(final_.c_str(), name.c_str());
    });
    if (aside.empty()) fail(ErrorKind::io, final_, "cannot be replaced", std::strerror(errno));
  }
  if (::rename(staging_.c_str(), final_.c_str()) != 0) {
    const std::string reason = std::strerror(errno);
    if (!aside.empty()) ::rename(aside.c_str(), final_.c_str());
    fail(ErrorKind::io, final_, "cannot be put in place, the previous folder is kept", reason);
  }
  committed_ = true;
  sync(folder_of(final_));
  std::error_code ignored;
  if (!aside.empty()) fs::remove_all(aside, ignored);
}

}  // namespace biglittle
