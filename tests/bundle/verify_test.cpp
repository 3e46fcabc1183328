// SPDX-License-Identifier: MIT
// A written bundle verifies; every kind of damage is named, and nothing else is blamed.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "bundle/contents.h"
#include "damaged_bundle.h"

namespace biglittle::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Outcome = VerifyItem::Outcome;

TEST_F(DamagedBundle, AnUntouchedCopyPassesEveryCheck) {
  const std::vector<VerifyItem> items = verify_bundle(bundle(), VerifyEngines::found);
  for (const VerifyItem& item : items) {
    EXPECT_EQ(item.outcome, Outcome::passed) << item.what << ": " << item.detail;
  }
  for (const char* what : {"manifest", "contents", "networks", "descriptions", "answers", "policy",
                           "vectors", "onnx", "report", "device source", "device code"}) {
    EXPECT_TRUE(outcomes(items).contains(what)) << what;
  }
  EXPECT_EQ(detail_of(items, "answers"), "to 400 tune, 400 calibration and 100 test samples");
  EXPECT_THAT(detail_of(items, "policy"), HasSubstr("follows from the answers on calibration"));
  EXPECT_THAT(detail_of(items, "device code"), HasSubstr("self-test passed"));
}

TEST_F(DamagedBundle, AFlippedBitIsFoundInEveryFile) {
  for (const auto& [path, text] : contents_of(bundle())) {
    if (path == kManifestName || text.empty()) continue;
    std::string damaged = text;
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
    std::ofstream(bundle() / path, std::ios::binary) << damaged;
    EXPECT_THAT(failed(verify()), ElementsAre("file " + path));
    EXPECT_THAT(refusal(), HasSubstr(path + ": has SHA-256 "));
    std::ofstream(bundle() / path, std::ios::binary) << text;
  }
  EXPECT_THAT(failed(verify()), IsEmpty());
}

TEST_F(DamagedBundle, ATruncatedFileIsNamedWithItsSize) {
  fs::resize_file(bundle() / "little/model.onnx", 10);
  EXPECT_THAT(failed(verify()), ElementsAre("file little/model.onnx"));
  EXPECT_THAT(refusal(), HasSubstr("little/model.onnx: has 10 bytes, the manifest says "));
}

TEST_F(DamagedBundle, EveryMissingFileIsNamed) {
  for (const auto& [path, text] : contents_of(bundle())) {
    if (path == kManifestName) continue;
    fs::remove(bundle() / path);
    EXPECT_THAT(failed(verify()), ElementsAre("file " + path));
    EXPECT_THAT(refusal(ErrorKind::missing_input), HasSubstr(path + ": is missing"));
    std::ofstream(bundle() / path, std::ios::binary) << text;
  }
}

TEST_F(DamagedBundle, AfterAFileFailedNothingInItIsRead) {
  fs::remove(bundle() / "policy.json");
  const auto found = outcomes(verify());
  for (const char* what : {"networks", "descriptions", "answers", "policy", "vectors", "onnx",
                           "report", "device source", "device code"}) {
    EXPECT_EQ(found.at(what), Outcome::skipped) << what;
  }
}

TEST_F(DamagedBundle, AMissingManifestIsAFailedLine) {
  fs::remove(bundle() / kManifestName);
  EXPECT_THAT(failed(verify()), ElementsAre("manifest"));
  EXPECT_THAT(refusal(ErrorKind::missing_input), HasSubstr("manifest.json"));
}

TEST_F(DamagedBundle, AManifestOfAFutureVersionIsRefused) {
  change_text("manifest.json", "\"format_version\": 2", "\"format_version\": 3");
  EXPECT_THAT(failed(verify()), ElementsAre("manifest"));
  EXPECT_THAT(refusal(), HasSubstr("format version 3 is newer than 2"));
}

TEST_F(DamagedBundle, AManifestOfTheFirstVersionIsRefusedWithTheRemedy) {
  change_text("manifest.json", "\"format_version\": 2", "\"format_version\": 1");
  EXPECT_THAT(failed(verify()), ElementsAre("manifest"));
  EXPECT_THAT(refusal(), HasSubstr("format version 1 has no recorded answers, which version 2 "
                                   "needs; export again"));
}

TEST_F(DamagedBundle, AManifestThatPointsOutsideIsRefused) {
  change_text("manifest.json", "\"big/model.onnx\"", "\"../../etc/passwd\"");
  EXPECT_THAT(failed(verify()), ElementsAre("manifest"));
  EXPECT_THAT(refusal(), HasSubstr("\"../../etc/passwd\" is not a plain path inside the bundle"));
}

