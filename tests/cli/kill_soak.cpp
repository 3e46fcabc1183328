// SPDX-License-Identifier: MIT
// kill_soak [KILLS]: kills training with SIGKILL at random instants, every other one after a save
// has begun, and looks whether the checkpoint and the state can still be read, nothing saved before
// is lost and the next run removes what was left. Then stops it with SIGTERM, once and twice, and
// tells how long that took.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>

#include "cli/program.h"
#include "cli/toy_data.h"
#include "core/error.h"
#include "core/json.h"
#include "testing/temporary_folder.h"
#include "train/checkpoint.h"
#include "train/fit_state.h"

using namespace biglittle;
namespace fs = std::filesystem;

namespace {

/// Epochs of one step over a network whose state is 20 MB: most of the time goes into saving.
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
hidden = [1024, 1024]
[big.train]
epochs = 100000
batch_size = 512
learning_rate = 0.0001
)";

const fs::path kRuns = "runs/toy";

using Names = std::set<std::string>;

/// What killed saves left.
Names leftovers(const fs::path& folder) {
  Names names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(".")) names.insert(name);
  }
  return names;
}

/// Trains on, until something new was saved and then for `delay`.
testing::Running train_for(const fs::path& folder, std::chrono::microseconds delay) {
  std::error_code ignored;
  const fs::path state = folder / kRuns / "big-state.safetensors";
  const auto before = fs::last_write_time(state, ignored);
  testing::Running training({"train", "toy.toml", "--resume", "--quiet"}, {folder, {}, {}});
  for (int tick = 0; tick < 60000; ++tick) {
    if (fs::exists(state, ignored) && fs::last_write_time(state, ignored) != before) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::this_thread::sleep_for(delay);
  return training;
}

/// Waits for the next save to begin, which takes some ten milliseconds; it may be over before.
void wait_for_save(const fs::path& folder) {
  for (int tick = 0; tick < 100000 && leftovers(folder / kRuns).empty(); ++tick) {
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

void expect_code(const testing::Outcome& outcome, const std::set<int>& codes) {
  if (codes.contains(outcome.code)) return;
  throw std::runtime_error(
      fmt::format("training ended with code {}: {}", outcome.code, outcome.err));
}

struct Counts {
  int inside_save = 0;
  int unreadable = 0;
  int lost = 0;
  int never_removed = 0;
};

/// `left` is what lies there already.
void look(const fs::path& folder, std::int64_t& last_step, Names& left, Counts& counts) {
  const Names before = std::exchange(left, leftovers(folder / kRuns));
  counts.inside_save += left.empty() ? 0 : 1;
  for (const std::string& name : before) counts.never_removed += left.contains(name) ? 1 : 0;
  try {
    FitIdentity unused;
    load_checkpoint(folder / kRuns / "big.safetensors");
    const FitState state = load_fit_state(folder / kRuns / "big-state.safetensors", unused);
    counts.lost += state.step < last_step ? 1 : 0;
    last_step = state.step;
  } catch (const Error& error) {
    fmt::print("{}\n", error.what());
    ++counts.unreadable;
  }
}

/// Seconds from the first signal to the end.
double stop(const fs::path& folder, const std::vector<int>& signals, const std::set<int>& codes,
            std::chrono::microseconds delay) {
  testing::Running training = train_for(folder, delay);
  const auto start = std::chrono::steady_clock::now();
  for (const int signal : signals) {
    training.send(signal);
    std::this_thread::sleep_for(std::chrono::milliseconds(signals.size() > 1 ? 5 : 0));
  }
  expect_code(training.finish(), codes);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// An epoch is one step and its evaluation on tune here; saves are not counted.
double longest_epoch_seconds(const fs::path& folder) {
  std::ifstream lines(folder / kRuns / "metrics.jsonl");
  double longest = 0.0;
  for (std::string line; std::getline(lines, line);) {
    longest = std::max(longest, parse_json(line, "metrics.jsonl").at("seconds").get<double>());
  }
  return longest;
}

}  // namespace

int main(int argc, char** argv) {
  const int kills = argc > 1 ? std::atoi(argv[1]) : 200;
  const testing::TemporaryFolder folder;
  testing::write_toy_idx(folder / "raw", 1200, 200);
  std::ofstream(folder / "toy.toml") << kConfig;
  std::mt19937 random(1);
  const auto delay = [&] { return std::chrono::microseconds(random() % 1200000); };
  Counts counts;
  Names left;
  std::int64_t last_step = 0;
  // A handful of kills may all miss; of many, a quarter has to fall into a save.
  const int wanted = kills < 100 ? 0 : kills / 4;
  int done = 0;
  for (; done < kills || (counts.inside_save < wanted && done < 4 * kills); ++done) {
    testing::Running training = train_for(folder.path(), delay());
    if (done % 2 == 1) {
      wait_for_save(folder.path());
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 4000));
    }
    training.send(SIGKILL);
    expect_code(training.finish(), {128 + SIGKILL});
    look(folder.path(), last_step, left, counts);
  }
  fmt::print(
      "{} kills, {} of them inside a save; {} unreadable, {} lost, {} leftovers stayed; {} "
      "steps in all\n",
      done, counts.inside_save, counts.unreadable, counts.lost, counts.never_removed, last_step);
  const bool enough = counts.inside_save >= wanted;
  if (!enough) fmt::print("too few kills fell into a save\n");

  const int stops = std::max(2, kills / 10);
  std::vector<double> seconds;
  std::size_t left_by_stops = 0;
  for (int i = 0; i < stops; ++i) {
    seconds.push_back(stop(folder.path(), {SIGTERM}, {128 + SIGTERM}, delay()));
    look(folder.path(), last_step, left, counts);
    left_by_stops += left.size();
  }
  std::sort(seconds.begin(), seconds.end());
  fmt::print(
      "{} times SIGTERM: {:.2f} s to the end in the median, {:.2f} s at most; {} files "
      "left\n",
      stops, seconds[seconds.size() / 2], seconds.back(), left_by_stops);
  for (int i = 0; i < stops; ++i) {
    stop(folder.path(), {SIGTERM, SIGINT}, {128 + SIGTERM, 128 + SIGINT}, delay());
    look(folder.path(), last_step, left, counts);
  }
  fmt::print(
      "{} times SIGTERM and at once SIGINT; in all: {} unreadable, {} lost, {} leftovers "
      "stayed; longest epoch of one step {:.2f} s\n",
      stops, counts.unreadable, counts.lost, counts.never_removed,
      longest_epoch_seconds(folder.path()));
  const int wrong = counts.unreadable + counts.lost + counts.never_removed;
  return wrong == 0 && left_by_stops == 0 && enough ? 0 : 1;
}
