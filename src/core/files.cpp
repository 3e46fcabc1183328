// SPDX-License-Identifier: MIT
#include "core/files.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/temporaries.h"

namespace biglittle {
namespace {

namespace fs = std::filesystem;

// "No space left on device (12 bytes are to be written, 8 are free, 4 are missing)". Nothing is
// missing when other limits than free blocks apply, such as a quota.
std::string write_failure(const fs::path& file, int code, std::size_t unwritten_bytes) {
  std::string reason = std::strerror(code);
  struct statvfs space {};
  if ((code != ENOSPC && code != EDQUOT) || ::statvfs(folder_of(file).c_str(), &space) != 0)
    return reason;
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

// A name that may not be there is the user's to change; a disk that is full or broken is not.
ErrorKind kind_of_open_failure(int code) {
  const bool is_disk = code == ENOSPC || code == EDQUOT || code == EIO;
  return is_disk ? ErrorKind::io : ErrorKind::cannot_create;
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

void make_folder(const fs::path& folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) fail(ErrorKind::cannot_create, folder, "folder cannot be made", code.message());
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

// Not what was written only: what the disk took.
bool reads_back(const fs::path& temporary, std::span<const std::byte> content,
                const fs::path& file) {
  const Descriptor descriptor(::open(temporary.c_str(), O_RDONLY | O_CLOEXEC));
  std::vector<std::byte> piece(std::min<std::size_t>(content.size() + 1, std::size_t{1} << 20));
  for (;;) {
    const ssize_t got =
        descriptor.get() < 0 ? -1 : ::read(descriptor.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(ErrorKind::io, file, "cannot be read back", std::strerror(errno));
    const auto size = static_cast<std::size_t>(got);
    if (size == 0) return content.empty();
    if (size > content.size() || std::memcmp(piece.data(), content.data(), size) != 0) return false;
    content = content.subspan(size);
  }
}

// Makes the content of `temporary` safe on the disk. Its lock stays: it is another descriptor of
// the same opened file.
void fill_temporary(const Temporary& temporary, std::span<const std::byte> content,
                    const fs::path& file) {
  Descriptor descriptor(::fcntl(temporary.lock.get(), F_DUPFD_CLOEXEC, 0));
  write_all(descriptor.get(), content, file);
  if (::fsync(descriptor.get()) != 0 || descriptor.close() != 0) {
    fail(ErrorKind::io, file, "cannot be written", write_failure(file, errno, content.size()));
  }
  if (!reads_back(temporary.name, content, file)) {
    fail(ErrorKind::io, file, "reads back differently than written", "check the disk");
  }
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
  const Temporary temporary = make_temporary(file, [](const fs::path& name) {
    return ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  });
  if (temporary.name.empty()) {
    const int code = errno;
    fail(kind_of_open_failure(code), file, "cannot be created",
         write_failure(file, code, content.size()));
  }
  RemoveOnExit remove(temporary.name);
  fill_temporary(temporary, content, file);
  // Opened before the rename, after which as little as possible may go wrong.
  const Descriptor folder(::open(folder_of(file).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || ::rename(temporary.name.c_str(), file.c_str()) != 0) {
    fail(ErrorKind::io, file, "cannot be replaced", write_failure(file, errno, content.size()));
  }
  remove.keep();
  if (::fsync(folder.get()) != 0) {
    fail(ErrorKind::io, file, "is new, but its folder cannot be synced", std::strerror(errno));
  }
}

void write_file(const fs::path& file, std::string_view content) {
  write_file(file, std::as_bytes(std::span(content.data(), content.size())));
}

void append_line(const fs::path& file, std::string_view line) {
  Descriptor descriptor(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  const std::string text = std::string(line) + "\n";
  if (descriptor.get() < 0) {
    const int code = errno;
    fail(kind_of_open_failure(code), file, "cannot be opened for appending",
         write_failure(file, code, text.size()));
  }
  const off_t before = ::lseek(descriptor.get(), 0, SEEK_END);
  try {
    write_all(descriptor.get(), std::as_bytes(std::span(text.data(), text.size())), file);
  } catch (const Error&) {
    // Half a line would be taken for a whole one.
    [[maybe_unused]] const int ignored = ::ftruncate(descriptor.get(), before);
    throw;
  }
  if (descriptor.close() != 0) {
    fail(ErrorKind::io, file, "cannot be written", write_failure(file, errno, text.size()));
  }
}

}  // namespace biglittle
