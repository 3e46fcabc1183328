// SPDX-License-Identifier: MIT
#pragma once

// One generated network whose device folder the tests build in every way its README describes.

#include <filesystem>
#include <map>
#include <string>

#include "testing/temporary_folder.h"

namespace biglittle::testing {

/// A temporary folder with a device folder, the samples that its programs read, and what they must
/// print.
class DeviceProject {
 public:
  DeviceProject();

  const std::filesystem::path& path() const { return folder_.path(); }
  /// The files of the device folder, by name.
  const std::map<std::string, std::string>& device() const { return device_; }
  /// One line an input of `samples.bin`: what the README's programs must answer.
  const std::string& answers() const { return answers_; }

  /// Writes `text` to `file` in the folder.
  void write(const std::string& file, const std::string& text) const;
  /// Writes the device folder (or the named files of it) to `folder` in the folder.
  void write_device(const std::string& folder) const;

  /// The code block of the README in `language` that contains `text`.
  std::string example(const std::string& language, const std::string& text) const;

  /// Runs a shell command line in the folder; fails the test, with its output, unless it exits
  /// with 0. Returns what it printed.
  std::string run(const std::string& command) const;
  /// The same for one that must fail.
  std::string run_failing(const std::string& command) const;

 private:
  TemporaryFolder folder_;
  std::map<std::string, std::string> device_;
  std::string answers_;
};

}  // namespace biglittle::testing
