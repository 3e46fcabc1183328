// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "cli/config_command.h"
#include "cli/console.h"
#include "cli/describe_network.h"
#include "cli/measure.h"
#include "core/files.h"
#include "core/text.h"
#include "core/version.h"
#include "quant/fine_tune.h"
#include "quant/noise.h"
#include "train/fit_checkpoint.h"

namespace biglittle {
namespace {

/// Accuracy of big on tune, over the little network's classes: the yardstick of what little loses.
double big_accuracy_in_little_classes(const Checkpoint& big, const PriorityMap& map,
                                      const Split& tune, const ComputeOptions& compute,
                                      const Engine& engine) {
  const std::vector<std::int64_t> answers =
      predicted_classes(engine.logits(big.network, big.preprocessing, tune.samples, compute),
                        static_cast<std::int64_t>(big.classes.size()));
  return share_equal(relabel(answers, map), relabel(tune.labels, map));
}

std::vector<NetworkRow> compare(double big_accuracy, const Checkpoint& big,
                                const Checkpoint& little, const QuantizeResult& quantized) {
  const Cost big_cost = answer_cost(big);
  const Cost little_cost = answer_cost(little);
  return {
      {"big, float32", big_cost, float_weight_bytes(big_cost), big_accuracy},
      {"little, float32", little_cost, float_weight_bytes(little_cost), quantized.float_accuracy},
      {"little, int8", little_cost, little_cost.int8_weight_bytes, quantized.int8_accuracy}};
}

StageResult describe_result(const Project& project, const std::vector<NetworkRow>& rows,
                            const Checkpoint& little, const QuantizeResult& quantized) {
  const Cost& cost = rows.back().cost;
  const double ratio = static_cast<double>(rows.front().cost.macs) /
                       static_cast<double>(std::max<std::int64_t>(cost.macs, 1));
  std::string text = network_table(rows, "tune");
  text += fmt::format(
      "\nboth judged on {}\nint8 chooses float32's class for {} of tune; noisiest layers: {}\n"
      "{:.0f} times fewer MACs than big; in int8: {} of flash, {} of RAM at the peak\n\n",
      join_or(little.classes), format_percent(quantized.agreement), name_worst(quantized.noise, 3),
      ratio, format_bytes(cost.int8_flash_bytes), format_bytes(cost.int8_peak_ram_bytes));
  text += fmt::format("little network  {}\nin int8         {}\n", project.little_file().string(),
                      project.int8_file().string());
  return {text,
          {{"little", project.little_file().string()},
           {"little_int8", project.int8_file().string()},
           {"little_digest", network_digest(little.network)},
           {"little_int8_digest", int8_digest(quantized.model)},
           {"agreement", quantized.agreement},
           {"quantization", to_json(quantized)},
           {"int8_flash_bytes", cost.int8_flash_bytes},
           {"int8_peak_ram_bytes", cost.int8_peak_ram_bytes},
           {"networks", to_json(rows)}}};
}

/// Lets fine-tuning go on where an interrupted one stopped; the metrics, which began anew with the
/// training before it, get the lines of the epochs that are done.
void attach_fine_tuning(FitRequest& objective, const Checkpoint& little, const RunContext& context,
                        const std::function<void(Json)>& log, Observer& observer) {
  RunContext fine = context;
  fine.state = fine_tuning_state(context);
  attach_state(objective, fine,
               {{"settings", context.config_toml},
                {"program version", std::string(program_version())},
                {"dataset", little.dataset_digest},
                {"little network", network_digest(little.network)}},
               observer);
  objective.on_epoch = [=](const Json& metrics) { log({{"fine_tune", metrics}}); };
  if (!objective.resume) return;
  for (const Json& metrics : objective.resume->history) objective.on_epoch(metrics);
}

/// Post-training, then fine-tuned where the config asks for it; what came out is in the metrics
/// even when the gate refuses it.
QuantizeResult quantize_little(const Checkpoint& little, FitRequest objective, const Config& config,
                               const RunContext& context, Observer& observer,
                               const Engine& engine) {
  QuantizeResult result = quantize(little, *objective.tune, objective.tune_labels, config.quantize,
                                   context.compute, engine);
  const auto log = [&](Json metrics) {
    if (context.ranks.writes()) append_line(context.metrics, metrics.dump());
  };
  log({{"quantized", "post-training"}, {"result", to_json(result)}});
  const FineTuneOptions& fine = config.quantize.fine_tune;
  if (fine.epochs > 0) {
    objective.compute = context.compute;
    objective.ranks = context.ranks;
    objective.seed = context.seed;
    attach_fine_tuning(objective, little, context, log, observer);
    result = fine_tune(little, std::move(result), std::move(objective), fine, engine, observer);
    log({{"quantized", "kept"}, {"result", to_json(result)}});
  }
  check_drop(result, config.quantize.max_drop);
  return result;
}

}  // namespace

std::unique_ptr<Command> derive_little_command() {
  return std::make_unique<StageCommand>(Stage::derive_little,
                                        "Derive the little network from the big one, in int8");
}

StageResult derive_little_stage(Workspace& workspace) {
  const Project& project = workspace.project();
  const Config& config = workspace.config();
  require_made(project.big_file(), "train CONFIG");
  const Checkpoint big = load_checkpoint(project.big_file());
  const Dataset& dataset = workspace.dataset();
  const Engine& engine = load_engine();
  const RunContext context = run_context(workspace, Stage::derive_little);
  if (context.resume == Resume::no) remove_state(fine_tuning_state(context), context.ranks);
  const Checkpoint little =
      derive_little(big, dataset, config.little, context, engine, workspace.observer());
  stop_if_asked(workspace.observer());

  const LittleTask task = little_task(dataset, config.little);
  const Split& tune = dataset.split(SplitName::tune);
  const QuantizeResult quantized =
      quantize_little(little, little_objective(big, dataset, task, config.little), config, context,
                      workspace.observer(), engine);
  if (!context.ranks.writes()) return {};
  save_int8_model(project.int8_file(), quantized.model);
  const double big_accuracy =
      big_accuracy_in_little_classes(big, task.map, tune, context.compute, engine);
  return describe_result(project, compare(big_accuracy, big, little, quantized), little, quantized);
}

}  // namespace biglittle
