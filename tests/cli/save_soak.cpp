// SPDX-License-Identifier: MIT
// save_soak [RUNS]: lets every call fail, one in each run, with which a training saves its files:
// disk full, input/output error, and writes that were not done. Looks whether the file that was
// there before is still whole, what the program says and with which code it ends. RUNS: that many
// of them, evenly chosen.

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "cli/program.h"
#include "cli/save_sites.h"
#include "cli/toy_data.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "testing/temporary_folder.h"
#include "train/checkpoint.h"
#include "train/fit_state.h"

using namespace biglittle;
using testing::SaveSite;
namespace fs = std::filesystem;

namespace {

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
hidden = [16]
[big.train]
epochs = 2
batch_size = 64
)";

constexpr const char* kRuns = "runs/toy";
/// Of which every version can be told; metrics.jsonl has times in it.
constexpr const char* kFiles[] = {"big.safetensors", "big-state.safetensors",
                                  "config.resolved.toml"};
constexpr int kSkipped = 77;  // ctest knows it

/// One thing that goes wrong at one place.
struct Fault {
  SaveSite site;
  std::string what;  ///< in strace's words
};

std::vector<Fault> faults_at(const std::vector<SaveSite>& sites) {
  std::vector<Fault> faults;
  for (const SaveSite& site : sites) {
    faults.push_back({site, "error=EIO"});
    if (!site.takes_space) continue;
    faults.push_back({site, "error=ENOSPC"});
    // The disk claims that one byte was taken, and it was not.
    if (site.call == "write" && site.is_temporary) faults.push_back({site, "retval=1"});
  }
  return faults;
}

std::vector<Fault> choose(std::vector<Fault> faults, std::size_t count) {
  if (count >= faults.size()) return faults;
  std::vector<Fault> chosen;
  for (std::size_t i = 0; i < count; ++i) {
    chosen.push_back(faults[(2 * i + 1) * faults.size() / (2 * count)]);
  }
  return chosen;
}

/// What is known about whole files: by name and how often it had been replaced, the hash.
class Versions {
 public:
  /// "" when `file` is what it has to be.
  std::string check(const fs::path& file, int replaced) {
    const std::string name = file.filename().string();
    const std::string hash = fs::exists(file) ? sha256_file(file) : "nothing";
    const auto [known, is_new] = hashes_.try_emplace({name, replaced}, hash);
    if (known->second != hash) return fmt::format("{} is another file", name);
    if (is_new && fs::exists(file)) load(file);
    return "";
  }

 private:
  static void load(const fs::path& file) {
    FitIdentity unused;
    if (file.filename() == "big.safetensors") load_checkpoint(file);
    if (file.filename() == "big-state.safetensors") load_fit_state(file, unused);
  }

  std::map<std::pair<std::string, int>, std::string> hashes_;
};

std::string check_message(const Fault& fault, const testing::Outcome& outcome) {
  if (outcome.code == 0 && !fault.site.must_fail) return "";
  if (outcome.code != 74) return fmt::format("exit code {}", outcome.code);
  const auto has = [&](const std::string& text) {
    return outcome.err.find(text) != std::string::npos;
  };
  if (!has("biglittle: error: ") || outcome.err.find('\n') + 1 != outcome.err.size()) {
    return "not one line";
  }
  if (!has(fault.site.file.empty() ? kRuns : fmt::format("{}/{}: ", kRuns, fault.site.file))) {
    return "the file is not named";
  }
  if (fault.what == "retval=1" && !has("reads back differently")) return "not found out";
  const bool of_folder = fault.site.call == "fsync" && fault.site.file.empty();
  if (fault.what == "error=ENOSPC" && !of_folder && !has("bytes are to be written")) {
    return "the space needed is not stated";
  }
  return "";
}

