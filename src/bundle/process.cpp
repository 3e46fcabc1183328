// SPDX-License-Identifier: MIT
#include "bundle/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/error.h"

extern char** environ;

namespace biglittle {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kOutputLimit = std::size_t{64} << 10;

[[noreturn]] void fail(std::string_view program, int code) {
  throw Error(ErrorKind::io, fmt::format("{}: cannot be run: {}", program, std::strerror(code)));
}

/// A file descriptor that is closed once.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return value_; }
  void close() {
    if (value_ >= 0) ::close(value_);
    value_ = -1;
  }

 private:
  int value_;
};

/// posix_spawn's description of the child: its folder, its descriptors, its own process group (so
/// that a compiler's children end with it).
class SpawnSettings {
 public:
  SpawnSettings(const std::filesystem::path& folder, int output) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str());
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

/// Reads until the child closes its output; false when the deadline came first.
bool collect_output(int input, Clock::time_point deadline, std::string& output) {
  std::array<char, 4096> block;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd wait = {input, POLLIN, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(left));
    if (ready == 0) return false;
    if (ready < 0 && errno != EINTR) return true;
    if (ready < 0) continue;
    const ssize_t size = ::read(input, block.data(), block.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return true;
    const std::size_t room = kOutputLimit - output.size();
    output.append(block.data(), std::min(static_cast<std::size_t>(size), room));
  }
}

/// The child's wait status, or nothing when it is still running at the deadline.
std::optional<int> wait_until(pid_t child, Clock::time_point deadline, std::string_view program) {
  while (true) {
    int status = 0;
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    // Without a status (SIGCHLD ignored by the caller) nothing may be taken for success.
    if (ended < 0 && errno != EINTR) fail(program, errno);
    if (Clock::now() >= deadline) return std::nullopt;
    ::usleep(1000);
  }
}

/// Ends the child and everything it started.
void end_group(pid_t child) {
  ::kill(-child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
}

int exit_code_of(int status) {
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  return 128 + (WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& arguments,
                          const std::filesystem::path& folder, std::chrono::seconds limit) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail(arguments.front(), errno);
  const Descriptor input(ends[0]);
  Descriptor output(ends[1]);

  pid_t child = 0;
  const SpawnSettings settings(folder, output.get());
  const int code = ::posix_spawn(&child, argv[0], settings.actions(), settings.attributes(),
                                 argv.data(), environ);
  if (code != 0) fail(arguments.front(), code);
  output.close();

  ProcessResult result;
  const Clock::time_point deadline = Clock::now() + limit;
  std::optional<int> status;
  if (collect_output(input.get(), deadline, result.output)) {
    status = wait_until(child, deadline, arguments.front());
  }
  if (status) {
    result.exit_code = exit_code_of(*status);
  } else {
    result.timed_out = true;
    end_group(child);
  }
  return result;
}

std::optional<std::filesystem::path> find_program(std::string_view program) {
  if (program.empty()) return std::nullopt;
  if (program.find('/') != std::string_view::npos) {
    if (::access(std::string(program).c_str(), X_OK) != 0) return std::nullopt;
    return std::filesystem::absolute(program);
  }
  const char* variable = std::getenv("PATH");
  std::string_view folders = variable == nullptr ? "" : variable;
  while (!folders.empty()) {
    const std::size_t colon = folders.find(':');
    const std::filesystem::path file = std::filesystem::path(folders.substr(0, colon)) / program;
    std::error_code ignored;
    // An empty or relative entry would run a program from the current folder; it is left out.
    if (file.is_absolute() && std::filesystem::is_regular_file(file, ignored) &&
        ::access(file.c_str(), X_OK) == 0) {
      return file;
    }
    folders.remove_prefix(colon == std::string_view::npos ? folders.size() : colon + 1);
  }
  return std::nullopt;
}

}  // namespace biglittle
