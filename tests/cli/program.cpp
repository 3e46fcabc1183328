// SPDX-License-Identifier: MIT
#include "cli/program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace biglittle::testing {
namespace {

std::filesystem::path temporary_file() {
  std::string pattern = (std::filesystem::temp_directory_path() / "biglittle-out-XXXXXX").string();
  const int descriptor = ::mkstemp(pattern.data());
  if (descriptor < 0) throw std::runtime_error("mkstemp failed");
  ::close(descriptor);
  return pattern;
}

std::string read_and_remove(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  std::filesystem::remove(file);
  return text;
}

/// In the child: never returns.
[[noreturn]] void become(const std::vector<std::string>& arguments, const Setting& setting,
                         const std::filesystem::path& out, const std::filesystem::path& err) {
  const int nothing = ::open("/dev/null", O_RDONLY);
  const int out_file = ::open(out.c_str(), O_WRONLY | O_TRUNC);
  const int err_file = ::open(err.c_str(), O_WRONLY | O_TRUNC);
  if (::dup2(nothing, STDIN_FILENO) < 0 || ::dup2(out_file, STDOUT_FILENO) < 0 ||
      ::dup2(err_file, STDERR_FILENO) < 0 || ::chdir(setting.folder.c_str()) != 0) {
    ::_exit(126);
  }
  for (const auto& [name, value] : setting.environment) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> argv;
  std::vector<std::string> words = setting.under;
  words.emplace_back(BIGLITTLE_PROGRAM);
  words.insert(words.end(), arguments.begin(), arguments.end());
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execvp(argv.front(), argv.data());
  ::_exit(127);
}

}  // namespace

Running::Running(const std::vector<std::string>& arguments, const Setting& setting)
    : out_(temporary_file()), err_(temporary_file()), process_(::fork()) {
  if (process_ < 0) throw std::runtime_error("fork failed");
  if (process_ == 0) become(arguments, setting, out_, err_);
}

Running::Running(Running&& other) noexcept
    : out_(other.out_), err_(other.err_), process_(std::exchange(other.process_, -1)) {}

Running::~Running() {
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  finish();
}

void Running::send(int signal) const { ::kill(process_, signal); }

Outcome Running::finish() {
  int status = 0;
  ::waitpid(process_, &status, 0);
  process_ = -1;
  Outcome outcome;
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  outcome.out = read_and_remove(out_);
  outcome.err = read_and_remove(err_);
  return outcome;
}

Outcome biglittle(const std::vector<std::string>& arguments, const Setting& setting) {
  return Running(arguments, setting).finish();
}

}  // namespace biglittle::testing
