// SPDX-License-Identifier: MIT
#pragma once

// A complete, tiny export input made without LibTorch: two networks with seeded random weights, an
// int8 model quantized by hand from the little one, and a policy calibrated on its own integers.

#include <filesystem>
#include <map>
#include <string>

#include "bundle/bundle.h"

namespace biglittle::testing {

/// Four big classes of 1x6x6 bytes; "cat" and "dog" are priority.
ExportInput tiny_export(const std::filesystem::path& folder);

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
