// SPDX-License-Identifier: MIT
#include "cli/stamp.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/version.h"

namespace biglittle {
namespace {

namespace fs = std::filesystem;

using Files = std::map<std::string, fs::path>;

Files inputs_of(Stage stage, const Project& project) {
  if (stage == Stage::import) return {{"source", project.import_source()}};
  Files files = {{"dataset", project.dataset_file()}};
  if (stage == Stage::train) return files;
  files["big"] = project.big_file();
  if (stage == Stage::derive_little) return files;
  files["little"] = project.little_file();
  files["little-int8"] = project.int8_file();
  return files;
}

Files outputs_of(Stage stage, const Project& project) {
  switch (stage) {
    case Stage::import:
      return {{"dataset", project.dataset_file()}};
    case Stage::train:
      return {{"big", project.big_file()}};
    case Stage::derive_little:
      return {{"little", project.little_file()}, {"little-int8", project.int8_file()}};
    case Stage::export_bundle:
      return {{"bundle", project.bundle_folder()}};
  }
  return {};
}

fs::path stamp_file(Stage stage, const Project& project) {
  if (stage != Stage::import) {
    return project.runs_folder() / (std::string(name_of(stage)) + ".stamp.json");
  }
  // Beside the dataset, which several configs may share.
  fs::path file = project.dataset_file();
  file += ".stamp.json";
  return file;
}

/// SHA-256 of a file, or over the names and contents of all files of a folder; empty when there is
/// nothing.
std::string fingerprint(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_regular_file(path, ignored)) return sha256_file(path);
  if (!fs::is_directory(path, ignored)) return "";
  std::map<std::string, fs::path> files;  // sorted: folders list in any order
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) {
      files[entry.path().lexically_relative(path).generic_string()] = entry.path();
    }
  }
  Sha256 hash;
  for (const auto& [name, file] : files) hash.update(name + '\n' + sha256_file(file) + '\n');
  return hash.finish();
}

Json fingerprints(const Files& files) {
  Json json = Json::object();
  for (const auto& [role, path] : files) json[role] = fingerprint(path);
  return json;
}

/// What the stamp must say for outputs made now, from what lies there now.
Json current_state(Stage stage, const Project& project) {
  Json json;
  json["stage"] = name_of(stage);
  json["program"] = program_version();
  json["settings"] = resolved_toml(project, stage);
  json["inputs"] = fingerprints(inputs_of(stage, project));
  json["outputs"] = fingerprints(outputs_of(stage, project));
  return json;
}

}  // namespace

std::optional<StageResult> up_to_date_result(Stage stage, const Project& project) {
  const fs::path file = stamp_file(stage, project);
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return std::nullopt;
  try {
    Json stamp = parse_json(read_text(file), file.string());
    StageResult result{stamp.at("text").get<std::string>(), stamp.at("result")};
    stamp.erase("text");
    stamp.erase("result");
    if (stamp != current_state(stage, project)) return std::nullopt;
    return result;
  } catch (const Json::exception&) {
    return std::nullopt;  // a stamp that cannot be read proves nothing: the work is done again
  } catch (const Error&) {
    return std::nullopt;
  }
}

void write_stamp(Stage stage, const Project& project, const StageResult& result) {
  Json stamp = current_state(stage, project);
  stamp["text"] = result.text;
  stamp["result"] = result.json;
  write_file(stamp_file(stage, project), std::string_view(to_text(stamp)));
}

}  // namespace biglittle
