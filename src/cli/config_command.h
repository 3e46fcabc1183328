// SPDX-License-Identifier: MIT
#pragma once

// What the commands that take a config have in common: `--set`, `--print-config`, `--quiet`,
// `--json`.

#include "cli/command.h"
#include "cli/stages.h"

namespace biglittle {

class ConfigCommand : public Command {
 public:
  void declare(Arguments& arguments) override;
  int run() override;

 protected:
  /// For commands that train: `--resume` and `--allow-changes`.
  void declare_resume(Arguments& arguments);

  /// The work itself; its result is printed.
  virtual StageResult execute(Workspace& workspace) = 0;

 private:
  std::filesystem::path config_;
  std::vector<std::string> assignments_;
  bool print_config_ = false;
  bool quiet_ = false;
  bool json_ = false;
  bool resume_ = false;
  bool allow_changes_ = false;
};

/// A command that is one stage of the pipeline.
class StageCommand : public ConfigCommand {
 public:
  StageCommand(Stage stage, std::string_view summary) : stage_(stage), summary_(summary) {}

  std::string_view name() const override { return name_of(stage_); }
  std::string_view summary() const override { return summary_; }
  void declare(Arguments& arguments) override;

 protected:
  StageResult execute(Workspace& workspace) override { return perform(stage_, workspace); }

 private:
  Stage stage_;
  std::string_view summary_;
};

}  // namespace biglittle