std::string check_files(const Fault& fault, const fs::path& runs, Versions& versions) {
  for (const fs::directory_entry& entry : fs::directory_iterator(runs)) {
    if (entry.path().filename().string().starts_with(".")) return "a temporary file is left";
  }
  const bool renamed = fault.site.call == "fsync" && fault.site.file.empty();
  for (const char* name : kFiles) {
    const auto found = fault.site.replaced.find(name);
    const int replaced = found == fault.site.replaced.end() ? 0 : found->second;
    const std::string wrong = versions.check(runs / name, replaced);
    if (!wrong.empty()) return wrong + (renamed ? " after the rename" : "");
  }
  const std::string metrics = read_text(runs / "metrics.jsonl");
  return metrics.empty() || metrics.back() == '\n' ? "" : "half a line in metrics.jsonl";
}

/// A project with a trained network, which a run with another seed then replaces.
class Project {
 public:
  Project() {
    testing::write_toy_idx(start_ / "raw", 400, 100);
    std::ofstream(start_ / "toy.toml") << kConfig;
    const testing::Outcome outcome = testing::biglittle(arguments("1"), {start_.path(), {}, {}});
    if (outcome.code != 0) throw std::runtime_error(outcome.err);
  }

  /// Trains in a fresh copy, which lies in `copy()` afterwards.
  testing::Outcome train(std::vector<std::string> under) {
    fs::remove_all(copy());
    fs::copy(start_.path(), copy(), fs::copy_options::recursive);
    return testing::biglittle(arguments("2"), {copy(), {}, std::move(under)});
  }

  /// The runs folder before.
  fs::path previous() const { return start_ / kRuns; }
  fs::path copy() const { return work_ / "copy"; }
  fs::path log() const { return work_ / "log"; }

 private:
  static std::vector<std::string> arguments(const std::string& seed) {
    return {"train", "toy.toml", "--quiet", "--set", "seed=" + seed};
  }

  testing::TemporaryFolder start_;
  testing::TemporaryFolder work_;
};

/// "" or what was wrong.
std::string try_fault(const Fault& fault, Project& project, Versions& versions) {
  const testing::Outcome outcome =
      project.train(testing::traced(project.log(), fault.site, fault.what));
  const std::string call = testing::injected_call(project.log());
  const std::string about = fault.site.file.empty() ? kRuns : fault.site.file;
  if (call.find(about) == std::string::npos) return "another call failed: " + call;
  std::string wrong = check_message(fault, outcome);
  if (wrong.empty() && outcome.code != 0) {
    wrong = check_files(fault, project.copy() / kRuns, versions);
  }
  return wrong.empty() ? "" : fmt::format("{} [{}]", wrong, outcome.err);
}

}  // namespace

int main(int argc, char** argv) {
  if (!testing::can_trace()) {
    fmt::print("skipped: strace is not there or may not trace (scripts/bootstrap --test)\n");
    return kSkipped;
  }
  Project project;
  const testing::Outcome whole = project.train(testing::traced(project.log()));
  if (whole.code != 0) {
    fmt::print("the run without a fault failed: {}\n", whole.err);
    return 1;
  }
  const std::vector<SaveSite> sites = testing::save_sites(project.log(), kRuns);
  const std::vector<Fault> all = faults_at(sites);
  const std::vector<Fault> chosen =
      choose(all, argc > 1 ? static_cast<std::size_t>(std::atoi(argv[1])) : all.size());
  Versions versions;
  for (const char* name : kFiles) versions.check(project.previous() / name, 0);
  std::map<std::string, int> tried;
  int failures = 0;
  for (const Fault& fault : chosen) {
    ++tried[fmt::format("{:<7} {}", fault.site.call, fault.what)];
    const std::string wrong = try_fault(fault, project, versions);
    if (wrong.empty()) continue;
    ++failures;
    fmt::print("{} {} of {}: {}\n", fault.what, fault.site.call, fault.site.file, wrong);
  }
  for (const auto& [what, count] : tried) fmt::print("{:<22} {:>4}\n", what, count);
  fmt::print("{} sites, {} of {} faults tried, {} wrong\n", sites.size(), chosen.size(), all.size(),
             failures);
  return failures == 0 && !chosen.empty() ? 0 : 1;
}
