// SPDX-License-Identifier: MIT
#include <exception>
#include <string>

#include "cli/command_line.h"
#include "cli/console.h"
#include "core/error.h"
#include "train/engine.h"

int main(int argc, char** argv) {
  using biglittle::Error;
  using biglittle::ErrorKind;
  try {
    return biglittle::run_command_line(argc, argv);
  } catch (const Error& error) {
    biglittle::print_error(error.what());
    return biglittle::exit_code(error.kind());
  } catch (const biglittle::Interrupted& interrupted) {
    biglittle::print_error(interrupted.what());
    return interrupted.exit_code();
  } catch (const std::exception& error) {
    biglittle::print_error(std::string("internal error: ") + error.what());
    return biglittle::exit_code(ErrorKind::internal);
  }
}
