// SPDX-License-Identifier: MIT
#pragma once

// From argv to one command that has run.

namespace biglittle {

/// Parses the command line, runs the command it names and returns the exit code. Help and version
/// go to standard output. Throws Error{usage} with the closest known word, and what the command
/// throws.
int run_command_line(int argc, const char* const* argv);

}  // namespace biglittle
