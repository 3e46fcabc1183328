// SPDX-License-Identifier: MIT
#include "train/fit_checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sstream>
#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "core/version.h"

namespace biglittle {

namespace {

FitState saved_state(const RunContext& context, const FitIdentity& identity) {
  FitIdentity of;
  FitState state = load_fit_state(context.state, of);
  const std::vector<std::string> changes = differences(of, identity);
  if (context.resume == Resume::exactly && !changes.empty()) {
    throw Error(
        ErrorKind::config,
        fmt::format("{} belongs to another training: {}; undo that, go on all the same with "
                    "--allow-changes, or begin again without --resume",
                    context.state.string(), fmt::join(changes, "; ")));
  }
  return state;
}

/// The lines of the epochs that `history` has, with the times that only the file knows.
void begin_metrics(const std::filesystem::path& file, const Json& history) {
  std::string kept;
  std::error_code ignored;
  if (!history.empty() && std::filesystem::exists(file, ignored)) {
    std::istringstream lines(read_text(file));
    std::string line;
    for (std::size_t i = 0; i < history.size() && std::getline(lines, line); ++i) {
      kept += line + "\n";
    }
  }
  write_file(file, std::string_view(kept));
}

}  // namespace

FitRequest completed(FitRequest request, const Checkpoint& start, const RunContext& context) {
  request.preprocessing = start.preprocessing;
  request.graph = start.network.graph;
  request.compute = context.compute;
  request.ranks = context.ranks;
  request.seed = context.seed;
  return request;
}

void attach_state(FitRequest& request, const RunContext& context, const FitIdentity& identity,
                  Observer& observer) {
  remove_leftovers(context.state);
  std::error_code ignored;
  if (context.resume != Resume::no && std::filesystem::exists(context.state, ignored)) {
    request.resume = saved_state(context, identity);
    request.allow_changes = context.resume == Resume::with_changes;
    observer.note(
        fmt::format("going on after step {} by {}", request.resume->step, context.state.string()));
  }
  if (!context.ranks.writes()) return;
  request.on_state = [file = context.state, identity](const FitState& state) {
    save_fit_state(file, state, identity);
  };
}

Checkpoint fit_checkpoint(Checkpoint start, FitRequest request, const RunContext& context,
                          const Engine& engine, Observer& observer) {
  start.config_toml = context.config_toml;
  start.program_version = program_version();
  request = completed(std::move(request), start, context);
  for (const std::filesystem::path& file : {context.checkpoint, context.metrics}) {
    remove_leftovers(file);
  }
  attach_state(request, context,
               {{"settings", start.config_toml},
                {"program version", start.program_version},
                {"dataset", start.dataset_digest},
                {"big network", start.teacher_digest}},
               observer);
  if (context.ranks.writes()) {
    begin_metrics(context.metrics, request.resume ? request.resume->history : Json::array());
    request.on_epoch = [&](const Json& metrics) { append_line(context.metrics, metrics.dump()); };
    request.on_improved = [&](const TensorMap& weights, const Json& history) {
      start.network.weights = weights;
      start.history = history;
      save_checkpoint(context.checkpoint, start);
    };
  }
  FitResult result = engine.fit(request, observer);
  start.network.weights = std::move(result.weights);
  start.history = std::move(result.history);
  if (context.ranks.writes()) save_checkpoint(context.checkpoint, start);
  return start;
}

}  // namespace biglittle
