// SPDX-License-Identifier: MIT
// kill_soak [KILLS]: kills training with SIGKILL at random instants, many of them inside a save,
// and looks whether the checkpoint and the state can still be read and nothing saved before is
// lost.

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>
#include <stdexcept>
#include <thread>

#include "cli/program.h"
#include "cli/toy_data.h"
#include "core/error.h"
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

bool is_temporary(const fs::path& file) {
  const std::string name = file.filename().string();
  return name != "big.safetensors" && name != "big-state.safetensors" &&
         name.find(".safetensors") != std::string::npos;
}

/// Removes what killed saves left; true when there was something.
bool remove_temporaries(const fs::path& folder) {
  bool found = false;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (!is_temporary(entry.path())) continue;
    fs::remove(entry.path());
    found = true;
  }
  return found;
}

/// Trains on, until something new was saved and then for `delay`; kills.
void train_and_kill(const fs::path& folder, std::chrono::microseconds delay) {
  std::error_code ignored;
  const fs::path state = folder / kRuns / "big-state.safetensors";
  const auto before = fs::last_write_time(state, ignored);
  testing::Running training({"train", "toy.toml", "--resume", "--quiet"}, {folder, {}});
  for (int tick = 0; tick < 60000; ++tick) {
    if (fs::exists(state, ignored) && fs::last_write_time(state, ignored) != before) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::this_thread::sleep_for(delay);
  training.send(SIGKILL);
  const testing::Outcome outcome = training.finish();
  if (outcome.code == 128 + SIGKILL) return;
  throw std::runtime_error("training ended by itself: " + outcome.err);
}

struct Counts {
  int inside_save = 0;
  int unreadable = 0;
  int lost = 0;
};

void look(const fs::path& folder, std::int64_t& last_step, Counts& counts) {
  counts.inside_save += remove_temporaries(folder / kRuns) ? 1 : 0;
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

}  // namespace

int main(int argc, char** argv) {
  const int kills = argc > 1 ? std::atoi(argv[1]) : 200;
  const testing::TemporaryFolder folder;
  testing::write_toy_idx(folder / "raw", 1200, 200);
  std::ofstream(folder / "toy.toml") << kConfig;
  std::mt19937 random(1);
  Counts counts;
  std::int64_t last_step = 0;
  for (int i = 0; i < kills; ++i) {
    train_and_kill(folder.path(), std::chrono::microseconds(random() % 1200000));
    look(folder.path(), last_step, counts);
  }
  fmt::print("{} kills, {} of them inside a save; {} unreadable, {} lost; {} steps in all\n", kills,
             counts.inside_save, counts.unreadable, counts.lost, last_step);
  // A handful of kills may all miss.
  const bool enough = kills < 100 || counts.inside_save * 4 >= kills;
  if (!enough) fmt::print("too few kills fell into a save\n");
  return counts.unreadable == 0 && counts.lost == 0 && enough ? 0 : 1;
}
