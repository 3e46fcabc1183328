// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "cli/program.h"
#include "cli/toy_data.h"
#include "core/version.h"
#include "testing/temporary_folder.h"

namespace biglittle::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

void write_text(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file) << text;
}

void expect_error(const Outcome& outcome, int code, const std::string& line) {
  EXPECT_EQ(outcome.code, code);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "biglittle: error: " + line + "\n");
}

TEST(Help, NamesEveryCommandOnStandardOutput) {
  const Outcome outcome = biglittle({"--help"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  for (const char* command : {"run", "import", "train", "derive-little", "export", "evaluate",
                              "certify", "recalibrate", "audit", "inspect", "verify", "doctor"}) {
    EXPECT_THAT(outcome.out, HasSubstr(std::string("\n  ") + command + " "));
  }
}

TEST(Help, OfImportListsTheOptionsOfItsStruct) {
  const Outcome outcome = biglittle({"import", "--help"});
  EXPECT_EQ(outcome.code, 0);
  for (const char* option : {"--format", "--classes", "--tune-fraction", "--calibration-fraction",
                             "--seed", "-o,--output"}) {
    EXPECT_THAT(outcome.out, HasSubstr(option));
  }
}

TEST(Version, IsTheProgramVersion) {
  const Outcome outcome = biglittle({"--version"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "biglittle " + std::string(program_version()) + "\n");
}

TEST(BadCommandLine, WithoutCommandListsThem) {
  expect_error(biglittle({}), 64,
               "a command is expected: run, import, train, derive-little, export, evaluate, "
               "certify, recalibrate, audit, inspect, verify or doctor (see 'biglittle --help')");
}

TEST(BadCommandLine, UnknownCommandNamesTheClosest) {
  expect_error(biglittle({"trian", "x.toml"}), 64,
               "unknown command 'trian', did you mean 'train'? (see 'biglittle --help')");
}

TEST(BadCommandLine, UnknownOptionNamesTheClosest) {
  expect_error(biglittle({"train", "x.toml", "--quite"}), 64,
               "train: unknown option '--quite', did you mean '--quiet'? (see 'biglittle train "
               "--help')");
}

TEST(BadCommandLine, MisspeltOptionIsTheErrorWhenItLeavesAnArgumentMissing) {
  expect_error(biglittle({"train", "--hlep"}), 64,
               "train: unknown option '--hlep', did you mean '--help'? (see 'biglittle train "
               "--help')");
}

TEST(BadCommandLine, MissingArgumentIsNamed) {
  expect_error(biglittle({"train"}), 64,
               "train: CONFIG is required (see 'biglittle train --help')");
}

TEST(BadCommandLine, OneArgumentTooManyIsNamed) {
  expect_error(biglittle({"doctor", "now"}), 64,
               "doctor: one argument too many: 'now' (see 'biglittle doctor --help')");
}

TEST(BadCommandLine, ImportOptionOutOfRangeSaysWhatIsExpected) {
  expect_error(
      biglittle({"import", "somewhere", "--tune-fraction", "0.9"}), 64,
      "import: --tune-fraction: tune_fraction is 0.9, expected a number from 0.001 to 0.5");
}

TEST(BadCommandLine, ImportFormatThatDoesNotExistNamesThosePermitted) {
  expect_error(
      biglittle({"import", "somewhere", "--format", "id"}), 64,
      "import: --format: format is 'id', expected 'auto', 'idx', 'cifar10' or 'images', did you "
      "mean 'idx'?");
}

class BadConfig : public ::testing::Test {
 protected:
  Outcome run_with(const std::string& text, std::vector<std::string> more = {}) {
    write_text(folder_ / "toy.toml", text);
    std::vector<std::string> arguments = {"run", "toy.toml"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return biglittle(arguments, {folder_.path(), {}});
  }

  TemporaryFolder folder_;
};

TEST_F(BadConfig, UnknownKeyHasItsPlaceAndTheClosestKey) {
  expect_error(run_with("[big.train]\nepocs = 3\n"), 78,
               "toy.toml:2:1: unknown key 'big.train.epocs', did you mean 'big.train.epochs'?");
}

TEST_F(BadConfig, ValueOutOfRangeSaysWhatIsExpected) {
  expect_error(run_with("[big.train]\nepochs = 0\n"), 78,
               "toy.toml:2:10: big.train.epochs is 0, expected an integer from 1 to 100000");
}

TEST_F(BadConfig, WrongTypeSaysWhatIsExpected) {
  expect_error(run_with("seed = \"one\"\n"), 78,
               "toy.toml:1:8: seed is 'one', expected an integer of at least 0");
}

TEST_F(BadConfig, AssignmentWithoutEqualsSignIsExplained) {
  expect_error(run_with("", {"--set", "nonsense"}), 78,
               "--set nonsense: expected section.key=value");
}

TEST_F(BadConfig, AssignmentToAnUnknownKeyNamesTheClosest) {
  expect_error(run_with("", {"--set", "calibrate.dleta=0.1"}), 78,
               "--set calibrate.dleta=0.1: unknown key 'calibrate.dleta', did you mean "
               "'calibrate.delta'?");
}

TEST_F(BadConfig, NameThatCannotNameABundleIsRefused) {
  expect_error(run_with("name = \"My run\"\n"), 78,
               "toy.toml: name is 'My run', expected 1 to 64 of a-z, 0-9 and -; state it as name = "
               "\"my-run\"");
}

TEST_F(BadConfig, MissingFileIsAMissingInput) {
  const Outcome outcome = biglittle({"run", "absent.toml"}, {folder_.path(), {}});
  EXPECT_EQ(outcome.code, 66);
  EXPECT_THAT(outcome.err, StartsWith("biglittle: error: absent.toml: "));
}

TEST_F(BadConfig, NeitherDatasetNorSourceIsAMissingInput) {
  expect_error(run_with(""), 66,
               "data/toy.h5 is not there, and data.import.source, from which it could be made, is "
               "not set");
}

TEST_F(BadConfig, PriorityThatIsNoClassIsFoundBeforeTraining) {
  write_toy_idx(folder_ / "raw", 200, 40);
  const Outcome outcome = run_with(
      "[data.import]\nsource = \"raw\"\nclasses = [\"north\", \"east\", \"south\", \"west\"]\n"
      "[big.network]\narch = \"mlp\"\n[little]\npriority = [\"noth\"]\n"
      "[little.network]\narch = \"mlp\"\n",
      {"--quiet"});
  EXPECT_EQ(outcome.code, 66);
  EXPECT_THAT(outcome.err, HasSubstr("'noth'"));
  EXPECT_THAT(outcome.err, HasSubstr("did you mean 'north'?"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "runs"));
}

class BadFile : public ::testing::Test {
 protected:
  Outcome run(const std::vector<std::string>& arguments) {
    return biglittle(arguments, {folder_.path(), {}});
  }

  TemporaryFolder folder_;
};

TEST_F(BadFile, AbsentFileIsAMissingInput) {
  expect_error(run({"inspect", "absent.h5"}), 66,
               "absent.h5 is not there; expected a dataset, a checkpoint, an int8 network or a "
               "bundle folder");
}

TEST_F(BadFile, TextIsNotADataset) {
  write_text(folder_ / "data.h5", "not HDF5 at all");
  const Outcome outcome = run({"evaluate", ".", "data.h5"});
  EXPECT_EQ(outcome.code, 66);
  EXPECT_THAT(outcome.err, HasSubstr("manifest.json"));
  const Outcome inspected = run({"inspect", "data.h5"});
  EXPECT_EQ(inspected.code, 65);
  EXPECT_THAT(inspected.err, StartsWith("biglittle: error: data.h5: "));
}

TEST_F(BadFile, EmptyFolderIsNotABundle) {
  const Outcome outcome = run({"verify", "--no-engines", "."});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("failed"));
  EXPECT_THAT(outcome.out, HasSubstr("manifest.json"));
}

TEST_F(BadFile, AbsentBundleIsAMissingInput) {
  const Outcome outcome = run({"verify", "absent"});
  EXPECT_EQ(outcome.code, 66);
  EXPECT_THAT(outcome.err, HasSubstr("absent"));
}

TEST_F(BadFile, StandardOutputThatIsFullIsAnInputOutputError) {
  // /dev/full takes the place of a full disk: the exit code must tell that the result was lost.
  const int code =
      std::system((std::string(BIGLITTLE_PROGRAM) + " --help >/dev/full 2>/dev/null").c_str());
  EXPECT_EQ(WEXITSTATUS(code), 74);
}

TEST(Import, WritesADatasetThatInspectDescribes) {
  TemporaryFolder folder;
  write_toy_idx(folder / "raw data", 200, 40);
  const Setting here{folder.path(), {}};
  const Outcome made = biglittle({"import", "raw data", "-o", "toy data.h5", "--classes", "north",
                                  "--classes", "east", "--classes", "south", "--classes", "west"},
                                 here);
  ASSERT_EQ(made.code, 0) << made.err;
  const Outcome seen = biglittle({"inspect", "toy data.h5"}, here);
  ASSERT_EQ(seen.code, 0) << seen.err;
  // 200 and 40 samples, evenly of 4 classes; a tenth of train each for tune and calibration.
  EXPECT_THAT(seen.out, HasSubstr("samples  1x8x8 uint8, 4 classes"));
  EXPECT_THAT(seen.out, ::testing::ContainsRegex("north +40 +5 +5 +10\n"));
  EXPECT_THAT(seen.out, ::testing::ContainsRegex("all +160 +20 +20 +40\n"));
}

}  // namespace
}  // namespace biglittle::testing
