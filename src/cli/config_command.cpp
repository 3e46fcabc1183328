// SPDX-License-Identifier: MIT
#include "cli/config_command.h"

#include <fmt/format.h>

#include <charconv>

#include "cli/console.h"
#include "core/error.h"

namespace biglittle {
namespace {

constexpr double kMostMinutes = 1e6;  // as budget_minutes has them

double minutes_of(const std::string& typed) {
  double minutes = 0.0;
  const char* const end = typed.data() + typed.size();
  const auto [read, failure] = std::from_chars(typed.data(), end, minutes);
  if (failure == std::errc() && read == end && minutes > 0.0 && minutes <= kMostMinutes) {
    return minutes;
  }
  throw Error(ErrorKind::usage,
              fmt::format("--budget-minutes is '{}', expected minutes above 0 and at most {:.0f}",
                          typed, kMostMinutes));
}

}  // namespace

void ConfigCommand::declare(Arguments& arguments) {
  arguments.required("CONFIG", config_, "TOML file of the pipeline");
  arguments.option(
      "--set", "A.B=C", assignments_,
      "Set one option, over the file; may be repeated. Paths are relative to the file");
  arguments.flag("--print-config", print_config_, "Print every option with its help, and exit");
  arguments.flag("--quiet", quiet_, "No progress on standard error");
  arguments.flag("--json", json_, "Print the result as JSON");
}

void ConfigCommand::declare_training(Arguments& arguments, std::vector<Share> trained) {
  trained_ = std::move(trained);
  arguments.flag("--resume", resume_,
                 "Go on where an interrupted training stopped; from the beginning where none did");
  arguments.flag("--allow-changes", allow_changes_,
                 "Resume although settings, program or data changed; the result is then neither "
                 "run's");
  arguments.option("--budget-minutes", "M", budget_minutes_,
                   trained_.size() > 1
                       ? "Choose the epochs so that training ends in time: two thirds for big"
                       : "Choose the epochs so that training ends in time");
}

std::vector<std::string> ConfigCommand::assignments() const {
  std::vector<std::string> all = assignments_;
  if (budget_minutes_.empty()) return all;
  const double minutes = minutes_of(budget_minutes_.back());
  for (const Share& share : trained_) {
    all.push_back(fmt::format("{}.budget_minutes={}", share.section, minutes * share.of_budget));
  }
  return all;
}

int ConfigCommand::run() {
  if (allow_changes_ && !resume_) {
    throw Error(ErrorKind::usage, "--allow-changes says how to resume: add --resume");
  }
  Project project = load_project(config_, assignments());
  if (print_config_) {
    print(resolved_toml(project, TomlComments::help));
    return 0;
  }
  const Ranks ranks = ranks_of_process();
  watch_signals();
  const std::unique_ptr<Observer> observer =
      make_observer(quiet_ || !ranks.writes() ? Verbosity::quiet : Verbosity::normal);
  const Resume resume = allow_changes_ ? Resume::with_changes
                        : resume_      ? Resume::exactly
                                       : Resume::no;
  Workspace workspace(std::move(project), *observer, resume, ranks);
  const StageResult result = execute(workspace);
  if (ranks.writes()) print(json_ ? to_text(result.json) : result.text);
  return 0;
}

void StageCommand::declare(Arguments& arguments) {
  ConfigCommand::declare(arguments);
  if (stage_ == Stage::train) declare_training(arguments, {{"big.train"}});
  if (stage_ == Stage::derive_little) declare_training(arguments, {{"little.train"}});
}

}  // namespace biglittle
