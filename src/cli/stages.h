// SPDX-License-Identifier: MIT
#pragma once

// The four stages of the pipeline as functions over one project. Each reads its inputs from files
// and leaves its outputs in files, so that a stage alone and a stage of `run` are the same thing.

#include <optional>
#include <string>

#include "cli/config.h"
#include "core/json.h"
#include "core/observer.h"

namespace biglittle {

/// What a stage has to say: a table for people and the same facts for programs.
struct StageResult {
  std::string text;
  Json json;
};

/// One invocation's view of a project. The dataset is read and checked once, on first use.
class Workspace {
 public:
  Workspace(Project project, Observer& observer, Resume resume = Resume::no,
            const Ranks& ranks = {})
      : project_(std::move(project)), observer_(observer), resume_(resume), ranks_(ranks) {}
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  const Project& project() const { return project_; }
  const Config& config() const { return project_.config; }
  Observer& observer() const { return observer_; }
  /// What training does with the state of an interrupted run.
  Resume resume() const { return resume_; }
  /// This process among those that train together.
  const Ranks& ranks() const { return ranks_; }

  /// Throws what read_dataset throws.
  const Dataset& dataset();
  /// Saves a dataset just made to its file and keeps it.
  void keep_dataset(Dataset dataset);

 private:
  Project project_;
  Observer& observer_;
  Resume resume_;
  Ranks ranks_;
  std::optional<Dataset> dataset_;
};

/// What every training run of the project needs; `stage` names its files.
RunContext run_context(const Workspace& workspace, Stage stage);

/// Where fine-tuning of the stage with `context` keeps its own state.
std::filesystem::path fine_tuning_state(const RunContext& context);

/// Raw files -> data file. Throws what import_dataset throws.
StageResult import_stage(Workspace& workspace);

/// Dataset -> big.safetensors.
StageResult train_stage(Workspace& workspace);

/// Dataset and big -> little.safetensors and little-int8.safetensors.
StageResult derive_little_stage(Workspace& workspace);

/// All of them -> the bundle. Throws Error{gate} with the reason when no threshold can be certified
/// and the config does not allow that; nothing is written then.
StageResult export_stage(Workspace& workspace);

/// Removes a training's state, if there is one and this is the rank that writes.
void remove_state(const std::filesystem::path& file, const Ranks& ranks);

/// Throws Error{usage} when `work` was started in several processes, which would all do the same.
void require_one_process(const Workspace& workspace, std::string_view work);

/// Throws Error{missing_input} naming the command that makes `file` where it is missing.
void require_made(const std::filesystem::path& file, std::string_view command);

/// Makes the dataset where it is missing and the config says from what.
void import_where_missing(Workspace& workspace);

/// Does `stage` unconditionally, reports its begin and end to the observer, and stamps its outputs
/// (cli/stamp.h). A train stage whose dataset is missing is preceded by the import that makes it.
/// Of several ranks only the one that writes leaves anything, and the others' result is empty.
StageResult perform(Stage stage, Workspace& workspace);

}  // namespace biglittle
