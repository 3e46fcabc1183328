// SPDX-License-Identifier: MIT
// Training in two processes, started as a shell loop would start them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <memory>
#include <thread>

#include "cli/program.h"
#include "cli/toy_data.h"
#include "core/files.h"
#include "core/json.h"
#include "testing/free_port.h"
#include "testing/temporary_folder.h"

namespace biglittle::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr const char* kConfig = R"(
seed = 3
[compute]
threads = 1
rank_timeout = 60
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
epochs = 3
batch_size = 32
learning_rate = 0.05
[quantize.fine_tune]
epochs = 1
)";

using Arguments = std::vector<std::string>;
namespace fs = std::filesystem;

class TwoProcesses : public ::testing::Test {
 protected:
  void SetUp() override {
#ifndef BIGLITTLE_HAS_GLOO
    GTEST_SKIP() << "built without Gloo";
#endif
    write_toy_idx(folder_ / "raw", 1200, 200);
    std::ofstream(folder_ / "toy.toml") << kConfig;
    ASSERT_EQ(alone({"import", "raw", "-o", "data/toy.h5", "--classes", "north-west", "--classes",
                     "north-east", "--classes", "south-west", "--classes", "south-east",
                     "--tune-fraction", "0.2", "--calibration-fraction", "0.3"})
                  .code,
              0);
  }

  Outcome alone(const Arguments& arguments) { return biglittle(arguments, {folder_.path(), {}}); }

  /// Rank `rank` of `size`; all that are started without a new port in between meet.
  std::unique_ptr<Running> start(int rank, const Arguments& arguments, int size = 2) {
    return std::make_unique<Running>(arguments, Setting{folder_.path(),
                                                        {{"RANK", std::to_string(rank)},
                                                         {"WORLD_SIZE", std::to_string(size)},
                                                         {"MASTER_ADDR", "localhost"},
                                                         {"MASTER_PORT", std::to_string(port_)}}});
  }

  std::array<Outcome, 2> both(const Arguments& arguments) {
    port_ = free_port();
    const std::unique_ptr<Running> first = start(0, arguments);
    const std::unique_ptr<Running> second = start(1, arguments);
    return {first->finish(), second->finish()};
  }

  /// Starts training that would last for hours and returns when an epoch has been saved.
  std::array<std::unique_ptr<Running>, 2> start_long_training() {
    port_ = free_port();
    const Arguments arguments = {"train", "toy.toml", "--set", "big.train.epochs=100000",
                                 "--quiet"};
    std::array<std::unique_ptr<Running>, 2> ranks = {start(0, arguments), start(1, arguments)};
    std::error_code ignored;
    for (int tick = 0; tick < 60000 && !fs::exists(state_file(), ignored); ++tick) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return ranks;
  }

  fs::path state_file() const { return folder_ / "runs/toy/big-state.safetensors"; }

  TemporaryFolder folder_;
  std::int64_t port_ = free_port();
};

Json digest_of(const Outcome& outcome, const char* key) {
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return parse_json(outcome.out, "stdout").at(key);
}

std::string read(const fs::path& file) { return read_text(file); }

TEST_F(TwoProcesses, LearnWhatOneWithTwoThreadsLearnsAndOnlyTheFirstSpeaks) {
  for (const auto& [command, key] : std::vector<std::pair<std::string, const char*>>{
           {"train", "digest"}, {"derive-little", "little_int8_digest"}}) {
    const Outcome one =
        alone({command, "toy.toml", "--json", "--quiet", "--set", "compute.threads=2"});
    const fs::path runs = folder_ / "runs/toy";
    fs::rename(runs, folder_ / "runs/one");
    // The little network is derived from the same big one.
    fs::create_directories(runs);
    if (command != "train") {
      fs::copy(folder_ / "runs/one/big.safetensors", runs / "big.safetensors");
    }
    const std::array<Outcome, 2> two = both({command, "toy.toml", "--json"});
    EXPECT_EQ(digest_of(two[0], key), digest_of(one, key));
    EXPECT_EQ(two[1].code, 0);
    EXPECT_EQ(two[1].out, "");
    EXPECT_EQ(two[1].err, "");
    const std::string metrics =
        read(runs / (command == "train" ? "metrics.jsonl" : "little-metrics.jsonl"));
    const auto lines = std::count(metrics.begin(), metrics.end(), '\n');
    EXPECT_EQ(lines, command == "train" ? 3 : 6);  // epochs; quantized, fine-tuned, kept
    fs::remove_all(folder_ / "runs/one");
  }
}

TEST_F(TwoProcesses, EndTogetherWhenOneIsKilled) {
  for (const std::size_t victim : {1u, 0u}) {
    const auto ranks = start_long_training();
    ranks[victim]->send(SIGKILL);
    EXPECT_EQ(ranks[victim]->finish().code, 128 + SIGKILL);
    const Outcome survivor = ranks[1 - victim]->finish();
    EXPECT_EQ(survivor.code, 74);
    EXPECT_EQ(survivor.out, "");
    EXPECT_EQ(survivor.err,
              "biglittle: error: rank " + std::to_string(1 - victim) +
                  " of 2 lost another rank, which has ended: look for its message; with --resume "
                  "all go on after the last state that was saved\n");
    fs::remove(state_file());
  }
}

TEST_F(TwoProcesses, StopTogetherOnASignalToOneAndGoOnOnlyTogether) {
  const auto ranks = start_long_training();
  ranks[1]->send(SIGTERM);
  for (const auto& rank : ranks) {
    const Outcome outcome = rank->finish();
    EXPECT_EQ(outcome.code, 143);
    EXPECT_EQ(outcome.err, "biglittle: error: interrupted\n");
  }
  const Arguments resume = {"train",   "toy.toml", "--set", "big.train.epochs=100000",
                            "--quiet", "--resume"};
  const Outcome refused = alone(resume);
  EXPECT_EQ(refused.code, 78);
  EXPECT_EQ(refused.err,
            "biglittle: error: the interrupted training ran in 2 process(es), this one in 1: start "
            "as many, or allow changes\n");
}

TEST_F(TwoProcesses, DoNotDoTheWorkOfOne) {
  for (const Arguments& work : {Arguments{"run", "toy.toml"}, Arguments{"export", "toy.toml"}}) {
    const Outcome outcome = start(1, work)->finish();
    EXPECT_EQ(outcome.code, 64);
    EXPECT_EQ(outcome.err, "biglittle: error: " + work[0] +
                               " is the work of one process, and this is rank 1 of 2: only train "
                               "and derive-little take several; set RANK=0 WORLD_SIZE=1\n");
  }
  fs::remove(folder_ / "data/toy.h5");
  const Outcome outcome = start(1, {"train", "toy.toml"})->finish();
  EXPECT_EQ(outcome.code, 64);
  EXPECT_THAT(outcome.err, HasSubstr("import is the work of one process"));
}

}  // namespace
}  // namespace biglittle::testing
