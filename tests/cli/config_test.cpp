// SPDX-License-Identifier: MIT
#include "cli/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "cli/program.h"
#include "testing/temporary_folder.h"

namespace biglittle::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ConfigFile : public ::testing::Test {
 protected:
  Project load(const std::string& text, const std::vector<std::string>& assignments = {}) {
    std::ofstream(folder_ / "shapes.toml") << text;
    return load_project(folder_ / "shapes.toml", assignments);
  }

  TemporaryFolder folder_;
};

TEST_F(ConfigFile, NamesPathsAfterItself) {
  const Project project = load("");
  EXPECT_EQ(project.config.name, "shapes");
  EXPECT_EQ(project.dataset_file(), folder_ / "data/shapes.h5");
  EXPECT_EQ(project.big_file(), folder_ / "runs/shapes/big.safetensors");
  EXPECT_EQ(project.bundle_folder(), folder_ / "exports/shapes");
}

TEST_F(ConfigFile, StatedNameNamesThePaths) {
  EXPECT_EQ(load("name = \"other\"\n").dataset_file(), folder_ / "data/other.h5");
}

TEST_F(ConfigFile, AssignmentIsOverTheFile) {
  const Project project = load("[big.train]\nepochs = 3\n", {"big.train.epochs=4"});
  EXPECT_EQ(project.config.big.train.epochs, 4);
}

TEST_F(ConfigFile, PathsAreRelativeToItHoweverTheyWereSet) {
  const Project project =
      load("runs = \"../results\"\n", {"data.file=sets/a.h5", "export.folder=/srv/bundle"});
  EXPECT_EQ(project.runs_folder(), folder_.path().parent_path() / "results");
  EXPECT_EQ(project.dataset_file(), folder_ / "sets/a.h5");
  EXPECT_EQ(project.bundle_folder(), "/srv/bundle");
}

TEST_F(ConfigFile, ResolvedTextDoesNotKnowTheMachine) {
  const std::string text = resolved_toml(load("runs = \"results\"\n"));
  EXPECT_THAT(text, HasSubstr("runs = "));
  EXPECT_THAT(text, Not(HasSubstr(folder_.path().string())));
}

TEST_F(ConfigFile, ResolvedTextReadsBackTheSame) {
  const std::string text =
      resolved_toml(load("seed = 7\n[little]\npriority = [\"a\", \"b\"]\n", {"compute.threads=3"}));
  EXPECT_EQ(resolved_toml(load(text)), text);
}

TEST_F(ConfigFile, ArtifactsCarryTheOptionsUpToTheirStage) {
  const Project project = load("");
  EXPECT_THAT(resolved_toml(project, Stage::import), Not(HasSubstr("[big")));
  EXPECT_THAT(resolved_toml(project, Stage::import), Not(HasSubstr("name = ")));
  EXPECT_THAT(resolved_toml(project, Stage::train), HasSubstr("[big.train]"));
  EXPECT_THAT(resolved_toml(project, Stage::train), Not(HasSubstr("[little")));
  EXPECT_THAT(resolved_toml(project, Stage::derive_little), HasSubstr("[quantize]"));
  EXPECT_THAT(resolved_toml(project, Stage::derive_little), Not(HasSubstr("[calibrate]")));
  EXPECT_EQ(resolved_toml(project, Stage::export_bundle), resolved_toml(project));
}

TEST(PrintConfig, OfEveryExampleIsReadAndReadsBackTheSame) {
  TemporaryFolder folder;
  int examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(BIGLITTLE_CONFIGS)) {
    if (entry.path().extension() != ".toml") continue;
    ++examples;
    const Outcome printed = biglittle({"run", entry.path().string(), "--print-config"});
    ASSERT_EQ(printed.code, 0) << printed.err;
    std::ofstream(folder / entry.path().filename().string()) << printed.out;
    const Outcome again =
        biglittle({"run", (folder / entry.path().filename().string()).string(), "--print-config"});
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(again.out, printed.out) << entry.path();
  }
  EXPECT_GE(examples, 2);
}

TEST(PrintConfig, ExplainsEveryOption) {
  const Outcome printed = biglittle(
      {"train", std::string(BIGLITTLE_CONFIGS) + "/fashion-mnist.toml", "--print-config"});
  EXPECT_THAT(printed.out, HasSubstr("# "));
  EXPECT_THAT(printed.out, HasSubstr("name = \"fashion-mnist\""));
}

std::string with_budget(const std::string& command, const std::string& minutes) {
  const Outcome printed =
      biglittle({command, std::string(BIGLITTLE_CONFIGS) + "/fashion-mnist.toml",
                 "--budget-minutes", minutes, "--print-config"});
  EXPECT_EQ(printed.code, 0) << printed.err;
  std::string found;
  std::istringstream lines(printed.out);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("budget_minutes")) found += line + ";";
  }
  return found;
}

TEST(BudgetMinutes, SetTheOptionOfEachTraining) {
  EXPECT_EQ(with_budget("train", "6"), "budget_minutes = 6.0;budget_minutes = 0.0;");
  EXPECT_EQ(with_budget("derive-little", "0.5"), "budget_minutes = 0.0;budget_minutes = 0.5;");
  EXPECT_EQ(with_budget("run", "6"), "budget_minutes = 4.0;budget_minutes = 2.0;");
}

TEST(BudgetMinutes, AreAboveZero) {
  for (const std::string minutes : {"0", "-1", "nan", "", "5m", "1e9"}) {
    const Outcome outcome = biglittle({"train", "x.toml", "--budget-minutes=" + minutes});
    EXPECT_EQ(outcome.code, 64);
    EXPECT_THAT(outcome.err, HasSubstr("error: ")) << minutes;
  }
  const Outcome outcome = biglittle({"train", "x.toml", "--budget-minutes", "5m"});
  EXPECT_EQ(
      outcome.err,
      "biglittle: error: --budget-minutes is '5m', expected minutes above 0 and at most 1000000\n");
}

TEST(Profile, StepsAreAWholeNumberAboveZero) {
  for (const std::string steps : {"0", "-3", "1.5", "many", "100001"}) {
    const Outcome outcome = biglittle({"train", "x.toml", "--profile=" + steps});
    EXPECT_EQ(outcome.code, 64);
    EXPECT_EQ(outcome.err,
              "biglittle: error: --profile is '" + steps + "', expected steps from 1 to 100000\n");
  }
}

}  // namespace
}  // namespace biglittle::testing
