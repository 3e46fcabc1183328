// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "cli/config_command.h"
#include "cli/describe_network.h"
#include "cli/measure.h"

namespace biglittle {

std::unique_ptr<Command> train_command() {
  return std::make_unique<StageCommand>(Stage::train, "Train the big network");
}

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
  const Cost cost = count_cost(big.network.graph);
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
