// SPDX-License-Identifier: MIT
#pragma once

// The one exception type of the project. A message says what was found, what was expected, where,
// and the remedy, in one line; the kind decides the exit code of the program.

#include <stdexcept>
#include <string>

namespace biglittle {

/// What went wrong, in the classes that a shell script can tell apart (sysexits.h where it fits).
enum class ErrorKind {
  gate,           ///< a quality gate failed or nothing can be certified: exit 1
  usage,          ///< wrong command line: exit 64
  bad_data,       ///< a file has the wrong content: exit 65
  missing_input,  ///< a file or class that was named is not there: exit 66
  internal,       ///< a mistake of this program: exit 70
  cannot_create,  ///< an output cannot be created: exit 73
  io,             ///< a write, read or sync failed: exit 74
  config,         ///< a configuration file or `--set` is wrong: exit 78
};

/// The process exit code that stands for `kind`.
int exit_code(ErrorKind kind);

/// An error the user can act on. `what()` is one line, lower-case start, no full stop.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}

  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

}  // namespace biglittle
