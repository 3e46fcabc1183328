// SPDX-License-Identifier: MIT
#include "data/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "core/error.h"

namespace biglittle {
namespace {

/// Of silence from the child; it sends at least every 8 MiB it reads.
constexpr int kSilenceMilliseconds = 60'000;
/// Beside what the process has already: one block of samples and one chunk, with room for HDF5.
constexpr rlim_t kMemoryBytes = rlim_t{1} << 30;
/// Of CPU. Opening takes milliseconds, and 55 MB of stored samples 0.03 s; the second for each MiB
/// leaves room for samples that deflate made much smaller.
constexpr rlim_t kSeconds = 2;
constexpr rlim_t kBytesPerSecond = rlim_t{1} << 20;
constexpr std::size_t kMaxMessageBytes = 4096;  // fits a pipe, so that sending it cannot block
constexpr std::int64_t kEndMark = 0x656e645f6d61726b;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Descriptor() { close(); }

  int get() const { return descriptor_; }
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

 private:
  int descriptor_ = -1;
};

[[noreturn]] void refuse_start(const std::filesystem::path& file) {
  throw Error(ErrorKind::io, file.string() + ": cannot start the process that reads it (" +
                                 std::strerror(errno) +
                                 "), expected a pipe and a fork; close "
                                 "other programs and try again");
}

struct Pipe {
  Descriptor read_end;
  Descriptor write_end;
};

Pipe make_pipe(const std::filesystem::path& file) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) refuse_start(file);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

/// The child's number; killed and awaited at the end of its life here, whatever happened.
class Child {
 public:
  explicit Child(pid_t id) : id_(id) {}
  ~Child() {
    ::kill(id_, SIGKILL);
    while (::waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

 private:
  pid_t id_;
};

void limit(decltype(RLIMIT_CPU) resource, rlim_t value) {
  rlimit limits{};
  if (::getrlimit(resource, &limits) != 0) return;
  limits.rlim_cur = std::min(value, limits.rlim_max);
  ::setrlimit(resource, &limits);
}

/// Address space is limited relative to what there is: LibTorch, CUDA and sanitizers have reserved
/// gigabytes before.
rlim_t address_space_bytes() {
  std::ifstream statm("/proc/self/statm");
  rlim_t pages = 0;
  if (!(statm >> pages)) return RLIM_INFINITY - kMemoryBytes;
  return pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
}

/// A crash of the child is expected and reported by the parent: no core file, no handler of the
/// parent, nothing on stderr. Ctrl-C is the parent's to answer.
void isolate_child(std::uintmax_t file_bytes) {
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPIPE, SIGXCPU}) {
    ::signal(signal, SIG_DFL);
  }
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_IGN);
  const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null >= 0) ::dup2(null, STDERR_FILENO);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, kSeconds + static_cast<rlim_t>(file_bytes) / kBytesPerSecond);
  limit(RLIMIT_AS, address_space_bytes() + kMemoryBytes);
}

[[noreturn]] void run_child(std::uintmax_t file_bytes, int content, int message,
                            const std::function<void(PipeWriter&)>& produce) {
  isolate_child(file_bytes);
  PipeWriter writer(content);
  try {
    produce(writer);
    writer.number(kEndMark);
  } catch (const Error& error) {
    const std::string text = std::string(error.what()).substr(0, kMaxMessageBytes);
    PipeWriter(message).bytes(std::as_bytes(std::span(text)));
  } catch (...) {
    // Without a message and an end mark the parent reports a damaged file.
  }
  ::_exit(0);
}

std::string read_message(int descriptor) {
  std::string message(kMaxMessageBytes, '\0');
  const ssize_t size = ::read(descriptor, message.data(), message.size());
  message.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return message;
}

}  // namespace

void PipeWriter::bytes(std::span<const std::byte> content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor_, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) ::_exit(1);
    content = content.subspan(static_cast<std::size_t>(written));
  }
}

void PipeWriter::number(std::int64_t value) { bytes(std::as_bytes(std::span(&value, 1))); }

void PipeWriter::text(const std::string& value) {
  number(static_cast<std::int64_t>(value.size()));
  bytes(std::as_bytes(std::span(value)));
}

void PipeReader::bytes(std::span<std::byte> out) {
  while (!out.empty()) {
    pollfd waiting{descriptor_, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, kSilenceMilliseconds);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) throw ChildFailed{};
    const ssize_t size = ::read(descriptor_, out.data(), out.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) throw ChildFailed{};
    out = out.subspan(static_cast<std::size_t>(size));
  }
}

std::int64_t PipeReader::number() {
  std::int64_t value = 0;
  bytes(std::as_writable_bytes(std::span(&value, 1)));
  return value;
}

std::int64_t PipeReader::number(std::int64_t low, std::int64_t high) {
  const std::int64_t value = number();
  if (value < low || value > high) throw ChildFailed{};
  return value;
}

std::string PipeReader::text(std::int64_t limit_bytes) {
  std::string value(static_cast<std::size_t>(number(0, limit_bytes)), '\0');
  bytes(std::as_writable_bytes(std::span(value)));
  return value;
}

void run_in_child(const std::filesystem::path& file,
                  const std::function<void(PipeWriter&)>& produce,
                  const std::function<void(PipeReader&)>& consume) {
  std::error_code ignored;
  const std::uintmax_t size = std::filesystem::file_size(file, ignored);
  const std::uintmax_t file_bytes = ignored ? 0 : size;
  Pipe content = make_pipe(file);
  Pipe message = make_pipe(file);
  const pid_t id = ::fork();
  if (id < 0) refuse_start(file);
  if (id == 0) run_child(file_bytes, content.write_end.get(), message.write_end.get(), produce);
  const Child child(id);
  content.write_end.close();
  message.write_end.close();
  try {
    PipeReader reader(content.read_end.get());
    consume(reader);
    if (reader.number() == kEndMark) return;
  } catch (const ChildFailed&) {
    // What the child said, if it could, is in the other pipe.
  }
  ::kill(id, SIGKILL);
  const std::string said = read_message(message.read_end.get());
  if (!said.empty()) throw Error(ErrorKind::bad_data, said);
  throw Error(ErrorKind::bad_data,
              file.string() +
                  ": damaged HDF5 file (the HDF5 library failed on it), expected a dataset that "
                  "`biglittle import` wrote; restore a copy or import again");
}

}  // namespace biglittle
