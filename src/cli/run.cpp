// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "cli/config_command.h"
#include "cli/console.h"
#include "cli/stamp.h"
#include "core/error.h"

namespace biglittle {
namespace {

enum class Redo { when_changed, always };

/// Finds in seconds what would otherwise fail after minutes of training: sections that do not fit
/// the data or each other.
void check_before_work(Workspace& workspace) {
  const Config& config = workspace.config();
  const Dataset& dataset = workspace.dataset();
  const PriorityMap map = resolve_priorities(config.little.priority, dataset.classes);
  build_network(config.big.network, dataset.input_shape,
                static_cast<std::int64_t>(dataset.classes.size()));
  build_network(config.little.network, dataset.input_shape, map.classes());
  check_options(config.calibrate, map, dataset.classes);
}

/// A dataset that the user brings needs no import.
bool brings_dataset(const Project& project) {
  if (!project.config.data.import.source.empty()) return false;
  std::error_code ignored;
  if (std::filesystem::exists(project.dataset_file(), ignored)) return true;
  throw Error(
      ErrorKind::missing_input,
      fmt::format("{} is not there, and data.import.source, from which it could be made, is "
                  "not set",
                  project.dataset_file().string()));
}

class RunCommand : public ConfigCommand {
 public:
  std::string_view name() const override { return "run"; }
  std::string_view summary() const override {
    return "Do the whole pipeline, skipping stages whose inputs and settings did not change";
  }

  void declare(Arguments& arguments) override {
    ConfigCommand::declare(arguments);
    arguments.flag("--force", force_, "Redo every stage");
    // Big is the one that takes long; little learns from it in fewer and cheaper steps.
    declare_training(arguments, {{"big.train", 2.0 / 3.0}, {"little.train", 1.0 / 3.0}});
  }

 protected:
  StageResult execute(Workspace& workspace) override {
    require_one_process(workspace, name());
    const Redo redo = force_ ? Redo::always : Redo::when_changed;
    Json stages = Json::object();
    StageResult result;
    bool checked = false;
    for (const Stage stage : kStages) {
      if (stage == Stage::import && brings_dataset(workspace.project())) continue;
      const std::optional<StageResult> known =
          redo == Redo::always ? std::nullopt : up_to_date_result(stage, workspace.project());
      stages[std::string(name_of(stage))] = known ? "up to date" : "done";
      if (known) {
        workspace.observer().note(
            fmt::format("{}: up to date, skipped (--force redoes it)", name_of(stage)));
        result = *known;
        continue;
      }
      if (stage != Stage::import && !std::exchange(checked, true)) check_before_work(workspace);
      result = perform(stage, workspace);
      stop_if_asked(workspace.observer());
    }
    return {result.text, {{"stages", stages}, {"result", result.json}}};
  }

 private:
  bool force_ = false;
};

}  // namespace

std::unique_ptr<Command> run_command() { return std::make_unique<RunCommand>(); }

}  // namespace biglittle
