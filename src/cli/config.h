// SPDX-License-Identifier: MIT
#pragma once

// The options of a whole pipeline, as one TOML file states them, and where its files are. Paths are
// kept as they were stated, relative to the config file, so that what is saved inside artifacts
// does not depend on the machine.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "calibrate/policy.h"
#include "data/import.h"
#include "derive/derive.h"
#include "quant/quantize.h"

namespace biglittle {

/// The steps of the pipeline, in order.
enum class Stage { import, train, derive_little, export_bundle };
inline constexpr std::array<Stage, 4> kStages = {Stage::import, Stage::train, Stage::derive_little,
                                                 Stage::export_bundle};

/// The command that does it, e.g. "derive-little".
std::string_view name_of(Stage stage);

struct DataOptions {
  std::filesystem::path file;  ///< the checked dataset; default data/<name>.h5
  ImportOptions import;        ///< how `file` is made; its source may be empty when `file` exists
};
void describe(DataOptions& options, OptionVisitor& visitor);

struct ExportOptions {
  std::filesystem::path folder;  ///< default exports/<name>
  std::int64_t vectors = 8;      ///< calibration samples shipped as test vectors
};
void describe(ExportOptions& options, OptionVisitor& visitor);

struct Config {
  std::string name;            ///< [a-z0-9-]+; default: the config file's name without .toml
  std::int64_t seed = 1;       ///< of weights, batches and augmentation
  std::filesystem::path runs;  ///< checkpoints and metrics; default runs/<name>
  ComputeOptions compute;
  DataOptions data;
  BigOptions big;
  LittleOptions little;
  QuantizeOptions quantize;
  CalibrateOptions calibrate;
  ExportOptions bundle;
};
void describe(Config& config, OptionVisitor& visitor);

/// A config with the folder that its paths start from.
struct Project {
  Config config;
  std::filesystem::path base;  ///< the config file's folder

  std::filesystem::path dataset_file() const { return resolve(config.data.file); }
  std::filesystem::path import_source() const { return resolve(config.data.import.source); }
  std::filesystem::path runs_folder() const { return resolve(config.runs); }
  std::filesystem::path big_file() const { return runs_folder() / "big.safetensors"; }
  std::filesystem::path little_file() const { return runs_folder() / "little.safetensors"; }
  std::filesystem::path int8_file() const { return runs_folder() / "little-int8.safetensors"; }
  std::filesystem::path bundle_folder() const { return resolve(config.bundle.folder); }

  /// An empty path stays empty.
  std::filesystem::path resolve(const std::filesystem::path& stated) const;
};

/// Reads `file`, then applies `--set` assignments (their paths are relative to the config file,
/// too) and fills the defaults that depend on the name. Throws what read_toml and apply_assignment
/// throw, and Error{config} for a name that cannot name a bundle.
Project load_project(const std::filesystem::path& file,
                     const std::vector<std::string>& assignments);

/// Every option as TOML; with help, each is explained.
std::string resolved_toml(const Project& project, TomlComments comments = TomlComments::none);

/// The options that the result of `stage` depends on: its own and those of the stages before it.
/// This is what its artifacts carry, so that they do not change with options that came later.
std::string resolved_toml(const Project& project, Stage stage);

}  // namespace biglittle
