// SPDX-License-Identifier: MIT
// What an export writes, what it refuses to write, and that a refused one leaves nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <functional>

#include "bundle/bundle.h"
#include "bundle/contents.h"
#include "bundle/vectors.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "testing/temporary_folder.h"
#include "tiny_bundle.h"

namespace biglittle::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct Refusal {
  ErrorKind kind = ErrorKind::internal;
  std::string message = "not refused";
};

/// Exports the tiny bundle after `change` and expects an error that leaves nothing behind.
Refusal refusal(const std::function<void(ExportInput&)>& change) {
  const TemporaryFolder folder;
  ExportInput input = tiny_export(folder / "tiny");
  change(input);
  Refusal found;
  try {
    (void)write_bundle(input);
  } catch (const Error& error) {
    found = {error.kind(), error.what()};
  }
  EXPECT_TRUE(fs::is_empty(folder.path())) << "something was left behind";
  return found;
}

void expect_bad_data(const std::function<void(ExportInput&)>& change, const std::string& message) {
  const Refusal found = refusal(change);
  EXPECT_EQ(found.kind, ErrorKind::bad_data);
  EXPECT_THAT(found.message, StartsWith("bundle tiny: " + message));
}

TEST(WriteBundle, WhatIsWrittenIsReadBack) {
  const TemporaryFolder folder;
  const ExportInput input = tiny_export(folder / "tiny");
  const std::string id = write_bundle(input);
  const Bundle bundle = load_bundle(folder / "tiny");
  EXPECT_EQ(bundle.id, id);
  EXPECT_EQ(bundle.name, "tiny");
  EXPECT_EQ(network_digest(bundle.big.network), network_digest(input.big.network));
  EXPECT_EQ(network_digest(bundle.little.network), network_digest(input.little.network));
  EXPECT_EQ(int8_digest(bundle.little_int8), int8_digest(input.little_int8));
  EXPECT_EQ(to_json(bundle.policy), to_json(input.policy));
  EXPECT_TRUE(bundle.policy.certificate.certified);
  EXPECT_EQ(bundle.big.classes, input.big.classes);
  EXPECT_EQ(bundle.report.at("measured_on").at("dataset_digest"), input.dataset_digest);
  EXPECT_EQ(bundle.report.at("cost").at("little").at("macs"), 2 * 9 * 9 + 18 * 3);
}

TEST(WriteBundle, TheIdIsTheHashOfEveryFilesPathAndHash) {
  const TemporaryFolder folder;
  const std::string id = write_without_compiler(tiny_export(folder / "tiny"));
  std::string lines;
  for (const auto& [path, text] : contents_of(folder / "tiny")) {
    if (path != kManifestName) lines += path + " " + sha256_hex(text) + "\n";
  }
  EXPECT_EQ(id, sha256_hex(lines));
}

TEST(WriteBundle, TwoExportsHaveTheSameBytes) {
  const TemporaryFolder folder;
  write_without_compiler(tiny_export(folder / "first/tiny"));
  write_without_compiler(tiny_export(folder / "second-with-a-longer-name/tiny"));
  EXPECT_EQ(contents_of(folder / "first/tiny"),
            contents_of(folder / "second-with-a-longer-name/tiny"));
}

TEST(WriteBundle, NoFileKnowsWhereItWasWritten) {
  const TemporaryFolder folder;
  write_without_compiler(tiny_export(folder / "tiny"));
  for (const auto& [path, text] : contents_of(folder / "tiny")) {
    EXPECT_THAT(text, Not(HasSubstr(folder.path().string()))) << path;
  }
}

TEST(WriteBundle, HasEveryRequiredFileAndTheDeviceCode) {
  const TemporaryFolder folder;
  write_without_compiler(tiny_export(folder / "tiny"));
  const auto files = contents_of(folder / "tiny");
  for (const std::string& path : required_files()) EXPECT_TRUE(files.contains(path)) << path;
  for (const char* name : {"CMakeLists.txt", "README.md", "bl_model.c", "bl_model.h",
                           "bl_runtime.c", "bl_runtime.h", "bl_selftest.c"}) {
    EXPECT_TRUE(files.contains(std::string("device/") + name)) << name;
  }
  EXPECT_EQ(files.at("config.resolved.toml"), "name = \"tiny\"\n");
}

TEST(WriteBundle, ClassesJsonStatesTheMapBothWays) {
  const TemporaryFolder folder;
  write_without_compiler(tiny_export(folder / "tiny"));
  const Json classes = parse_json(read_text(folder / "tiny/classes.json"), "classes.json");
  EXPECT_EQ(classes.at("big"), Json({"bird", "cat", "dog", "fish"}));
  EXPECT_EQ(classes.at("little"), Json({"cat", "dog", "other"}));
  EXPECT_EQ(classes.at("priority"), Json({"cat", "dog"}));
  EXPECT_EQ(classes.at("other"), 2);
  EXPECT_EQ(classes.at("little_of_big"), Json({2, 0, 1, 2}));
  EXPECT_EQ(classes.at("big_of_priority"), Json({1, 2}));
}

