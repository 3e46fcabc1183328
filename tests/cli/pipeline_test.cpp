// SPDX-License-Identifier: MIT
// The whole pipeline on a toy problem, through the program, as a user runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <memory>
#include <thread>

#include "cli/loads.h"
#include "cli/program.h"
#include "cli/toy_data.h"
#include "core/files.h"
#include "core/json.h"
#include "testing/temporary_folder.h"

namespace biglittle::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kConfig = R"(
seed = 3
[compute]
threads = 1
[data.import]
source = "raw"
classes = ["north-west", "north-east", "south-west", "south-east"]
tune_fraction = 0.2
calibration_fraction = 0.3
[big.network]
arch = "mlp"
hidden = [32]
[big.train]
epochs = 3
batch_size = 32
learning_rate = 0.05
[little]
priority = ["north-east", "south-west"]
[little.network]
arch = "mlp"
hidden = [8]
[little.train]
epochs = 4
batch_size = 32
learning_rate = 0.05
[calibrate]
net_loss = 0.05
)";

void prepare(const std::filesystem::path& folder) {
  write_toy_idx(folder / "raw", 1200, 200);
  std::ofstream(folder / "toy.toml") << kConfig;
}

Outcome run(const std::filesystem::path& folder, std::vector<std::string> arguments) {
  return biglittle(arguments, {folder, {}});
}

/// One finished run that the tests look at.
class Pipeline : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
#ifdef BIGLITTLE_HAS_ENGINE
    folder_ = std::make_unique<TemporaryFolder>();
    prepare(folder_->path());
    first_ = std::make_unique<Outcome>(run(folder_->path(), {"run", "toy.toml", "--json"}));
#endif
  }
  static void TearDownTestSuite() {
    folder_.reset();
    first_.reset();
  }

  void SetUp() override {
    if (first_ == nullptr) GTEST_SKIP() << "built without the engine";
    ASSERT_EQ(first_->code, 0) << first_->err;
  }

  static Json first_json() { return parse_json(first_->out, "stdout"); }

  static std::unique_ptr<TemporaryFolder> folder_;
  static std::unique_ptr<Outcome> first_;
};

std::unique_ptr<TemporaryFolder> Pipeline::folder_;
std::unique_ptr<Outcome> Pipeline::first_;

TEST_F(Pipeline, LearnsTheToyProblemAndCertifiesIt) {
  const Json result = first_json().at("result");
  EXPECT_GE(result.at("report").at("big").at("value").get<double>(), 0.95);
  EXPECT_TRUE(result.at("policy").at("certificate").at("certified").get<bool>());
  EXPECT_GT(result.at("report").at("priority_local").at("value").get<double>(), 0.3);
}

TEST_F(Pipeline, LeavesEveryArtifactWithItsConfig) {
  for (const char* file : {"data/toy.h5", "runs/toy/big.safetensors", "runs/toy/metrics.jsonl",
                           "runs/toy/little.safetensors", "runs/toy/little-int8.safetensors",
                           "runs/toy/config.resolved.toml", "exports/toy/manifest.json",
                           "exports/toy/config.resolved.toml"}) {
    EXPECT_TRUE(std::filesystem::exists(*folder_ / file)) << file;
  }
}

TEST_F(Pipeline, GivesTheSameBundleInAnotherFolder) {
  TemporaryFolder other;
  prepare(other.path());
  const Outcome second = run(other.path(), {"run", "toy.toml", "--json", "--quiet"});
  ASSERT_EQ(second.code, 0) << second.err;
  EXPECT_EQ(second.err, "");
  EXPECT_EQ(parse_json(second.out, "stdout").at("result").at("id"),
            first_json().at("result").at("id"));
}

TEST_F(Pipeline, SkipsEveryStageTheSecondTimeAndSaysSo) {
  const Outcome again = run(folder_->path(), {"run", "toy.toml", "--json"});
  ASSERT_EQ(again.code, 0) << again.err;
  const Json json = parse_json(again.out, "stdout");
  for (const char* stage : {"import", "train", "derive-little", "export"}) {
    EXPECT_EQ(json.at("stages").at(stage), "up to date");
    EXPECT_EQ(first_json().at("stages").at(stage), "done");
    EXPECT_THAT(again.err, HasSubstr(std::string(stage) + ": up to date, skipped"));
  }
  EXPECT_EQ(json.at("result"), first_json().at("result"));
}

