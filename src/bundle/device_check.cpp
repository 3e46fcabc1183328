// SPDX-License-Identifier: MIT
#include "bundle/device_check.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>

#include "bundle/process.h"
#include "core/error.h"
#include "core/files.h"

namespace biglittle {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kCompileLimit{180};
constexpr std::chrono::seconds kRunLimit{60};
constexpr std::size_t kDetailLimit = 300;

/// A folder under the system's temporary one that lives as long as the check.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::error_code error;
    std::string pattern = (fs::temp_directory_path(error) / "biglittle-XXXXXX").string();
    if (error || ::mkdtemp(pattern.data()) == nullptr) {
      throw Error(ErrorKind::cannot_create,
                  fmt::format("{}: the temporary folder cannot be made; set TMPDIR", pattern));
    }
    path_ = pattern;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// The compiler with the arguments that $CC gives it ("gcc -m32"), found on the PATH.
std::optional<std::vector<std::string>> find_compiler() {
  std::vector<std::string> commands;
  if (const char* chosen = std::getenv("CC"); chosen != nullptr) commands.emplace_back(chosen);
  commands.insert(commands.end(), {"cc", "gcc", "clang"});
  for (const std::string& command : commands) {
    std::istringstream words(command);
    std::vector<std::string> arguments;
    for (std::string word; words >> word;) arguments.push_back(word);
    if (arguments.empty()) continue;
    const std::optional<fs::path> program = find_program(arguments.front());
    if (!program) continue;
    arguments.front() = program->string();
    return arguments;
  }
  return std::nullopt;
}

/// One line for the table from what a program printed.
std::string one_line(const std::string& output) {
  std::string line;
  for (const char c : output.substr(0, kDetailLimit)) {
    if (c == '\n') {
      line += "; ";
    } else if (c >= ' ') {
      line += c;
    }
  }
  while (line.ends_with("; ")) line.resize(line.size() - 2);
  return line;
}

std::string describe_end(const ProcessResult& result, std::chrono::seconds limit) {
  if (result.timed_out) return fmt::format("did not end within {} s", limit.count());
  return fmt::format("exit code {}: {}", result.exit_code, one_line(result.output));
}

}  // namespace

VerifyItem check_device_code(const std::map<std::string, std::string>& files) {
  const std::string what = "device code";
  std::optional<std::vector<std::string>> command = find_compiler();
  if (!command) {
    return {what, VerifyItem::Outcome::skipped, "no C compiler found (CC, cc, gcc, clang)"};
  }
  const std::string compiler = command->front();
  const ScratchFolder scratch;
  // Contraction and fast-math would change the float32 product of the requantization.
  command->insert(command->end(),
                  {"-std=c99", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Wpedantic",
                   "-Wconversion", "-Werror", "-DBL_SELFTEST_MAIN", "-o", "selftest"});
  for (const auto& [name, text] : files) {
    write_file(scratch.path() / name, text);
    if (name.ends_with(".c")) command->push_back(name);
  }
  command->push_back("-lm");

  const ProcessResult compiled = run_process(*command, scratch.path(), kCompileLimit);
  if (compiled.timed_out || compiled.exit_code != 0) {
    return {what, VerifyItem::Outcome::failed,
            fmt::format("{} {}", compiler, describe_end(compiled, kCompileLimit))};
  }
  const ProcessResult ran =
      run_process({(scratch.path() / "selftest").string()}, scratch.path(), kRunLimit);
  if (ran.timed_out || ran.exit_code != 0) {
    return {what, VerifyItem::Outcome::failed,
            fmt::format("the self-test {}", describe_end(ran, kRunLimit))};
  }
  return {what, VerifyItem::Outcome::passed,
          fmt::format("compiled with {} without warnings, self-test passed", compiler)};
}

}  // namespace biglittle
