// SPDX-License-Identifier: MIT
#pragma once

// A command of the program: what it takes from the command line and what it does. The argv parser
// stays behind Arguments, so that commands are compiled, and read, without it.

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace biglittle {

/// Receives the arguments that a command takes; the referenced values are set before Command::run.
/// `names` are as typed, e.g. "-o,--output"; `placeholder` stands for the value in the help.
class Arguments {
 public:
  virtual ~Arguments() = default;

  virtual void required(std::string_view name, std::filesystem::path& value,
                        std::string_view help) = 0;
  virtual void flag(std::string_view names, bool& value, std::string_view help) = 0;
  virtual void option(std::string_view names, std::string_view placeholder,
                      std::filesystem::path& value, std::string_view help) = 0;
  /// An option that may not be left out.
  virtual void required_option(std::string_view names, std::string_view placeholder,
                               std::filesystem::path& value, std::string_view help) = 0;
  /// One text an occurrence, in the order given.
  virtual void option(std::string_view names, std::string_view placeholder,
                      std::vector<std::string>& values, std::string_view help) = 0;
};

class Command {
 public:
  virtual ~Command() = default;

  virtual std::string_view name() const = 0;
  virtual std::string_view summary() const = 0;  ///< one line of the help
  virtual void declare(Arguments& arguments) = 0;

  /// Does the work and returns the exit code; throws Error and Interrupted.
  virtual int run() = 0;
};

std::unique_ptr<Command> import_command();
std::unique_ptr<Command> train_command();
std::unique_ptr<Command> derive_little_command();
std::unique_ptr<Command> export_command();
std::unique_ptr<Command> evaluate_command();
std::unique_ptr<Command> certify_command();
std::unique_ptr<Command> recalibrate_command();
std::unique_ptr<Command> audit_command();
std::unique_ptr<Command> run_command();
std::unique_ptr<Command> inspect_command();
std::unique_ptr<Command> verify_command();
std::unique_ptr<Command> doctor_command();

/// All of them, in the order of the help.
std::vector<std::unique_ptr<Command>> all_commands();

}  // namespace biglittle
