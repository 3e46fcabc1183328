// SPDX-License-Identifier: MIT
#pragma once

// A complete, tiny export input made without LibTorch: two networks with seeded random weights, an
// int8 model quantized by hand from the little one, and a policy calibrated on its own integers.

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "bundle/bundle.h"

namespace biglittle::testing {

/// Four big classes of 1x6x6 bytes; "cat" and "dog" are priority. Both networks are always right.
ExportInput tiny_export(const std::filesystem::path& folder);

/// What the tiny bundle's policy was asked.
CalibrateOptions tiny_options();

/// Gives the input another policy made from its answers, with `rule` instead of the one that the
/// options would choose.
void certify_anew(ExportInput& input, const CalibrateOptions& options,
                  const std::optional<ScoreRule>& rule = std::nullopt);

/// A field log of 300 rows scored by the input's policy.
Scores tiny_log(const ExportInput& input);

/// Gives the input another policy along its own path, certified on a log.
void certify_on_log(ExportInput& input, const Scores& log, const CalibrateOptions& options);

/// write_bundle as on a machine without a C compiler, which is faster.
std::string write_without_compiler(const ExportInput& input);

/// Hides every C compiler from this process while it lives.
class NoCompiler {
 public:
  NoCompiler();
  ~NoCompiler();
  NoCompiler(const NoCompiler&) = delete;
  NoCompiler& operator=(const NoCompiler&) = delete;

 private:
  std::string path_;
};

/// Content of every file under `folder` by relative path.
std::map<std::string, std::string> contents_of(const std::filesystem::path& folder);

/// Makes the manifest agree again with files that a test changed, as somebody who tampers would.
void rewrite_manifest(const std::filesystem::path& folder);

/// The outcome of each line of verify's table.
std::map<std::string, VerifyItem::Outcome> outcomes(const std::vector<VerifyItem>& items);

/// The names of the failed lines.
std::vector<std::string> failed(const std::vector<VerifyItem>& items);

/// The detail of the line called `what`; fails the test when there is none.
std::string detail_of(const std::vector<VerifyItem>& items, const std::string& what);

}  // namespace biglittle::testing
