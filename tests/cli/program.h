// SPDX-License-Identifier: MIT
#pragma once

// Runs the built program as a user does: arguments in; exit code and both outputs out.

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace biglittle::testing {

struct Outcome {
  int code = -1;  ///< exit code, 128 + signal when a signal ended it
  std::string out;
  std::string err;
};

/// How a program is started; `environment` is added to this process's own.
struct Setting {
  std::filesystem::path folder = ".";
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::string> under = {};  ///< a program and its arguments that runs ours, e.g. strace
};

/// Runs the program under test.
Outcome biglittle(const std::vector<std::string>& arguments, const Setting& setting = {});

/// A program that was started and may be sent signals; `finish` waits for it.
class Running {
 public:
  Running(const std::vector<std::string>& arguments, const Setting& setting);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  Running(Running&& other) noexcept;

  void send(int signal) const;
  Outcome finish();

 private:
  std::filesystem::path out_;
  std::filesystem::path err_;
  int process_ = -1;
};

}  // namespace biglittle::testing
