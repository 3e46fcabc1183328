// SPDX-License-Identifier: MIT
#include "cli/stages.h"

#include <fmt/format.h>

#include <chrono>

#include "cli/console.h"
#include "cli/stamp.h"
#include "core/error.h"
#include "core/files.h"

namespace biglittle {
namespace {

std::string detail_of(Stage stage, const Project& project) {
  switch (stage) {
    case Stage::import:
      return fmt::format("{} -> {}", project.import_source().string(),
                         project.dataset_file().string());
    case Stage::train:
      return fmt::format("{} on {} -> {}", name_of(project.config.big.network.arch),
                         project.dataset_file().string(), project.big_file().string());
    case Stage::derive_little:
      return fmt::format("{} by {} -> {}", name_of(project.config.little.network.arch),
                         name_of(project.config.little.method), project.int8_file().string());
    case Stage::export_bundle:
      return fmt::format("calibrate and write {}", project.bundle_folder().string());
  }
  return "";
}

StageResult dispatch(Stage stage, Workspace& workspace) {
  switch (stage) {
    case Stage::import:
      return import_stage(workspace);
    case Stage::train:
      return train_stage(workspace);
    case Stage::derive_little:
      return derive_little_stage(workspace);
    case Stage::export_bundle:
      return export_stage(workspace);
  }
  throw Error(ErrorKind::internal, "unknown stage");
}

bool dataset_can_be_imported(const Project& project) {
  std::error_code ignored;
  return !std::filesystem::exists(project.dataset_file(), ignored) &&
         !project.config.data.import.source.empty();
}

}  // namespace

void import_where_missing(Workspace& workspace) {
  if (dataset_can_be_imported(workspace.project())) perform(Stage::import, workspace);
}

const Dataset& Workspace::dataset() {
  if (!dataset_) dataset_ = read_dataset(project_.dataset_file());
  return *dataset_;
}

void Workspace::keep_dataset(Dataset dataset) {
  write_dataset(project_.dataset_file(), dataset);
  dataset_ = std::move(dataset);
}

RunContext run_context(const Workspace& workspace, Stage stage) {
  const Project& project = workspace.project();
  const bool is_big = stage == Stage::train;
  RunContext context;
  context.compute = project.config.compute;
  context.ranks = workspace.ranks();
  context.seed = project.config.seed;
  context.config_toml = resolved_toml(project, stage);
  context.checkpoint = is_big ? project.big_file() : project.little_file();
  context.metrics = project.runs_folder() / (is_big ? "metrics.jsonl" : "little-metrics.jsonl");
  context.state =
      project.runs_folder() / (is_big ? "big-state.safetensors" : "little-state.safetensors");
  context.resume = workspace.resume();
  return context;
}

std::filesystem::path fine_tuning_state(const RunContext& context) {
  return context.state.parent_path() / "little-int8-state.safetensors";
}

void require_made(const std::filesystem::path& file, std::string_view command) {
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) return;
  throw Error(ErrorKind::missing_input,
              fmt::format("{}: is not there; make it with 'biglittle {}'", file.string(), command));
}

void remove_state(const std::filesystem::path& file, const Ranks& ranks) {
  std::error_code ignored;  // one that stays is refused or gone on with, as its identity says
  if (ranks.writes()) std::filesystem::remove(file, ignored);
}

void require_one_process(const Workspace& workspace, std::string_view work) {
  const Ranks& ranks = workspace.ranks();
  if (ranks.size == 1) return;
  throw Error(
      ErrorKind::usage,
      fmt::format("{} is the work of one process, and this is rank {} of {}: only train and "
                  "derive-little take several; set RANK=0 WORLD_SIZE=1",
                  work, ranks.rank, ranks.size));
}

StageResult perform(Stage stage, Workspace& workspace) {
  const Project& project = workspace.project();
  const bool learns = stage == Stage::train || stage == Stage::derive_little;
  if (!learns) require_one_process(workspace, name_of(stage));
  if (stage == Stage::train) import_where_missing(workspace);
  workspace.observer().begin_stage(name_of(stage), detail_of(stage, project));
  const auto start = std::chrono::steady_clock::now();
  StageResult result = dispatch(stage, workspace);
  if (!workspace.ranks().writes()) return result;
  if (stage != Stage::import) {
    write_file(project.runs_folder() / "config.resolved.toml",
               std::string_view(resolved_toml(project, stage)));
  }
  write_stamp(stage, project, result);
  if (learns) {
    const RunContext context = run_context(workspace, stage);
    remove_state(context.state, context.ranks);
    remove_state(fine_tuning_state(context), context.ranks);
  }
  workspace.observer().end_stage(
      name_of(stage),
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return result;
}

}  // namespace biglittle
