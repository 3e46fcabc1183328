// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "bundle/bundle.h"
#include "bundle/c_source.h"
#include "bundle/contents.h"
#include "bundle/model_card.h"
#include "bundle/parts.h"
#include "bundle/report_json.h"
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

/// The certificate and the report are of those splits.
void check_measurements(const ExportInput& input) {
  const auto split = [&](SplitName name) -> const SplitRecord& {
    return input.splits[static_cast<std::size_t>(name)];
  };
  const Certificate& certificate = input.policy.certificate;
  const SplitRecord& calibration = split(SplitName::calibration);
  if (certificate.calibration_digest != calibration.digest ||
      certificate.n != calibration.samples) {
    refuse(input, "the policy was calibrated on another calibration split; calibrate again");
  }
  if (certificate.tune_digest != split(SplitName::tune).digest) {
    refuse(input, "the policy's threshold grid is of another tune split; calibrate again");
  }
  if (input.report.n != split(SplitName::test).samples) {
    refuse(input, fmt::format("the report is on {} samples but the test split has {}",
                              input.report.n, split(SplitName::test).samples));
  }
}

void check_labels(const ExportInput& input) {
  const auto classes = static_cast<std::int64_t>(input.big.classes.size());
  for (const std::int64_t label : input.vector_labels) {
    if (label < 0 || label >= classes) {
      refuse(input,
             fmt::format("a test vector has label {}, expected 0 to {}", label, classes - 1));
    }
  }
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
  check_measurements(input);
  check_labels(input);
}

/// Every file but the manifest.
void write_content(const ExportInput& input, const std::filesystem::path& folder) {
  const TestVectors vectors =
      make_vectors(input.little_int8, input.policy, input.vectors, input.vector_labels);
  const DeviceSource device =
      device_source(input.little_int8, input.policy, vectors.samples, vectors.accumulators);
  save_checkpoint(folder / "big/model.safetensors", input.big);
  save_checkpoint(folder / "little/model.safetensors", input.little);
  save_int8_model(folder / "little/model.int8.safetensors", input.little_int8);
  write_vectors(folder / "little/vectors.safetensors", vectors);

  FileSet files = description_files(parts_of(input));
  files.merge(onnx_files(parts_of(input)));
  for (const auto& [name, text] : device.files) files.emplace("device/" + name, text);
  files["policy.json"] = to_text(to_json(input.policy));
  files["report.json"] = to_text(report_json(input, device.footprint));
  files["MODEL_CARD.md"] = model_card(input, device.footprint);
  files["config.resolved.toml"] = input.config_toml;
  for (const auto& [path, text] : files) write_file(folder / path, text);
}

std::string write_manifest(const ExportInput& input, const std::filesystem::path& folder) {
  Manifest manifest;
  manifest.program_version = program_version();
  manifest.name = input.name;
  manifest.measured_on = {input.dataset_digest, input.splits};
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
