// SPDX-License-Identifier: MIT
#pragma once

// The deployable folder: both networks in every form, the policy, test vectors, a manifest with the
// hash of every file, and the reports. Written to a temporary folder, verified there, then renamed.

#include <filesystem>
#include <string>
#include <vector>

#include "calibrate/evaluate.h"
#include "calibrate/policy.h"
#include "quant/int8_model.h"
#include "train/checkpoint.h"

namespace biglittle {

inline constexpr int kBundleVersion = 1;

struct ExportInput {
  std::filesystem::path folder;  ///< final place, e.g. exports/fashion-mnist
  std::string name;              ///< [a-z0-9-]+
  Checkpoint big;
  Checkpoint little;
  Int8Model little_int8;
  EscalationPolicy policy;
  Samples vectors;               ///< test vectors: a few calibration samples
  std::vector<std::int64_t> vector_labels;
  std::string dataset_digest;
  std::string config_toml;
  SystemReport report;           ///< on the test split
};

/// Writes the bundle and returns its id (SHA-256 over the manifest's file hashes). Throws
/// Error{bad_data} when the parts do not belong together (policy digests, priority maps, class
/// counts), Error{gate} when the staged bundle does not verify, Error{cannot_create}/Error{io}.
std::string write_bundle(const ExportInput& input);

/// A bundle read back: manifest checked, everything parsed.
struct Bundle {
  std::filesystem::path folder;
  std::string id;
  std::string name;
  Checkpoint big;
  Checkpoint little;
  Int8Model little_int8;
  EscalationPolicy policy;
  Json report;
};

/// Throws Error{missing_input} or Error{bad_data}, naming file and reason; the policy is refused when
/// its digests are not those of the networks beside it.
Bundle load_bundle(const std::filesystem::path& folder);

/// One line of verify's table.
struct VerifyItem {
  std::string what;
  enum class Outcome { passed, failed, skipped } outcome = Outcome::passed;
  std::string detail;
};

enum class VerifyEngines { none, found };

/// Re-checks hashes, vectors through the interpreter, and (engines = found, when a C compiler is on
/// the PATH) the device code compiled with warnings as errors and run. Does not throw for a damaged
/// bundle: that is a failed item.
std::vector<VerifyItem> verify_bundle(const std::filesystem::path& folder, VerifyEngines engines);

}  // namespace biglittle
