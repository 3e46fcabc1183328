// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <charconv>

#include "cli/config_command.h"
#include "cli/describe_network.h"
#include "cli/measure.h"
#include "cli/profile_text.h"
#include "core/error.h"

namespace biglittle {
namespace {

constexpr std::int64_t kMostProfiledSteps = 100'000;

std::int64_t steps_of(const std::string& typed) {
  std::int64_t steps = 0;
  const char* const end = typed.data() + typed.size();
  const auto [read, failure] = std::from_chars(typed.data(), end, steps);
  if (failure == std::errc() && read == end && steps >= 1 && steps <= kMostProfiledSteps) {
    return steps;
  }
  throw Error(ErrorKind::usage, fmt::format("--profile is '{}', expected steps from 1 to {}", typed,
                                            kMostProfiledSteps));
}

StageResult profile_training(Workspace& workspace, std::int64_t steps) {
  require_one_process(workspace, "--profile");
  import_where_missing(workspace);
  const TrainingProfile profile =
      profile_big(workspace.dataset(), workspace.config().big, run_context(workspace, Stage::train),
                  load_engine(), steps);
  return {profile_text(profile), to_json(profile)};
}

class TrainCommand final : public StageCommand {
 public:
  TrainCommand() : StageCommand(Stage::train, "Train the big network") {}

  void declare(Arguments& arguments) override {
    StageCommand::declare(arguments);
    arguments.option("--profile", "N", profile_,
                     "Train nothing: time N steps and print where their time goes");
  }

  int run() override {
    if (!profile_.empty()) profiled_steps_ = steps_of(profile_.back());
    return StageCommand::run();
  }

 protected:
  StageResult execute(Workspace& workspace) override {
    if (profiled_steps_ == 0) return StageCommand::execute(workspace);
    return profile_training(workspace, profiled_steps_);
  }

 private:
  std::vector<std::string> profile_;
  std::int64_t profiled_steps_ = 0;  // 0: train
};

}  // namespace

std::unique_ptr<Command> train_command() { return std::make_unique<TrainCommand>(); }

StageResult train_stage(Workspace& workspace) {
  const Dataset& dataset = workspace.dataset();
  const Engine& engine = load_engine();
  const RunContext context = run_context(workspace, Stage::train);
  const Checkpoint big =
      train_big(dataset, workspace.config().big, context, engine, workspace.observer());
  if (!context.ranks.writes()) return {};

  const Split& tune = dataset.split(SplitName::tune);
  const std::vector<std::int64_t> answers = predicted_classes(
      engine.logits(big.network, big.preprocessing, tune.samples, context.compute),
      static_cast<std::int64_t>(big.classes.size()));
  const Cost cost = answer_cost(big);
  const std::vector<NetworkRow> rows = {
      {"big", cost, float_weight_bytes(cost), share_equal(answers, tune.labels)}};
  return {network_table(rows, "tune") + fmt::format("\nbig network  {}\nmetrics      {}\n",
                                                    context.checkpoint.string(),
                                                    context.metrics.string()),
          {{"checkpoint", context.checkpoint.string()},
           {"metrics", context.metrics.string()},
           {"digest", network_digest(big.network)},
           {"networks", to_json(rows)}}};
}

}  // namespace biglittle
