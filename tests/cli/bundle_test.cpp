// SPDX-License-Identifier: MIT
// The commands that look at a bundle, on a tiny one with random weights made without LibTorch.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "bundle/tiny_bundle.h"
#include "cli/loads.h"
#include "cli/program.h"
#include "cli/toy_data.h"
#include "core/json.h"
#include "core/text.h"
#include "testing/temporary_folder.h"

namespace biglittle::testing {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class BundleCommands : public ::testing::Test {
 protected:
  BundleCommands() { id_ = write_bundle(tiny_export(folder_ / "bundle")); }

  Outcome run(const std::vector<std::string>& arguments) {
    return biglittle(arguments, {folder_.path(), {}});
  }

  TemporaryFolder folder_;
  std::string id_;
};

TEST_F(BundleCommands, InspectNamesIdClassesAndFiles) {
  const Outcome outcome = run({"inspect", "bundle"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr(id_));
  EXPECT_THAT(outcome.out, HasSubstr("on device    cat, dog, other\n"));
  EXPECT_THAT(outcome.out, ContainsRegex("little/model.int8.onnx +[0-9.]+ K?i?B +[0-9a-f]{12}\n"));
}

TEST_F(BundleCommands, InspectAsJsonGivesTheSameId) {
  const Outcome outcome = run({"inspect", "bundle", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(parse_json(outcome.out, "stdout").at("id"), id_);
}

TEST_F(BundleCommands, InspectStatesTheMemoryThatTheDeviceCodeDeclares) {
  const Json device = parse_json(run({"inspect", "bundle", "--json"}).out, "stdout").at("device");
  std::ostringstream header;
  header << std::ifstream(folder_ / "bundle/device/bl_model.h").rdbuf();
  const auto expect_defined = [&](const std::string& name, const char* key) {
    EXPECT_THAT(header.str(), HasSubstr("#define " + name + " " + device.at(key).dump() + "\n"));
  };
  expect_defined("BL_MODEL_CONSTANT_BYTES", "constant_bytes");
  expect_defined("BL_MODEL_CONSTANT_BYTES", "wide_constant_bytes");
  expect_defined("BL_MODEL_ARENA_BYTES", "arena_bytes");
  expect_defined("BL_MODEL_ARENA_BYTES", "wide_arena_bytes");
  const std::string text = run({"inspect", "bundle"}).out;
  for (const char* key : {"constant_bytes", "code_bytes", "arena_bytes", "stack_bytes"}) {
    EXPECT_THAT(text, HasSubstr(" " + with_thousands(device.at(key).get<std::int64_t>())));
  }
}

TEST_F(BundleCommands, VerifyWithoutEnginesSkipsTheDeviceCode) {
  const Outcome outcome = run({"verify", "--no-engines", "bundle"});
  EXPECT_EQ(outcome.code, 0) << outcome.out;
  EXPECT_THAT(outcome.out, HasSubstr("skipped  device code"));
  EXPECT_THAT(outcome.out, HasSubstr("the bundle is what it was when it was exported\n"));
}

TEST_F(BundleCommands, VerifyAsJsonTellsWhichCheckFailed) {
  std::ofstream(folder_ / "bundle/policy.json", std::ios::app) << " ";
  const Outcome outcome = run({"verify", "--no-engines", "bundle", "--json"});
  EXPECT_EQ(outcome.code, 1);
  const Json json = parse_json(outcome.out, "stdout");
  EXPECT_FALSE(json.at("passed").get<bool>());
  int failed = 0;
  for (const Json& check : json.at("checks")) {
    if (check.at("what") != "file policy.json") continue;
    EXPECT_EQ(check.at("outcome"), "failed");
    ++failed;
  }
  EXPECT_EQ(failed, 1);
}

TEST_F(BundleCommands, DoNotLoadLibTorch) {
  expect_no_libtorch({"inspect", "bundle"}, {folder_.path(), {}}, 0);
  expect_no_libtorch({"inspect", "bundle/little/model.safetensors"}, {folder_.path(), {}}, 0);
  expect_no_libtorch({"inspect", "bundle/little/model.int8.safetensors"}, {folder_.path(), {}}, 0);
  expect_no_libtorch({"verify", "--no-engines", "bundle"}, {folder_.path(), {}}, 0);
}

TEST_F(BundleCommands, EvaluateAndCertifyRefuseDataOfAnotherShape) {
  write_toy_idx(folder_ / "raw", 80, 16);
  ASSERT_EQ(run({"import", "raw", "-o", "toy.h5"}).code, 0);
  for (const char* command : {"evaluate", "certify"}) {
    const Outcome outcome = run({command, "bundle", "toy.h5"});
    EXPECT_EQ(outcome.code, 65);
    EXPECT_EQ(outcome.err,
              "biglittle: error: toy.h5: samples are 1x8x8, the bundle's networks expect 1x6x6\n");
  }
}

TEST_F(BundleCommands, InspectRefusesAFileThatTheManifestDoesNotKnow) {
  std::ofstream(folder_ / "bundle/extra.txt") << "extra";
  const Outcome outcome = run({"inspect", "bundle"});
  EXPECT_EQ(outcome.code, 65);
  EXPECT_THAT(outcome.err, HasSubstr("extra.txt"));
}

}  // namespace
}  // namespace biglittle::testing