TEST_F(DamagedBundle, AFileThatTheManifestDoesNotListIsRefused) {
  std::ofstream(bundle() / "device/extra.c") << "int main(void) { return 0; }\n";
  EXPECT_THAT(failed(verify()), ElementsAre("contents"));
  EXPECT_THAT(refusal(), HasSubstr("'device/extra.c' is not listed in manifest.json"));
}

TEST_F(DamagedBundle, ALinkIsRefusedEvenToTheRightContent) {
  fs::rename(bundle() / "big/model.onnx", bundle().parent_path() / "elsewhere.onnx");
  fs::create_symlink("../../elsewhere.onnx", bundle() / "big/model.onnx");
  EXPECT_THAT(failed(verify()), ElementsAre("contents"));
  EXPECT_THAT(refusal(), HasSubstr("'big/model.onnx' is a symbolic link, expected a plain file"));
}

TEST_F(DamagedBundle, ALinkedFolderIsRefused) {
  fs::rename(bundle() / "device", bundle().parent_path() / "elsewhere");
  fs::create_directory_symlink("../elsewhere", bundle() / "device");
  EXPECT_THAT(failed(verify()), ElementsAre("contents"));
  EXPECT_THAT(refusal(), HasSubstr("'device' is a symbolic link"));
}

TEST_F(DamagedBundle, ARequiredFileThatTheManifestOmitsIsNamed) {
  fs::remove(bundle() / "classes.json");
  rewrite_manifest(bundle());
  EXPECT_THAT(failed(verify()), ElementsAre("contents"));
  EXPECT_THAT(refusal(), HasSubstr("does not list 'classes.json', which every bundle has"));
}

TEST_F(DamagedBundle, AnotherLittleCheckpointIsRefused) {
  Checkpoint other = load_checkpoint(bundle() / "little/model.safetensors");
  other.network.weights.at("conv.bias").values<float>()[0] += 0.5f;
  save_checkpoint(bundle() / "little/model.safetensors", other);
  rewrite_manifest(bundle());
  EXPECT_THAT(failed(verify()), ElementsAre("networks"));
  EXPECT_THAT(refusal(), HasSubstr("the int8 model was not quantized from the little checkpoint"));
}

TEST_F(DamagedBundle, AChangedAccumulatorIsNamedByVectorAndClass) {
  tamper_tensors("little/vectors.safetensors", [](SafetensorsFile& file) {
    file.tensors.at("accumulators").values<std::int32_t>()[3 * 2 + 1] += 1;
  });
  const std::vector<VerifyItem> items = verify();
  EXPECT_THAT(failed(items), ElementsAre("vectors"));
  EXPECT_THAT(detail_of(items, "vectors"), HasSubstr("vector 2: accumulator of class 1 is "));
  EXPECT_EQ(outcomes(items).at("device code"), Outcome::skipped);
}

TEST_F(DamagedBundle, AChangedDecisionIsNamed) {
  tamper_tensors("little/vectors.safetensors", [](SafetensorsFile& file) {
    std::uint8_t& escalate = file.tensors.at("escalate").values<std::uint8_t>()[5];
    escalate = static_cast<std::uint8_t>(1 - escalate);
  });
  EXPECT_THAT(detail_of(verify(), "vectors"), HasSubstr("vector 5: escalate is "));
}

TEST_F(DamagedBundle, AChangedScoreIsNamed) {
  tamper_tensors("little/vectors.safetensors", [](SafetensorsFile& file) {
    file.tensors.at("score").values<std::int64_t>()[7] += 1;
  });
  EXPECT_THAT(detail_of(verify(), "vectors"), HasSubstr("vector 7: score is "));
}

TEST_F(DamagedBundle, VectorsOfAWrongShapeAreRefused) {
  tamper_tensors("little/vectors.safetensors", [](SafetensorsFile& file) {
    file.tensors.at("score") = Tensor(DType::i64, {11});
  });
  EXPECT_THAT(detail_of(verify(), "vectors"),
              HasSubstr("tensor 'score' is I64 [11], expected I64 [12]"));
}

