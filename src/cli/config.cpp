// SPDX-License-Identifier: MIT
#include "cli/config.h"

#include <fmt/format.h>

#include "bundle/manifest.h"
#include "core/error.h"
#include "core/files.h"

namespace biglittle {
namespace {

void describe_until(Config& config, Stage last, OptionVisitor& visitor) {
  if (last == Stage::import) {
    // A dataset depends on nothing but its source, so that several configs can share one.
    visitor.begin_section("data", "The dataset");
    visitor.section("import", config.data.import, "How the dataset is made from raw files");
    visitor.end_section();
    return;
  }
  visitor.field("name", config.name, "Names the run and the bundle: a-z, 0-9 and -");
  visitor.field("seed", config.seed, IntRange{0, std::numeric_limits<std::int64_t>::max()},
                "Of weights, batches and augmentation");
  visitor.field("runs", config.runs, "Folder of checkpoints and metrics; default runs/<name>");
  visitor.section("compute", config.compute, "Where and how numbers are computed");
  visitor.section("data", config.data, "The dataset");
  visitor.section("big", config.big, "The big network");
  if (last == Stage::train) return;
  visitor.section("little", config.little, "The little network");
  visitor.section("quantize", config.quantize, "The little network in int8");
  if (last == Stage::derive_little) return;
  visitor.section("calibrate", config.calibrate, "The escalation threshold and its certificate");
  visitor.section("export", config.bundle, "The bundle");
}

void check_name(const Config& config, const std::filesystem::path& file) {
  if (is_bundle_name(config.name)) return;
  throw Error(ErrorKind::config,
              fmt::format("{}: name is '{}', expected 1 to 64 of a-z, 0-9 and -; state it as "
                          "name = \"my-run\"",
                          file.string(), config.name));
}

}  // namespace

std::string_view name_of(Stage stage) {
  constexpr std::array<std::string_view, 4> kNames = {"import", "train", "derive-little", "export"};
  return kNames.at(static_cast<std::size_t>(stage));
}

void describe(DataOptions& options, OptionVisitor& visitor) {
  visitor.field("file", options.file, "The checked dataset; default data/<name>.h5");
  visitor.section("import", options.import, "How the dataset is made from raw files");
}

void describe(ExportOptions& options, OptionVisitor& visitor) {
  visitor.field("folder", options.folder, "Where the bundle is written; default exports/<name>");
  visitor.field("vectors", options.vectors, IntRange{1, 64},
                "Calibration samples shipped as test vectors");
}

void describe(Config& config, OptionVisitor& visitor) {
  describe_until(config, Stage::export_bundle, visitor);
}

std::filesystem::path Project::resolve(const std::filesystem::path& stated) const {
  return stated.empty() ? stated : (base / stated).lexically_normal();
}

Project load_project(const std::filesystem::path& file,
                     const std::vector<std::string>& assignments) {
  Project project;
  project.base = file.parent_path();
  Config& config = project.config;
  config.name = file.stem().string();
  const DescribeOptions all = [&config](OptionVisitor& visitor) { describe(config, visitor); };
  // No base: paths stay as stated, and Project::resolve finds them.
  read_toml_text(read_text(file), file.string(), {}, all);
  for (const std::string& assignment : assignments) apply_assignment(assignment, all);
  check_name(config, file);
  if (config.data.file.empty()) config.data.file = "data/" + config.name + ".h5";
  if (config.runs.empty()) config.runs = "runs/" + config.name;
  if (config.bundle.folder.empty()) config.bundle.folder = "exports/" + config.name;
  return project;
}

std::string resolved_toml(const Project& project, TomlComments comments) {
  Config config = project.config;
  return write_toml([&config](OptionVisitor& visitor) { describe(config, visitor); }, comments);
}

std::string resolved_toml(const Project& project, Stage stage) {
  Config config = project.config;
  return write_toml(
      [&config, stage](OptionVisitor& visitor) { describe_until(config, stage, visitor); });
}

}  // namespace biglittle
