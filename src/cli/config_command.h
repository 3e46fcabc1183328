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
  /// For commands that train: `--resume`, `--allow-changes` and `--budget-minutes`. The budget is
  /// divided among `trained` by the given shares.
  struct Share {
    std::string_view section;  ///< e.g. "big.train"
    double of_budget = 1.0;
  };
  void declare_training(Arguments& arguments, std::vector<Share> trained);

  /// The work itself; its result is printed.
  virtual StageResult execute(Workspace& workspace) = 0;

 private:
  /// `--set` assignments with those that the budget stands for.
  std::vector<std::string> assignments() const;

  std::filesystem::path config_;
  std::vector<std::string> assignments_;
  bool print_config_ = false;
  bool quiet_ = false;
  bool json_ = false;
  bool resume_ = false;
  bool allow_changes_ = false;
  std::vector<Share> trained_;
  std::vector<std::string> budget_minutes_;
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