TEST_F(DamagedBundle, AnOnnxFileOfAnotherNetworkIsNamed) {
  fs::copy_file(bundle() / "big/model.onnx", bundle() / "little/model.onnx",
                fs::copy_options::overwrite_existing);
  rewrite_manifest(bundle());
  const std::vector<VerifyItem> items = verify();
  EXPECT_THAT(failed(items), ElementsAre("onnx"));
  EXPECT_THAT(detail_of(items, "onnx"), HasSubstr("little/model.onnx: is not what the networks"));
}

TEST_F(DamagedBundle, ForeignDeviceCodeIsNeverRun) {
  const fs::path trace = bundle().parent_path() / "ran";
  tamper_text("device/bl_selftest.c", "int bl_selftest(void) {",
              fmt::format("#include <stdio.h>\nint bl_selftest(void) {{ fopen(\"{}\", \"w\");",
                          trace.string()));
  const std::vector<VerifyItem> items = verify_bundle(bundle(), VerifyEngines::found);
  EXPECT_THAT(failed(items), ElementsAre("device source"));
  EXPECT_EQ(outcomes(items).at("device code"), Outcome::skipped);
  EXPECT_FALSE(fs::exists(trace));
}

TEST_F(DamagedBundle, ARandomlyChangedTextIsAnErrorAndNeverWorse) {
  std::mt19937 random(11);
  int refused = 0;
  for (int round = 0; round < 50; ++round) {
    for (const char* path : {"manifest.json", "policy.json", "report.json", "classes.json"}) {
      const std::string text = read_text(bundle() / path);
      const std::string manifest = read_text(bundle() / kManifestName);
      std::string damaged = text;
      damaged[random() % damaged.size()] = static_cast<char>(random() % 256);
      if (round % 3 == 0) damaged.resize(random() % damaged.size());
      std::ofstream(bundle() / path, std::ios::binary) << damaged;
      if (path != kManifestName) rewrite_manifest(bundle());
      try {
        (void)load_bundle(bundle());
      } catch (const Error& error) {
        ++refused;
      }
      EXPECT_NO_THROW((void)verify());
      std::ofstream(bundle() / path, std::ios::binary) << text;
      std::ofstream(bundle() / kManifestName, std::ios::binary) << manifest;
    }
  }
  EXPECT_GT(refused, 120);
}

TEST_F(DamagedBundle, AnAddedDeviceFileIsNamed) {
  std::ofstream(bundle() / "device/extra.c") << "int x;\n";
  rewrite_manifest(bundle());
  EXPECT_THAT(detail_of(verify(), "device source"),
              HasSubstr("device/extra.c: is not part of the device code"));
}

TEST_F(DamagedBundle, ClassesThatAreNotTheNetworksAreRefused) {
  tamper_text("classes.json", "\"fish\"", "\"fowl\"");
  EXPECT_THAT(failed(verify()), ElementsAre("descriptions"));
  EXPECT_THAT(refusal(), HasSubstr("classes.json: is not what the networks beside it make"));
}

TEST_F(DamagedBundle, AReportOnOtherDataIsRefused) {
  const std::string digest = load_bundle(bundle()).manifest.measured_on.dataset_digest;
  tamper_text("report.json", digest, std::string(64, '0'));
  EXPECT_THAT(failed(verify()), ElementsAre("networks"));
  EXPECT_THAT(refusal(), HasSubstr("report.json: was measured on other data"));
}

TEST_F(DamagedBundle, FilesOfAnotherProgramVersionAreNotCompared) {
  change_text("manifest.json", "\"program_version\": \"", "\"program_version\": \"9.");
  const std::vector<VerifyItem> items = verify();
  EXPECT_THAT(failed(items), IsEmpty());
  for (const char* what : {"onnx", "report", "device source", "device code"}) {
    EXPECT_EQ(outcomes(items).at(what), Outcome::skipped) << what;
  }
}

TEST_F(DamagedBundle, WithoutACompilerTheDeviceCodeIsSkipped) {
  const NoCompiler hidden;
  const std::vector<VerifyItem> items = verify_bundle(bundle(), VerifyEngines::found);
  EXPECT_THAT(failed(items), IsEmpty());
  EXPECT_EQ(detail_of(items, "device code"), "no C compiler found (CC, cc, gcc, clang)");
}

TEST(Verify, AMissingFolderIsAnErrorOfItsOwn) {
  const TemporaryFolder folder;
  try {
    (void)verify_bundle(folder / "absent", VerifyEngines::none);
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::missing_input);
    EXPECT_THAT(error.what(), HasSubstr("absent: no such folder, expected a bundle"));
  }
}

}  // namespace
}  // namespace biglittle::testing