TEST_F(Pipeline, RedoesOnlyWhatASettingReaches) {
  const Outcome changed =
      run(folder_->path(), {"run", "toy.toml", "--json", "--set", "calibrate.net_loss=0.1", "--set",
                            "export.folder=exports/changed"});
  ASSERT_EQ(changed.code, 0) << changed.err;
  const Json stages = parse_json(changed.out, "stdout").at("stages");
  EXPECT_EQ(stages.at("derive-little"), "up to date");
  EXPECT_EQ(stages.at("export"), "done");
}

/// The last line of the little network's metrics that has `key`.
Json last_metrics(const std::filesystem::path& folder, const std::string& key) {
  std::ifstream file(folder / "runs/toy/little-metrics.jsonl");
  Json found;
  for (std::string line; std::getline(file, line);) {
    Json json = parse_json(line, "metrics");
    if (json.contains(key)) found = std::move(json);
  }
  return found;
}

TEST_F(Pipeline, FineTunesTheInt8NetworkAndSaysWhichOneItKept) {
  TemporaryFolder other;
  prepare(other.path());
  for (const char* part : {"runs", "data"}) {
    std::filesystem::copy(*folder_ / part, other / part, std::filesystem::copy_options::recursive);
  }
  EXPECT_TRUE(last_metrics(other.path(), "fine_tune").is_null());
  const Outcome outcome = run(
      other.path(), {"derive-little", "toy.toml", "--json", "--set", "quantize.fine_tune.epochs=1",
                     "--set", "quantize.fine_tune.learning_rate=0.001"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("kept: "));
  EXPECT_EQ(last_metrics(other.path(), "fine_tune").at("fine_tune").at("epoch"), 1);
  const Json kept = last_metrics(other.path(), "quantized");
  EXPECT_EQ(kept.at("quantized"), "kept");
  EXPECT_EQ(kept.at("result"), parse_json(outcome.out, "stdout").at("quantization"));
  const Outcome exported =
      run(other.path(), {"export", "toy.toml", "--quiet", "--set", "quantize.fine_tune.epochs=1"});
  EXPECT_EQ(exported.code, 0) << exported.err;
}

TEST_F(Pipeline, LogsTheNoiseOfEveryLayerAlsoWhenInt8IsRefused) {
  TemporaryFolder other;
  prepare(other.path());
  for (const char* part : {"runs", "data"}) {
    std::filesystem::copy(*folder_ / part, other / part, std::filesystem::copy_options::recursive);
  }
  std::filesystem::remove(other / "runs/toy/little-int8.safetensors");
  const Outcome refused =
      run(other.path(),
          {"derive-little", "toy.toml", "--quiet", "--set", "quantize.max_drop=0.0", "--set",
           "quantize.range=\"percentile\"", "--set", "quantize.percentile=50.0"});
  EXPECT_EQ(refused.code, 1);
  const Json result = last_metrics(other.path(), "quantized").at("result");
  EXPECT_THAT(refused.err,
              HasSubstr("noisiest layers: " + result.at("noisiest").get<std::string>()));
  EXPECT_EQ(result.at("layers").size(), 4u);  // input, flattened, hidden's relu, logits
  EXPECT_FALSE(std::filesystem::exists(other / "runs/toy/little-int8.safetensors"));
}

TEST_F(Pipeline, ProfilesTrainingStepsAndLeavesFilesAlone) {
  TemporaryFolder other;
  prepare(other.path());
  std::filesystem::copy(*folder_ / "data", other / "data");
  const Outcome outcome =
      run(other.path(), {"train", "toy.toml", "--json", "--profile", "200", "--quiet"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(other / "runs"));
  const Json profile = parse_json(outcome.out, "stdout");
  EXPECT_EQ(profile.at("batch_size"), 32);
  EXPECT_EQ(profile.at("threads"), 1);
  const double seconds = profile.at("seconds").get<double>();
  EXPECT_DOUBLE_EQ(profile.at("samples_per_second").get<double>(), 200 * 32 / seconds);
  EXPECT_LT(profile.at("gflops").get<double>(), profile.at("peak_gflops").get<double>());
  double parts = 0.0;
  for (const auto& [name, spent] : profile.at("parts").items()) parts += spent.get<double>();
  EXPECT_GE(parts, seconds) << "every moment of a step belongs to a part";
  EXPECT_GT(profile.at("parts").at("linear").get<double>(), 0.0);
  EXPECT_EQ(profile.at("parts").at("convolution forward"), 0.0);
}

TEST_F(Pipeline, VerifiesInspectsAndEvaluatesItsBundle) {
  const Outcome verified = run(folder_->path(), {"verify", "exports/toy"});
  EXPECT_EQ(verified.code, 0) << verified.out;
  const Outcome inspected = run(folder_->path(), {"inspect", "exports/toy"});
  EXPECT_EQ(inspected.code, 0) << inspected.err;
  EXPECT_THAT(inspected.out, HasSubstr(first_json().at("result").at("id").get<std::string>()));
  const Outcome evaluated =
      run(folder_->path(), {"evaluate", "exports/toy", "data/toy.h5", "--json"});
  ASSERT_EQ(evaluated.code, 0) << evaluated.err;
  EXPECT_EQ(parse_json(evaluated.out, "stdout").at("report"),
            first_json().at("result").at("report"));
}

TEST_F(Pipeline, CertifiesItsBundleAgainWithTheSameResult) {
  const Outcome again = run(folder_->path(), {"certify", "exports/toy", "data/toy.h5", "--json"});
  ASSERT_EQ(again.code, 0) << again.err;
  const Json json = parse_json(again.out, "stdout");
  EXPECT_TRUE(json.at("same_dataset").get<bool>());
  EXPECT_TRUE(json.at("same_policy").get<bool>());
  EXPECT_EQ(json.at("policy"), first_json().at("result").at("policy"));
  EXPECT_TRUE(json.at("resample").is_null());
  const Outcome text = run(folder_->path(), {"certify", "exports/toy", "data/toy.h5"});
  EXPECT_THAT(text.out, HasSubstr("data         the bundle's own\n"));
  EXPECT_THAT(text.out, HasSubstr("policy       the same as the bundle's"));
}

TEST_F(Pipeline, CertifiesWithOtherBounds) {
  const Outcome other = run(folder_->path(), {"certify", "exports/toy", "data/toy.h5", "--json",
                                              "--set", "calibrate.net_loss=0.1"});
  ASSERT_EQ(other.code, 0) << other.err;
  EXPECT_FALSE(parse_json(other.out, "stdout").at("same_policy").get<bool>());
  const Outcome never = run(folder_->path(), {"certify", "exports/toy", "data/toy.h5", "--set",
                                              "calibrate.net_loss=0.0001"});
  EXPECT_EQ(never.code, 1);
  EXPECT_THAT(never.out, HasSubstr("threshold    none: everything escalates\n"));
}

TEST_F(Pipeline, ResamplesCalibrationAndTest) {
  const Outcome outcome = run(folder_->path(), {"certify", "exports/toy", "data/toy.h5", "--json",
                                                "--resample", "60", "--n", "300"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json report = parse_json(outcome.out, "stdout").at("resample");
  EXPECT_EQ(report.at("draws"), 60);
  EXPECT_EQ(report.at("size"), 300);
  EXPECT_EQ(report.at("pool"), 360 + 200);  // 30 % of 1,200 calibrate, 200 test
  EXPECT_EQ(report.at("risks"), Json::array({"net-loss"}));
  EXPECT_LE(report.at("certified").at("violated").at("low").get<double>(), 0.05);
  EXPECT_GT(report.at("certified").at("chosen").at("count").get<int>(), 0);
  EXPECT_LE(report.at("naive").at("median_escalation").get<double>(),
            report.at("certified").at("median_escalation").get<double>());
}

TEST_F(Pipeline, SaysWhenTheDataAreNotTheBundlesOwn) {
  const Outcome imported =
      run(folder_->path(),
          {"import", "raw", "-o", "data/other.h5", "--seed", "9", "--tune-fraction", "0.2",
           "--calibration-fraction", "0.3", "--classes", "north-west", "--classes", "north-east",
           "--classes", "south-west", "--classes", "south-east"});
  ASSERT_EQ(imported.code, 0) << imported.err;
  const Outcome outcome = run(folder_->path(), {"certify", "exports/toy", "data/other.h5"});
  EXPECT_THAT(outcome.out, HasSubstr("data         not the bundle's own"));
  EXPECT_THAT(outcome.out, HasSubstr("policy       differs from the bundle's\n"));
}

TEST_F(Pipeline, InspectsEveryKindOfFileWithoutLibTorch) {
  for (const char* file : {"data/toy.h5", "runs/toy/big.safetensors", "runs/toy/little.safetensors",
                           "runs/toy/little-int8.safetensors", "exports/toy"}) {
    expect_no_libtorch({"inspect", file}, {folder_->path(), {}}, 0);
    const Outcome json = run(folder_->path(), {"inspect", file, "--json"});
    EXPECT_EQ(json.code, 0) << json.err;
    EXPECT_NO_THROW(parse_json(json.out, file));
  }
  expect_no_libtorch({"verify", "--no-engines", "exports/toy"}, {folder_->path(), {}}, 0);
}

TEST_F(Pipeline, FindsADamagedBundle) {
  std::filesystem::copy(*folder_ / "exports/toy", *folder_ / "damaged",
                        std::filesystem::copy_options::recursive);
  std::ofstream(*folder_ / "damaged/policy.json", std::ios::app) << " ";
  const Outcome verified = run(folder_->path(), {"verify", "--no-engines", "damaged"});
  EXPECT_EQ(verified.code, 1);
  EXPECT_THAT(verified.out, HasSubstr("failed"));
  EXPECT_THAT(verified.out, HasSubstr("policy.json"));
  EXPECT_EQ(run(folder_->path(), {"inspect", "damaged"}).code, 65);
}

TEST_F(Pipeline, WritesNothingWhenNothingCanBeCertified) {
  const Outcome refused =
      run(folder_->path(), {"export", "toy.toml", "--quiet", "--set", "calibrate.net_loss=0.0001",
                            "--set", "export.folder=exports/never"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err, HasSubstr("nothing was written"));
  EXPECT_FALSE(std::filesystem::exists(*folder_ / "exports/never"));
}

TEST_F(Pipeline, WritesAnAlwaysEscalatingBundleWhenAskedTo) {
  const Outcome allowed =
      run(folder_->path(),
          {"export", "toy.toml", "--quiet", "--json", "--set", "calibrate.net_loss=0.0001", "--set",
           "calibrate.allow_uncertified=true", "--set", "export.folder=exports/uncertified"});
  ASSERT_EQ(allowed.code, 0) << allowed.err;
  const Json report = parse_json(allowed.out, "stdout").at("report");
  EXPECT_EQ(report.at("local").at("count"), 0);
}

TEST_F(Pipeline, RefusesNetworksOfAnotherDataset) {
  TemporaryFolder other;
  prepare(other.path());
  std::filesystem::copy(*folder_ / "runs", other / "runs",
                        std::filesystem::copy_options::recursive);
  const Outcome imported = run(other.path(), {"import", "raw", "-o", "data/toy.h5", "--seed", "9",
                                              "--tune-fraction", "0.2"});
  ASSERT_EQ(imported.code, 0) << imported.err;
  const Outcome refused = run(other.path(), {"export", "toy.toml", "--quiet"});
  EXPECT_EQ(refused.code, 65);
  EXPECT_EQ(refused.err,
            "biglittle: error: runs/toy/big.safetensors was trained on another dataset than "
            "data/toy.h5; train it again\n");
}

/// Trains in `folder` until the first checkpoint is there, which shows that the handler is, too;
/// then sends `signal`.
Outcome train_until_signal(const TemporaryFolder& folder, std::vector<std::string> arguments,
                           int signal) {
  Running training(arguments, {folder.path(), {}});
  for (int tick = 0; tick < 1200; ++tick) {
    if (std::filesystem::exists(folder / "runs/toy/big.safetensors")) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  }
  training.send(signal);
  return training.finish();
}

TEST_F(Pipeline, StopsAtASafePointOnSigint) {
  TemporaryFolder other;
  prepare(other.path());
  const Outcome outcome =
      train_until_signal(other, {"train", "toy.toml", "--set", "big.train.epochs=100000"}, SIGINT);
  EXPECT_EQ(outcome.code, 130);
  EXPECT_THAT(outcome.err, HasSubstr("biglittle: error: interrupted"));
  EXPECT_EQ(run(other.path(), {"inspect", "runs/toy/big.safetensors"}).code, 0);
}

TEST_F(Pipeline, ExportsABigNetworkThatAlsoLooksAtTheMirrorImage) {
  TemporaryFolder other;
  prepare(other.path());
  // Mirror images belong to another class here, so that nothing can be certified.
  const Outcome outcome = run(other.path(), {"run", "toy.toml", "--set", "big.test_time_flip=true",
                                             "--set", "calibrate.allow_uncertified=true"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Outcome verified = run(other.path(), {"verify", "exports/toy"});
  EXPECT_EQ(verified.code, 0) << verified.out;
  EXPECT_THAT(run(other.path(), {"inspect", "runs/toy/big.safetensors"}).out,
              HasSubstr("logits are means with the mirror image's"));
  EXPECT_THAT(run(other.path(), {"inspect", "runs/toy/little.safetensors"}).out,
              Not(HasSubstr("mirror")));
  EXPECT_THAT(read_text(other / "exports/toy/MODEL_CARD.md"), HasSubstr("mirror image"));
}

TEST_F(Pipeline, ResumesAnInterruptedTrainingToTheSameBytes) {
  const std::vector<std::string> train = {"train", "toy.toml", "--set", "big.train.epochs=500"};
  TemporaryFolder whole;
  prepare(whole.path());
  ASSERT_EQ(run(whole.path(), train).code, 0);
  EXPECT_FALSE(std::filesystem::exists(whole / "runs/toy/big-state.safetensors"));

  TemporaryFolder other;
  prepare(other.path());
  ASSERT_EQ(train_until_signal(other, train, SIGTERM).code, 143);
  ASSERT_TRUE(std::filesystem::exists(other / "runs/toy/big-state.safetensors"));
  const Outcome refused =
      run(other.path(), {"train", "toy.toml", "--resume", "--set", "big.train.epochs=500", "--set",
                         "big.train.learning_rate=0.01"});
  EXPECT_EQ(refused.code, 78);
  EXPECT_EQ(refused.err.substr(refused.err.find("biglittle: error")),
            "biglittle: error: runs/toy/big-state.safetensors belongs to another training: "
            "big.train.learning_rate is 0.01, was 0.05; undo that, go on all the same with "
            "--allow-changes, or begin again without --resume\n");
  std::vector<std::string> resume = train;
  resume.push_back("--resume");
  const Outcome resumed = run(other.path(), resume);
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("going on after step "));
  EXPECT_EQ(read_text(other / "runs/toy/big.safetensors"),
            read_text(whole / "runs/toy/big.safetensors"));
  const std::string metrics = read_text(other / "runs/toy/metrics.jsonl");
  EXPECT_EQ(std::ranges::count(metrics, '\n'), 500);
}

TEST_F(Pipeline, ResumesInterruptedFineTuningWithoutTrainingAgain) {
  const std::vector<std::string> derive = {"derive-little", "toy.toml",
                                           "--set",         "quantize.fine_tune.epochs=300",
                                           "--set",         "quantize.fine_tune.learn_steps=true"};
  const auto prepared = [&](const TemporaryFolder& folder) {
    prepare(folder.path());
    for (const char* part : {"runs", "data"}) {
      std::filesystem::copy(*folder_ / part, folder / part,
                            std::filesystem::copy_options::recursive);
    }
  };
  TemporaryFolder whole;
  prepared(whole);
  ASSERT_EQ(run(whole.path(), derive).code, 0);

  TemporaryFolder other;
  prepared(other);
  const std::filesystem::path state = other / "runs/toy/little-int8-state.safetensors";
  Running interrupted(derive, {other.path(), {}});
  for (int tick = 0; tick < 1200 && !std::filesystem::exists(state); ++tick) {
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  }
  interrupted.send(SIGTERM);
  ASSERT_EQ(interrupted.finish().code, 143);
  std::vector<std::string> resume = derive;
  resume.push_back("--resume");
  const Outcome resumed = run(other.path(), resume);
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("by runs/toy/little-int8-state.safetensors"));
  EXPECT_THAT(resumed.err, Not(HasSubstr("epoch 1/4"))) << "little was trained already";
  for (const char* file : {"little.safetensors", "little-int8.safetensors"}) {
    EXPECT_EQ(read_text(other / "runs/toy" / file), read_text(whole / "runs/toy" / file)) << file;
  }
  const std::string metrics = read_text(other / "runs/toy/little-metrics.jsonl");
  EXPECT_EQ(std::ranges::count(metrics, '\n'), 4 + 300 + 2);
  EXPECT_FALSE(std::filesystem::exists(state));
  EXPECT_FALSE(std::filesystem::exists(other / "runs/toy/little-state.safetensors"));
}

TEST_F(Pipeline, ResumeBeginsAnewWhereNothingWasInterrupted) {
  TemporaryFolder other;
  prepare(other.path());
  const Outcome outcome = run(other.path(), {"train", "toy.toml", "--resume"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(read_text(other / "runs/toy/big.safetensors"),
            read_text(folder_->path() / "runs/toy/big.safetensors"));
  EXPECT_EQ(run(other.path(), {"train", "toy.toml", "--allow-changes"}).code, 64);
}

TEST_F(Pipeline, TrainsWithinABudget) {
  TemporaryFolder other;
  prepare(other.path());
  const Outcome outcome = run(other.path(), {"train", "toy.toml", "--budget-minutes", "0.005"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("budget of 0.005 minutes: "));
  EXPECT_EQ(run(other.path(), {"inspect", "runs/toy/big.safetensors"}).code, 0);
}

TEST_F(Pipeline, LogsOneLineAnEpochWhenThereIsNoTerminal) {
  EXPECT_THAT(first_->err, HasSubstr("epoch 3/3"));
  EXPECT_THAT(first_->err, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace biglittle::testing
