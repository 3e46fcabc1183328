// SPDX-License-Identifier: MIT
// A bundle trained on Fashion-MNIST and 1,000 of its test samples: ONNX Runtime and the device code
// must give the integers of the interpreter, and the float files the logits of the engine.
//
// With BIGLITTLE_BUNDLE and BIGLITTLE_DATASET set, that bundle is looked at (scripts/demo leaves
// one); otherwise a quick one is made.
#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>

#include "bundle/bundle.h"
#include "bundle/process.h"
#include "cli/program.h"
#include "core/safetensors.h"
#include "engines/decisions.h"
#include "quant/interpreter.h"
#include "testing/device_program_runner.h"
#include "testing/temporary_folder.h"
#include "train/engine.h"

namespace biglittle {
namespace {

constexpr const char* kSource = "/usr/share/datasets/fashion-mnist";
constexpr std::int64_t kCount = 1000;
constexpr int kNotInstalled = 69;

bool engines_required() {
  const char* value = std::getenv("BIGLITTLE_REQUIRE_ENGINES");
  return value != nullptr && std::string_view(value) == "1";
}

struct Subject {
  Bundle bundle;
  Samples samples;                         // [1000, 1, 28, 28]
  std::vector<std::int32_t> accumulators;  // [1000, little classes]
};

// One epoch each of narrow networks: badly trained, but on real pixels and through every stage.
void make_bundle(const std::filesystem::path& folder) {
  const auto set = [&](const std::string& text) { return std::vector<std::string>{"--set", text}; };
  std::vector<std::string> arguments = {"run", BIGLITTLE_CONFIGS "/fashion-mnist.toml", "--quiet"};
  for (const std::string& text :
       {"data.file=" + (folder / "data.h5").string(), "runs=" + (folder / "runs").string(),
        "export.folder=" + (folder / "bundle").string(), std::string("big.network.width=4"),
        std::string("big.train.epochs=1"), std::string("little.train.epochs=1"),
        std::string("quantize.max_drop=0.2"), std::string("calibrate.allow_uncertified=true")}) {
    const auto pair = set(text);
    arguments.insert(arguments.end(), pair.begin(), pair.end());
  }
  const testing::Outcome outcome = testing::biglittle(arguments);
  if (outcome.code != 0) throw std::runtime_error(outcome.err);
}

class RealSamples : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<testing::TemporaryFolder>();
    std::filesystem::path bundle = *folder_ / "bundle";
    std::filesystem::path dataset = *folder_ / "data.h5";
    const char* given_bundle = std::getenv("BIGLITTLE_BUNDLE");
    const char* given_dataset = std::getenv("BIGLITTLE_DATASET");
    if (given_bundle != nullptr && given_dataset != nullptr) {
      bundle = std::filesystem::absolute(given_bundle);
      dataset = given_dataset;
    } else if (std::filesystem::exists(kSource)) {
      make_bundle(folder_->path());
    } else {
      return;
    }
    std::vector<std::int64_t> rows(kCount);
    std::iota(rows.begin(), rows.end(), 0);
    subject_ = std::make_unique<Subject>();
    subject_->bundle = load_bundle(bundle);
    subject_->samples = select(read_dataset(dataset).split(SplitName::test).samples, rows);
    subject_->accumulators = Interpreter(subject_->bundle.little_int8).run(subject_->samples);
  }
  static void TearDownTestSuite() {
    subject_.reset();
    folder_.reset();
  }
  void SetUp() override {
    if (subject_ == nullptr) GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  }

  static std::unique_ptr<testing::TemporaryFolder> folder_;
  static std::unique_ptr<Subject> subject_;
};

std::unique_ptr<testing::TemporaryFolder> RealSamples::folder_;
std::unique_ptr<Subject> RealSamples::subject_;

Tensor as_tensor(const std::vector<float>& values) {
  return Tensor::of<float>({kCount, static_cast<std::int64_t>(values.size()) / kCount},
                           std::span<const float>(values));
}

Tensor float_logits(const Checkpoint& checkpoint, const Samples& samples) {
  return as_tensor(load_engine().logits(checkpoint.network, checkpoint.preprocessing, samples, {}));
}

TEST_F(RealSamples, OnnxRuntimeGivesTheSameIntegersAndLogitsWithinTolerance) {
  const auto node = find_program("node");
  if (!node) {
    if (engines_required()) FAIL() << "node is not installed";
    GTEST_SKIP() << "node is not installed";
  }
  const Shape& shape = subject_->samples.shape;
  SafetensorsFile file;
  file.tensors["samples"] = Tensor::of<std::uint8_t>(
      {kCount, shape.channels, shape.height, shape.width}, subject_->samples.bytes());
  file.tensors["accumulators"] = Tensor::of<std::int32_t>(
      {kCount, static_cast<std::int64_t>(subject_->accumulators.size()) / kCount},
      std::span<const std::int32_t>(subject_->accumulators));
  testing::add_decisions(file, subject_->bundle.policy, *subject_->bundle.little.priority);
  file.tensors["logits"] = float_logits(subject_->bundle.little, subject_->samples);
  file.tensors["big_logits"] = float_logits(subject_->bundle.big, subject_->samples);
  const std::filesystem::path expected = *folder_ / "expected.safetensors";
  write_safetensors(expected, file);
  const ProcessResult result = run_process(
      {node->string(), "check_bundle.mjs", subject_->bundle.folder.string(), expected.string()},
      BIGLITTLE_ENGINE_TESTS, std::chrono::seconds(300));
  if (result.exit_code == kNotInstalled && !engines_required()) GTEST_SKIP() << result.output;
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

TEST_F(RealSamples, OnnxCheckerAcceptsTheFiles) {
  const auto python = find_program("/usr/bin/python3");
  if (!python) GTEST_SKIP() << "python3 is not installed";
  const std::filesystem::path& folder = subject_->bundle.folder;
  const ProcessResult result = run_process(
      {python->string(), "check_onnx.py", (folder / "little/model.onnx").string(),
       (folder / "little/model.int8.onnx").string(), (folder / "big/model.onnx").string()},
      BIGLITTLE_ENGINE_TESTS, std::chrono::seconds(120));
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

TEST_F(RealSamples, DeviceCodeGivesTheSameIntegersAndDecisions) {
  const std::filesystem::path device = *folder_ / "device";
  std::filesystem::copy(subject_->bundle.folder / "device", device);
  const auto answers =
      testing::run_device_code(device, "cc -O2 " + testing::kStrictC99, subject_->samples);
  ASSERT_EQ(answers.size(), static_cast<std::size_t>(kCount));
  const PriorityMap& map = *subject_->bundle.little_int8.priority;
  const EscalationPolicy& policy = subject_->bundle.policy;
  const auto classes = static_cast<std::size_t>(map.classes());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const std::span<const std::int32_t> row(subject_->accumulators.data() + i * classes, classes);
    ASSERT_TRUE(std::ranges::equal(answers[i].accumulators, row)) << "sample " << i;
    const Decision decision = decide(row);
    EXPECT_EQ(answers[i].class_index, decision.top);
    EXPECT_EQ(answers[i].margin, decision.margin);
    const std::int64_t score = score_of(row, policy.rule, map);
    EXPECT_EQ(answers[i].score, score);
    const bool local = score >= policy.thresholds[static_cast<std::size_t>(decision.top)];
    EXPECT_EQ(answers[i].escalate, !local);
  }
}

}  // namespace
}  // namespace biglittle