TEST(WriteBundle, PreprocessingJsonStatesTheRawInput) {
  const TemporaryFolder folder;
  write_without_compiler(tiny_export(folder / "tiny"));
  const Json json = parse_json(read_text(folder / "tiny/preprocessing.json"), "preprocessing.json");
  EXPECT_EQ(json.at("sample_type"), "u8");
  EXPECT_EQ(json.at("shape"), Json({{"channels", 1}, {"height", 6}, {"width", 6}}));
  EXPECT_EQ(json.at("scale"), 1.0 / 64);
  EXPECT_EQ(json.at("offset"), 120);
  EXPECT_EQ(json.at("value_range"), Json({0, 255}));
}

TEST(WriteBundle, VectorsCarryTheDecisionOfTheRule) {
  const TemporaryFolder folder;
  const ExportInput input = tiny_export(folder / "tiny");
  write_without_compiler(input);
  const TestVectors vectors =
      read_vectors(folder / "tiny/little/vectors.safetensors", input.little_int8);
  ASSERT_EQ(vectors.count(), 12);
  for (std::size_t row = 0; row < 12; ++row) {
    const std::int32_t* acc = &vectors.accumulators[3 * row];
    const std::int32_t largest = std::max({acc[0], acc[1], acc[2]});
    EXPECT_EQ(acc[vectors.little_class[row]], largest);
    const std::int32_t middle =
        acc[0] + acc[1] + acc[2] - largest - std::min({acc[0], acc[1], acc[2]});
    EXPECT_EQ(vectors.score[row], largest - middle);
    const bool local = vectors.little_class[row] != 2 &&
                       vectors.score[row] >= input.policy.thresholds[vectors.little_class[row]];
    EXPECT_EQ(vectors.escalate[row], local ? 0 : 1);
  }
}

TEST(WriteBundle, AnOlderBundleIsReplacedWhole) {
  const TemporaryFolder folder;
  ExportInput input = tiny_export(folder / "tiny");
  const std::string first = write_without_compiler(input);
  std::ofstream(folder / "tiny/left-over.txt") << "x";
  input.config_toml = "name = \"changed\"\n";
  const std::string second = write_without_compiler(input);
  EXPECT_NE(first, second);
  EXPECT_EQ(load_bundle(folder / "tiny").id, second);
}

TEST(WriteBundle, SomebodysFolderIsNotReplaced) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "tiny");
  std::ofstream(folder / "tiny/thesis.tex") << "x";
  try {
    write_without_compiler(tiny_export(folder / "tiny"));
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::cannot_create);
    EXPECT_THAT(error.what(), HasSubstr("tiny: exists and is not a bundle"));
  }
  EXPECT_EQ(contents_of(folder.path()).size(), 1u);
}

TEST(WriteBundle, AnExportThatDoesNotVerifyLeavesNothing) {
  ::setenv("CC", "/bin/false", 1);
  const Refusal found = refusal([](ExportInput&) {});
  ::unsetenv("CC");
  EXPECT_EQ(found.kind, ErrorKind::gate);
  EXPECT_THAT(found.message, StartsWith("bundle tiny: does not verify, so it was not written: "
                                        "device code: /bin/false exit code 1"));
}

TEST(WriteBundle, WhatDoesNotVerifyIsNamedWithoutTheStagingFolder) {
  const Refusal found = refusal([](ExportInput& input) {
    // An uncertified threshold: policy_from_json refuses it when the staged file is read.
    input.policy.certificate.certified = false;
  });
  EXPECT_EQ(found.kind, ErrorKind::gate);
  EXPECT_THAT(found.message, StartsWith("bundle tiny: does not verify, so it was not written: "
                                        "networks: policy.json: "));
}

TEST(WriteBundle, AFailedExportKeepsTheOlderBundle) {
  const TemporaryFolder folder;
  ExportInput input = tiny_export(folder / "tiny");
  write_without_compiler(input);
  const auto before = contents_of(folder.path());
  input.config_toml = "name = \"changed\"\n";
  ::setenv("CC", "/bin/false", 1);
  EXPECT_THROW(write_bundle(input), Error);
  ::unsetenv("CC");
  EXPECT_EQ(contents_of(folder.path()), before);
}

TEST(WriteBundle, APolicyOfOtherNetworksIsRefused) {
  expect_bad_data([](ExportInput& input) { input.policy.certificate.little_digest = "another"; },
                  "the policy was calibrated for another int8 network (another); export again");
  expect_bad_data([](ExportInput& input) { input.policy.certificate.big_digest = "another"; },
                  "the policy was calibrated for another big network (another); export again");
}

TEST(WriteBundle, APolicyOfOtherSplitsIsRefused) {
  expect_bad_data(
      [](ExportInput& input) { input.policy.certificate.calibration_digest = "another"; },
      "the policy was certified on another calibration split; export again");
  expect_bad_data([](ExportInput& input) { input.policy.certificate.tune_digest = "another"; },
                  "the policy's thresholds were fixed on another tune split; export again");
}

