// SPDX-License-Identifier: MIT
#pragma once

// The deployable folder: both networks in every form, the policy, what both answered, test vectors,
// the reports, and a manifest with the hash of every file. Written to a temporary folder, verified
// there, then renamed.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "bundle/answers.h"
#include "bundle/manifest.h"
#include "calibrate/policy.h"
#include "quant/int8_model.h"
#include "train/checkpoint.h"

namespace biglittle {

struct ExportInput {
  std::filesystem::path folder;  ///< final place, e.g. exports/fashion-mnist
  std::string name;              ///< [a-z0-9-]+
  Checkpoint big;
  Checkpoint little;
  Int8Model little_int8;
  EscalationPolicy policy;
  RecordedAnswers answers;                  ///< on the splits below
  Samples vectors;                          ///< test vectors: the first calibration samples, 1 to
                                            ///< 1024
  std::vector<std::int64_t> vector_labels;  ///< of the vectors, in big classes
  std::string dataset_digest;
  SplitRecords splits;  ///< of the dataset (describe_splits); the certificate must be of tune and
                        ///< calibration, or of tune and the log
  std::string config_toml;
};

/// Writes the bundle and returns its id (bundle_id of the manifest's files). The same input always
/// gives the same bytes. An older bundle at `folder` is replaced. Throws Error{bad_data} when the
/// parts do not belong together (policy digests, priority maps, class and sample counts),
/// Error{gate} when the staged bundle does not verify, Error{cannot_create} when `folder` holds
/// anything but a bundle or cannot be made, and Error{io}. Whatever is thrown, `folder` is as it
/// was before.
std::string write_bundle(const ExportInput& input);

/// A bundle read back: manifest checked, everything parsed.
struct Bundle {
  std::filesystem::path folder;
  std::string id;
  std::string name;
  Manifest manifest;
  Checkpoint big;
  Checkpoint little;
  Int8Model little_int8;
  EscalationPolicy policy;
  RecordedAnswers answers;
  Json report;
};

/// Throws Error{missing_input} or Error{bad_data}, naming file and reason: also for a file that the
/// manifest does not list, a symbolic link, and a policy whose digests are not those of the
/// networks beside it.
Bundle load_bundle(const std::filesystem::path& folder);

/// What a bundle that load_bundle read was written from, but for the folder, which is empty: with
/// another policy (and the log that certified it) a new bundle can be written. Reads the bundle's
/// test vectors and config; throws Error{missing_input} or Error{bad_data}.
ExportInput export_input_of(const Bundle& bundle);

/// One line of verify's table.
struct VerifyItem {
  std::string what;
  enum class Outcome { passed, failed, skipped } outcome = Outcome::passed;
  std::string detail;
};

enum class VerifyEngines { none, found };

/// Re-checks the manifest and every hash, that the networks, policy, answers and descriptions
/// belong together, the certificate from the recorded answers, the vectors through the interpreter,
/// that the ONNX, device and report files are those this program makes of the rest, and (engines =
/// found, when a C compiler is on the PATH) the device code compiled with warnings as errors and
/// run. Only code this program would generate itself is ever run. Does not throw for a damaged
/// bundle: that is a failed item. Throws Error{missing_input} when there is no such folder.
std::vector<VerifyItem> verify_bundle(const std::filesystem::path& folder, VerifyEngines engines);

}  // namespace biglittle
