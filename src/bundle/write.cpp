// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "bundle/bundle.h"
#include "bundle/c_source.h"
#include "bundle/contents.h"
#include "bundle/measurements.h"
#include "bundle/parts.h"
#include "bundle/report.h"
#include "bundle/vectors.h"
#include "core/error.h"
#include "core/files.h"
#include "core/version.h"

namespace biglittle {
namespace {

[[noreturn]] void refuse(const ExportInput& input, std::string_view reason) {
  throw Error(ErrorKind::bad_data, fmt::format("bundle {}: {}", input.name, reason));
}

Parts parts_of(const ExportInput& input) {
  return {input.big, input.little, input.little_int8, input.policy};
}

/// The dataset and its splits are stated.
void check_digests(const ExportInput& input) {
  if (!is_digest(input.dataset_digest)) refuse(input, "the dataset has no digest");
  for (std::size_t i = 0; i < input.splits.size(); ++i) {
    if (!is_digest(input.splits[i].digest)) {
      refuse(input, fmt::format("the {} split has no digest", kSplitNames[i]));
    }
  }
  for (const Checkpoint* checkpoint : {&input.big, &input.little}) {
    if (checkpoint->dataset_digest != input.dataset_digest) {
      refuse(input, "a network was trained on another dataset; train it again");
    }
  }
}

MeasuredOn measured_on(const ExportInput& input) { return {input.dataset_digest, input.splits}; }

/// The answers are of those splits, and the certificate is of them.
void check_measurements(const ExportInput& input, std::string_view name) {
  require_consistent(input.answers, *input.little.priority, name);
  check_counts(input.answers, measured_on(input), name);
  check_certified_data(input.policy.certificate, input.answers, measured_on(input), name);
}

void check_input(const ExportInput& input) {
  if (!is_bundle_name(input.name)) {
    throw Error(ErrorKind::config,
                fmt::format("bundle name '{}' is not made of lower-case letters, digits and '-' "
                            "(at most 64)",
                            input.name));
  }
  const std::string name = "bundle " + input.name;
  check_networks(parts_of(input), name);
  check_policy_binding(parts_of(input), name);
  check_digests(input);
  check_measurements(input, name);
}

/// Every file but the manifest.
void write_content(const ExportInput& input, const std::filesystem::path& folder) {
  const TestVectors vectors =
      make_vectors(input.little_int8, input.policy, input.vectors, input.vector_labels);
  check_first_answers(vectors, input.answers, "bundle " + input.name);
  const DeviceSource device =
      device_source(input.little_int8, input.policy, vectors.samples, vectors.accumulators);
  save_checkpoint(folder / "big/model.safetensors", input.big);
  save_checkpoint(folder / "little/model.safetensors", input.little);
  save_int8_model(folder / "little/model.int8.safetensors", input.little_int8);
  write_vectors(folder / "little/vectors.safetensors", vectors);
  write_answers(folder / "answers.safetensors", input.answers);

  FileSet files = description_files(parts_of(input));
  files.merge(onnx_files(parts_of(input)));
  files.merge(report_files(
      {input.name, parts_of(input), input.answers, measured_on(input), device.footprint}));
  for (const auto& [name, text] : device.files) files.emplace("device/" + name, text);
  files["policy.json"] = to_text(to_json(input.policy));
  files["config.resolved.toml"] = input.config_toml;
  for (const auto& [path, text] : files) write_file(folder / path, text);
}

std::string write_manifest(const ExportInput& input, const std::filesystem::path& folder) {
  Manifest manifest;
  manifest.program_version = program_version();
  manifest.name = input.name;
  manifest.measured_on = measured_on(input);
  manifest.files = hash_files(folder);
  manifest.id = bundle_id(manifest.files);
  write_file(folder / kManifestName, to_text(to_json(manifest)));
  return manifest.id;
}

/// `text` without the staging folder in front of file names: it is gone when the message is read.
std::string without_folder(std::string text, const std::filesystem::path& folder) {
  const std::string prefix = folder.string() + "/";
  for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at)) {
    text.erase(at, prefix.size());
  }
  return text;
}

void verify_staged(const ExportInput& input, const std::filesystem::path& folder) {
  for (const VerifyItem& item : verify_bundle(folder, VerifyEngines::found)) {
    if (item.outcome != VerifyItem::Outcome::failed) continue;
    throw Error(ErrorKind::gate,
                fmt::format("bundle {}: does not verify, so it was not written: {}: {}", input.name,
                            item.what, without_folder(item.detail, folder)));
  }
}

}  // namespace

std::string write_bundle(const ExportInput& input) {
  check_input(input);
  check_replaceable(input.folder);
  StagedFolder staging(input.folder);
  write_content(input, staging.path());
  std::string id = write_manifest(input, staging.path());
  verify_staged(input, staging.path());
  staging.commit();
  return id;
}

}  // namespace biglittle
