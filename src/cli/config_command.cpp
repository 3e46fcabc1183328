// SPDX-License-Identifier: MIT
#include "cli/config_command.h"

#include "cli/console.h"

namespace biglittle {

void ConfigCommand::declare(Arguments& arguments) {
  arguments.required("CONFIG", config_, "TOML file of the pipeline");
  arguments.option(
      "--set", "A.B=C", assignments_,
      "Set one option, over the file; may be repeated. Paths are relative to the file");
  arguments.flag("--print-config", print_config_, "Print every option with its help, and exit");
  arguments.flag("--quiet", quiet_, "No progress on standard error");
  arguments.flag("--json", json_, "Print the result as JSON");
}

int ConfigCommand::run() {
  Project project = load_project(config_, assignments_);
  if (print_config_) {
    print(resolved_toml(project, TomlComments::help));
    return 0;
  }
  watch_signals();
  const std::unique_ptr<Observer> observer =
      make_observer(quiet_ ? Verbosity::quiet : Verbosity::normal);
  Workspace workspace(std::move(project), *observer);
  const StageResult result = execute(workspace);
  print(json_ ? to_text(result.json) : result.text);
  return 0;
}

}  // namespace biglittle
