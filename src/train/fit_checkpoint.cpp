// SPDX-License-Identifier: MIT
#include "train/fit_checkpoint.h"

#include <utility>

#include "core/files.h"
#include "core/version.h"

namespace biglittle {

Checkpoint fit_checkpoint(Checkpoint start, FitRequest request, const RunContext& context,
                          const Engine& engine, Observer& observer) {
  start.config_toml = context.config_toml;
  start.program_version = program_version();
  request.preprocessing = start.preprocessing;
  request.graph = start.network.graph;
  request.compute = context.compute;
  request.seed = context.seed;
  write_file(context.metrics, std::string_view());
  request.on_epoch = [&](const Json& metrics) { append_line(context.metrics, metrics.dump()); };
  request.on_improved = [&](const TensorMap& weights, const Json& history) {
    start.network.weights = weights;
    start.history = history;
    save_checkpoint(context.checkpoint, start);
  };
  FitResult result = engine.fit(request, observer);
  start.network.weights = std::move(result.weights);
  start.history = std::move(result.history);
  save_checkpoint(context.checkpoint, start);
  return start;
}

}  // namespace biglittle