TEST(WriteBundle, AnswersOfOtherSampleCountsAreRefused) {
  const std::array<const char*, 3> names = {"tune", "calibration", "test"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Refusal found = refusal([&](ExportInput& input) { ++input.splits[i + 1].samples; });
    EXPECT_EQ(found.kind, ErrorKind::bad_data);
    EXPECT_THAT(found.message, AllOf(StartsWith("bundle tiny: has answers to "),
                                     HasSubstr(std::string(names[i]) + " samples but the split")));
  }
}

TEST(WriteBundle, APolicyThatDoesNotFitTheNetworksIsRefused) {
  expect_bad_data([](ExportInput& input) { input.policy.thresholds.pop_back(); },
                  "the policy has 2 thresholds and 3 offsets for 3 little classes");
  expect_bad_data([](ExportInput& input) { input.policy.certificate.big_classes[0] = "bat"; },
                  "the certificate's classes are not the big network's; export again");
  expect_bad_data([](ExportInput& input) { input.policy.thresholds[2] = 5; },
                  "the policy escalates `other`, but `other` has a threshold that it can reach");
}

TEST(WriteBundle, NetworksOfAnotherDatasetAreRefused) {
  const std::string message = "a network was trained on another dataset; train it again";
  expect_bad_data([](ExportInput& input) { input.big.dataset_digest = "another"; }, message);
  expect_bad_data([](ExportInput& input) { input.little.dataset_digest = "another"; }, message);
}

TEST(WriteBundle, DataWithoutDigestsIsRefused) {
  expect_bad_data([](ExportInput& input) { input.dataset_digest.clear(); },
                  "the dataset has no digest");
  expect_bad_data([](ExportInput& input) { input.splits[3].digest.clear(); },
                  "the test split has no digest");
}

TEST(WriteBundle, AnInt8ModelOfAnotherCheckpointIsRefused) {
  expect_bad_data(
      [](ExportInput& input) {
        input.little.network.weights.at("head.bias").values<float>()[0] = 9.0f;
      },
      "the int8 model was not quantized from the little checkpoint beside it");
}

TEST(WriteBundle, PriorityMapsThatDifferAreRefused) {
  expect_bad_data([](ExportInput& input) { input.little.priority.reset(); },
                  "the little checkpoint has no priority map");
  expect_bad_data([](ExportInput& input) { input.little_int8.priority.reset(); },
                  "the int8 model has no priority map");
  expect_bad_data(
      [](ExportInput& input) {
        input.little.priority->little_of_big = {0, 2, 1, 2};
      },
      "the int8 model's priority map is not the little checkpoint's");
  expect_bad_data(
      [](ExportInput& input) {
        input.little.priority->little_of_big = {0, 2, 1, 2};
        input.little_int8.priority = input.little.priority;
      },
      "priority class 'cat' is mapped to the big network's 'bird'");
  expect_bad_data(
      [](ExportInput& input) {
        input.little.priority->little_of_big = {2, 0, 1};
        input.little_int8.priority = input.little.priority;
      },
      "the priority map covers 3 classes but the big network has 4");
  expect_bad_data(
      [](ExportInput& input) {
        input.little.classes = {"dog", "cat", "other"};
      },
      "the little classes are not those of the priority map");
}

TEST(WriteBundle, ClassCountsThatDifferAreRefused) {
  expect_bad_data([](ExportInput& input) { input.big.classes.pop_back(); },
                  "the big network has 4 outputs but 3 class names");
  expect_bad_data([](ExportInput& input) { input.little.classes.pop_back(); },
                  "the little network has 3 outputs but 2 class names");
  expect_bad_data([](ExportInput& input) { input.little_int8.classes.pop_back(); },
                  "the int8 network has 3 outputs but 2 class names");
}

TEST(WriteBundle, NetworksOfDifferentInputsAreRefused) {
  expect_bad_data([](ExportInput& input) { input.big.preprocessing.offset = 121; },
                  "the networks do not have the same preprocessing");
}

TEST(WriteBundle, TestVectorsMustFit) {
  EXPECT_EQ(refusal([](ExportInput& input) { input.vector_labels.pop_back(); }).message,
            "12 test vectors with 11 labels, expected 1 to 1024 of both");
  EXPECT_EQ(refusal([](ExportInput& input) {
              input.vectors.values = std::vector<std::uint8_t>();
              input.vector_labels.clear();
            }).message,
            "0 test vectors with 0 labels, expected 1 to 1024 of both");
  expect_bad_data([](ExportInput& input) { ++input.vector_labels[4]; },
                  "test vector 4 does not give the answer recorded for calibration sample 4");
  expect_bad_data([](ExportInput& input) { input.answers.calibration.accumulators[3 * 7] += 1; },
                  "test vector 7 does not give the answer recorded for calibration sample 7");
}

TEST(WriteBundle, ANameThatIsNoFolderNameIsRefused) {
  const Refusal found = refusal([](ExportInput& input) { input.name = "../tiny"; });
  EXPECT_EQ(found.kind, ErrorKind::config);
  EXPECT_EQ(found.message,
            "bundle name '../tiny' is not made of lower-case letters, digits and '-' (at most 64)");
}

}  // namespace
}  // namespace biglittle::testing
