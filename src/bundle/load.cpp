// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <utility>

#include "bundle/bundle.h"
#include "bundle/contents.h"
#include "bundle/measurements.h"
#include "bundle/report_json.h"
#include "bundle/stored.h"
#include "bundle/vectors.h"
#include "core/error.h"
#include "core/files.h"

namespace biglittle {

Bundle read_parts(const std::filesystem::path& folder, Manifest manifest) {
  const std::filesystem::path policy = folder / "policy.json";
  Bundle bundle;
  bundle.folder = folder;
  bundle.big = load_checkpoint(folder / "big/model.safetensors");
  bundle.little = load_checkpoint(folder / "little/model.safetensors");
  bundle.little_int8 = load_int8_model(folder / "little/model.int8.safetensors");
  bundle.policy = policy_from_json(parse_json(read_text(policy), policy.string()), policy.string());
  bundle.report = read_report(folder / "report.json", manifest);
  bundle.id = manifest.id;
  bundle.name = manifest.name;
  bundle.manifest = std::move(manifest);
  return bundle;
}

void add_answers(Bundle& bundle) {
  const std::filesystem::path file = bundle.folder / "answers.safetensors";
  bundle.answers = read_answers(file, *bundle.little.priority);
  check_counts(bundle.answers, bundle.manifest.measured_on, file.string());
}

void check_policy(const Bundle& bundle) {
  const std::string name = (bundle.folder / "policy.json").string();
  check_policy_binding(parts_of(bundle), name);
  check_certified_data(bundle.policy.certificate, bundle.answers, bundle.manifest.measured_on,
                       name);
}

Parts parts_of(const Bundle& bundle) {
  return {bundle.big, bundle.little, bundle.little_int8, bundle.policy};
}

void compare_files(const std::filesystem::path& folder, const FileSet& expected) {
  for (const auto& [path, text] : expected) {
    if (read_text(folder / path, std::size_t{1} << 34) != text) {
      throw Error(ErrorKind::bad_data,
                  fmt::format("{}: is not what the networks beside it make; export again",
                              (folder / path).string()));
    }
  }
}

Bundle load_bundle(const std::filesystem::path& folder) {
  Manifest manifest = read_manifest(folder);
  check_contents(folder, manifest);
  for (const FileRecord& record : manifest.files) check_file(folder, record);
  Bundle bundle = read_parts(folder, std::move(manifest));
  const Parts parts = parts_of(bundle);
  check_networks(parts, folder.string());
  add_answers(bundle);
  check_policy(bundle);
  compare_files(folder, description_files(parts));
  return bundle;
}

ExportInput export_input_of(const Bundle& bundle) {
  const TestVectors vectors =
      read_vectors(bundle.folder / "little/vectors.safetensors", bundle.little_int8);
  ExportInput input;
  input.name = bundle.name;
  input.big = bundle.big;
  input.little = bundle.little;
  input.little_int8 = bundle.little_int8;
  input.policy = bundle.policy;
  input.answers = bundle.answers;
  input.vectors = vectors.samples;
  input.vector_labels = vectors.labels;
  input.dataset_digest = bundle.manifest.measured_on.dataset_digest;
  input.splits = bundle.manifest.measured_on.splits;
  input.config_toml = read_text(bundle.folder / "config.resolved.toml");
  return input;
}

}  // namespace biglittle
