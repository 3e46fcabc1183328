// SPDX-License-Identifier: MIT
#pragma once

// A written bundle that every test damages in its own way.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bundle/bundle.h"
#include "core/error.h"
#include "core/files.h"
#include "core/safetensors.h"
#include "testing/temporary_folder.h"
#include "tiny_bundle.h"

namespace biglittle::testing {

/// One bundle is written for all tests; each damages its own copy.
class DamagedBundle : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    original_ = std::make_unique<TemporaryFolder>();
    write_without_compiler(tiny_export(*original_ / "tiny"));
  }
  static void TearDownTestSuite() { original_.reset(); }

  void SetUp() override {
    std::filesystem::copy(*original_ / "tiny", bundle(), std::filesystem::copy_options::recursive);
  }

  std::filesystem::path bundle() const { return scratch_ / "tiny"; }

  std::vector<VerifyItem> verify() const { return verify_bundle(bundle(), VerifyEngines::none); }

  /// The message with which load_bundle refuses the bundle.
  std::string refusal(ErrorKind kind = ErrorKind::bad_data) const {
    try {
      (void)load_bundle(bundle());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      return error.what();
    }
    return "not refused";
  }

  void change_text(const std::string& path, const std::string& from, const std::string& to) {
    std::string text = read_text(bundle() / path);
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << path << " has no " << from;
    text.replace(at, from.size(), to);
    std::ofstream(bundle() / path, std::ios::binary) << text;
  }

  /// A change by somebody who also corrects the manifest.
  void tamper_text(const std::string& path, const std::string& from, const std::string& to) {
    change_text(path, from, to);
    rewrite_manifest(bundle());
  }

  /// The same for a tensor file: `change` is given its content.
  void tamper_tensors(const std::string& path,
                      const std::function<void(SafetensorsFile&)>& change) {
    SafetensorsFile content = read_safetensors(bundle() / path);
    change(content);
    write_safetensors(bundle() / path, content);
    rewrite_manifest(bundle());
  }

  static inline std::unique_ptr<TemporaryFolder> original_;

 private:
  TemporaryFolder scratch_;
};

}  // namespace biglittle::testing
