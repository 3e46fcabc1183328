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

// "no space left on device (needs 12 bytes more)".
std::string write_failure(const fs::path& file, int code, std::size_t missing_bytes) {
  std::string reason = std::strerror(code);
  struct statvfs space {};
  if ((code == ENOSPC || code == EDQUOT) && ::statvfs(file.parent_path().c_str(), &space) == 0) {
    const std::uint64_t available = std::uint64_t{space.f_bavail} * space.f_frsize;
    const std::uint64_t needed = missing_bytes > available ? missing_bytes - available : 0;
    reason +=
        fmt::format(" ({} bytes are unwritten, {} more must be freed)", missing_bytes, needed);
  }
  return reason;
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
      fail(ErrorKind::io, file, "cannot be written, the previous file is kept",
           write_failure(file, code, content.size()));
    }
    content = content.subspan(static_cast<std::size_t>(written));
  }
}

void sync_folder(const fs::path& folder) {
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0 || ::fsync(descriptor.get()) != 0) {
    fail(ErrorKind::io, folder, "cannot be synced", std::strerror(errno));
  }
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

void make_folder(const fs::path& folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) fail(ErrorKind::cannot_create, folder, "folder cannot be made", code.message());
}

// A name in the same folder that no other writer uses.
fs::path temporary_name(const fs::path& file) {
  static std::atomic<unsigned> counter{0};
  return folder_of(file) / fmt::format(".{}.partial-{}-{}", file.filename().string(), ::getpid(),
                                       counter.fetch_add(1));
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

void write_temporary(const fs::path& temporary, std::span<const std::byte> content,
                     const fs::path& file) {
  Descriptor descriptor(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (descriptor.get() < 0) {
    fail(ErrorKind::cannot_create, file, "cannot be created", std::strerror(errno));
  }
  RemoveOnExit remove(temporary);
  write_all(descriptor.get(), content, file);
  if (::fsync(descriptor.get()) != 0) {
    fail(ErrorKind::io, file, "cannot be synced, the previous file is kept",
         write_failure(file, errno, content.size()));
  }
  if (descriptor.close() != 0) {
    fail(ErrorKind::io, file, "cannot be closed, the previous file is kept",
         write_failure(file, errno, content.size()));
  }
  if (!std::ranges::equal(read_bytes(temporary), content)) {
    fail(ErrorKind::io, file, "reads back differently than written, the previous file is kept",
         "check the disk");
  }
  remove.keep();
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
  const fs::path temporary = temporary_name(file);
  write_temporary(temporary, content, file);
  RemoveOnExit remove(temporary);
  if (::rename(temporary.c_str(), file.c_str()) != 0) {
    fail(ErrorKind::io, file, "cannot be replaced, the previous file is kept",
         std::strerror(errno));
  }
  remove.keep();
  sync_folder(folder_of(file));
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
}

StagedFolder::StagedFolder(fs::path final_path)
    : final_(std::move(final_path)), staging_(temporary_name(final_)) {
  make_folder(folder_of(final_));
  if (::mkdir(staging_.c_str(), 0777) != 0) {
    fail(ErrorKind::cannot_create, final_, "cannot be created", std::strerror(errno));
  }
}

StagedFolder::~StagedFolder() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(staging_, ignored);
}

void StagedFolder::commit() {
  sync_folder(staging_);
  const fs::path aside = temporary_name(final_);
  const bool replaces = fs::exists(fs::symlink_status(final_));
  if (replaces && ::rename(final_.c_str(), aside.c_str()) != 0) {
    fail(ErrorKind::io, final_, "cannot be replaced", std::strerror(errno));
  }
  if (::rename(staging_.c_str(), final_.c_str()) != 0) {
    const std::string reason = std::strerror(errno);
    if (replaces) ::rename(aside.c_str(), final_.c_str());
    fail(ErrorKind::io, final_, "cannot be put in place, the previous folder is kept", reason);
  }
  committed_ = true;
  sync_folder(folder_of(final_));
  std::error_code ignored;
  if (replaces) fs::remove_all(aside, ignored);
}

}  // namespace biglittle
