// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "core/error.h"
#include "core/files.h"
#include "core/options.h"
#include "core/sample_options.h"
#include "testing/expect_error.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using testing::describer;
using ::testing::ElementsAre;
using testing::expect_error;
using ::testing::IsEmpty;
using testing::Method;
using testing::Sample;
using testing::TemporaryFolder;

Sample read(const std::string& text, const std::filesystem::path& base = "configs") {
  Sample sample;
  read_toml_text(text, "x.toml", base, describer(sample));
  return sample;
}

void expect_refused(const std::string& text, const std::string& message) {
  expect_error(ErrorKind::config, message, [&] { read(text); });
}

TEST(ReadToml, SetsWhatIsStatedAndKeepsTheOtherDefaults) {
  const Sample sample = read(R"(
name = "fashion"
priority = ["Sneaker", "Ankle boot"]
seed = 7
scale = -1.5e-3

[big]
widths = [8, 16, 32]
ema = true

[big.train]
method = "retrain"
epochs = 3
)");
  EXPECT_EQ(sample.name, "fashion");
  EXPECT_THAT(sample.priority, ElementsAre("Sneaker", "Ankle boot"));
  EXPECT_EQ(sample.seed, 7);
  EXPECT_EQ(sample.scale, -0.0015);
  EXPECT_THAT(sample.big.widths, ElementsAre(8, 16, 32));
  EXPECT_TRUE(sample.big.ema);
  EXPECT_EQ(sample.big.train.method, Method::retrain);
  EXPECT_EQ(sample.big.train.epochs, 3);
  EXPECT_EQ(sample.big.train.rate, 0.1);
}

TEST(ReadToml, OfNothingChangesNothing) {
  EXPECT_EQ(read(""), Sample());
  EXPECT_EQ(read("# only a comment\n[big]\n"), Sample());
}

TEST(ReadToml, TakesDottedKeysAndInlineTables) {
  EXPECT_EQ(read("big.train.epochs = 5").big.train.epochs, 5);
  EXPECT_EQ(read("big = {train = {epochs = 6}}").big.train.epochs, 6);
}

TEST(ReadToml, TakesAnIntegerForANumberAndAStringForAList) {
  EXPECT_EQ(read("scale = 2").scale, 2.0);
  EXPECT_THAT(read("priority = 'Sneaker'").priority, ElementsAre("Sneaker"));
  EXPECT_THAT(read("priority = []").priority, IsEmpty());
}

TEST(ReadToml, ASecondTextOverridesOnlyWhatItStates) {
  Sample sample;
  read_toml_text("seed = 2\nscale = 3.0\npriority = ['a', 'b']", "a.toml", "", describer(sample));
  read_toml_text("seed = 4\npriority = ['c']", "b.toml", "", describer(sample));
  EXPECT_EQ(sample.seed, 4);
  EXPECT_EQ(sample.scale, 3.0);
  EXPECT_THAT(sample.priority, ElementsAre("c"));
}

TEST(ReadToml, PathsStartAtTheBase) {
  EXPECT_EQ(read("data = 'digits.h5'").data, "configs/digits.h5");
  EXPECT_EQ(read("data = '../data/./digits.h5'").data, "data/digits.h5");
  EXPECT_EQ(read("data = '/data/digits.h5'").data, "/data/digits.h5");
  EXPECT_EQ(read("data = ''").data, "");
  EXPECT_EQ(read("data = 'digits.h5'", "").data, "digits.h5");
}

TEST(ReadToml, OfAFileStartsPathsAtItsFolder) {
  const TemporaryFolder folder;
  write_file(folder / "configs/x.toml", "data = '../digits.h5'\n");
  Sample sample;
  read_toml(folder / "configs/x.toml", describer(sample));
  EXPECT_EQ(sample.data, folder / "digits.h5");
}

TEST(ReadToml, OfAFileNamesItInMessages) {
  const TemporaryFolder folder;
  write_file(folder / "x.toml", "\nsed = 1\n");
  Sample sample;
  expect_error(ErrorKind::config,
               (folder / "x.toml").string() + ":2:1: unknown key 'sed', did you mean 'seed'?",
               [&] { read_toml(folder / "x.toml", describer(sample)); });
  expect_error(ErrorKind::missing_input,
               (folder / "none").string() + ": cannot be opened: No such file or directory",
               [&] { read_toml(folder / "none", describer(sample)); });
}

TEST(ReadToml, RefusesUnknownKeysWithTheClosestKnownOne) {
  expect_refused("[big.train]\nrate = 0.5\n  epoch = 3",
                 "x.toml:3:3: unknown key 'big.train.epoch', did you mean 'big.train.epochs'?");
  expect_refused("[big.trian]\nepochs = 3",
                 "x.toml:1:6: unknown key 'big.trian', did you mean 'big.train'?");
  expect_refused("nothing_alike = 3", "x.toml:1:1: unknown key 'nothing_alike'");
  expect_refused(
      "big.train.epochs.x = 3",
      "x.toml:1:11: big.train.epochs is a section, expected an integer from 1 to 100000");
}

TEST(ReadToml, SuggestsTheSectionOfAMisplacedKey) {
  expect_refused("epochs = 3",
                 "x.toml:1:1: unknown key 'epochs', did you mean 'big.train.epochs'?");
  expect_refused("[training]\nx = 1", "x.toml:1:2: unknown key 'training'");
}

TEST(ReadToml, RefusesTheFirstUnknownKeyOfTheFile) {
  expect_refused("zzz = 1\naaa = 1", "x.toml:1:1: unknown key 'zzz'");
}

TEST(ReadToml, DoesNotTakeAQuotedKeyForASection) {
  expect_refused("\"big.ema\" = true\n[big]\nema = true",
                 "x.toml:1:1: unknown key 'big.ema', did you mean 'big.ema'?");
}

TEST(ReadToml, RefusesWrongTypes) {
  expect_refused("seed = '7'", "x.toml:1:8: seed is '7', expected an integer of at least 0");
  expect_refused("seed = 7.0", "x.toml:1:8: seed is 7.0, expected an integer of at least 0");
  expect_refused("scale = true", "x.toml:1:9: scale is true, expected a number");
  expect_refused("name = 7", "x.toml:1:8: name is 7, expected a string");
  expect_refused("data = ['a']", "x.toml:1:8: data is a list, expected a string");
  expect_refused("priority = 3",
                 "x.toml:1:12: priority is 3, expected a string or a list of strings");
  expect_refused("priority = ['a', 3]", "x.toml:1:18: priority is 3, expected a string");
  expect_refused("big = 1", "x.toml:1:7: big is 1, expected a section");
  expect_refused("[[big]]\nema = true", "x.toml:1:1: big is a list, expected a section");
  expect_refused("[big]\nema = 1", "x.toml:2:7: big.ema is 1, expected true or false");
  expect_refused("[big]\nwidths = 3",
                 "x.toml:2:10: big.widths is 3, expected a list, each an integer from 1 to 512");
  expect_refused("name = 1979-05-27", "x.toml:1:8: name is a date or time, expected a string");
}

TEST(ReadToml, RefusesNumbersOutsideTheirRangeOnBothSides) {
  const auto epochs = [](const std::string& value) { return "[big.train]\nepochs = " + value; };
  EXPECT_EQ(read(epochs("1")).big.train.epochs, 1);
  EXPECT_EQ(read(epochs("100000")).big.train.epochs, 100'000);
  const std::string range = ", expected an integer from 1 to 100000";
  expect_refused(epochs("0"), "x.toml:2:10: big.train.epochs is 0" + range);
  expect_refused(epochs("100001"), "x.toml:2:10: big.train.epochs is 100001" + range);

  const auto rate = [](const std::string& value) { return "[big.train]\nrate = " + value; };
  EXPECT_EQ(read(rate("0.0")).big.train.rate, 0.0);
  EXPECT_EQ(read(rate("1")).big.train.rate, 1.0);
  expect_refused(rate("-0.001"),
                 "x.toml:2:8: big.train.rate is -0.001, expected a number from 0 to 1");
  expect_refused(rate("1.001"),
                 "x.toml:2:8: big.train.rate is 1.001, expected a number from 0 to 1");
  expect_refused("[big]\nwidths = [1, 512, 513]",
                 "x.toml:2:19: big.widths is 513, expected an integer from 1 to 512");
  expect_refused("seed = -1", "x.toml:1:8: seed is -1, expected an integer of at least 0");
}

TEST(ReadToml, NeverTakesNaN) {
  expect_refused("scale = nan", "x.toml:1:9: scale is nan, expected a number");
  EXPECT_EQ(read("scale = inf").scale, std::numeric_limits<double>::infinity());
}

TEST(ReadToml, RefusesABadChoiceWithTheClosest) {
  expect_refused("[big.train]\nmethod = 'distil'",
                 "x.toml:2:10: big.train.method is 'distil', expected 'retrain' or 'distill', did "
                 "you mean 'distill'?");
  expect_refused("[big.train]\nmethod = 'none'",
                 "x.toml:2:10: big.train.method is 'none', expected 'retrain' or 'distill'");
  expect_refused("[big.train]\nmethod = 1",
                 "x.toml:2:10: big.train.method is 1, expected 'retrain' or 'distill'");
}

TEST(ReadToml, RefusesDuplicatesAndSyntaxErrorsWithTheirPlace) {
  expect_refused("seed = 1\nseed = 2",
                 "x.toml:2:8: error while parsing key-value pair: cannot redefine existing "
                 "integer 'seed'");
  expect_refused("[big]\n[big]",
                 "x.toml:2:1: error while parsing table header: cannot redefine existing table "
                 "'big'");
  expect_refused("seed 1", "x.toml:1:6: error while parsing key-value pair: expected '=', saw '1'");
  EXPECT_THROW(read("name = 'open"), Error);
  EXPECT_THROW(read("name = '\xFF'"), Error);
}

TEST(ReadToml, KeepsMessagesOnOneLine) {
  expect_refused("\"a\\nb\" = 1", "x.toml:1:1: unknown key 'a\\nb'");
  expect_refused("seed = 'a\\u000Ab'",
                 "x.toml:1:8: seed is 'a\\u000Ab', expected an integer of at least 0");
  expect_refused("seed = \"a\\u000Ab\"",
                 "x.toml:1:8: seed is 'a\\nb', expected an integer of at least 0");
}

TEST(ReadToml, SurvivesDeepNesting) {
  std::string key = "a";
  for (int i = 0; i < 4096; ++i) key += ".a";
  expect_refused(key + " = 1", "x.toml:1:1: unknown key 'a'");
  expect_refused(key + ".a = 1", "x.toml:1:1: the text has more than 4096 dots");
  EXPECT_THROW(read("x = " + std::string(100'000, '[')), Error);
}

void assign(Sample& sample, const std::string& assignment) {
  apply_assignment(assignment, describer(sample));
}

void expect_assignment_refused(const std::string& assignment, const std::string& message) {
  Sample sample;
  expect_error(ErrorKind::config, message, [&] { assign(sample, assignment); });
}

TEST(ApplyAssignment, SetsOneOption) {
  Sample sample;
  assign(sample, "big.train.epochs=4");
  assign(sample, " scale = 0.5 ");
  assign(sample, "big.ema=true");
  assign(sample, "big.widths=[1, 2]");
  assign(sample, "priority=['a', \"b\"]");
  EXPECT_EQ(sample.big.train.epochs, 4);
  EXPECT_EQ(sample.scale, 0.5);
  EXPECT_TRUE(sample.big.ema);
  EXPECT_THAT(sample.big.widths, ElementsAre(1, 2));
  EXPECT_THAT(sample.priority, ElementsAre("a", "b"));
}

TEST(ApplyAssignment, TakesABareWordForAString) {
  Sample sample;
  assign(sample, "name=fashion-best");
  EXPECT_EQ(sample.name, "fashion-best");
  assign(sample, "name=Ankle boot");
  EXPECT_EQ(sample.name, "Ankle boot");
  assign(sample, "name=a=b");
  EXPECT_EQ(sample.name, "a=b");
  assign(sample, "name='quoted'");
  EXPECT_EQ(sample.name, "quoted");
  assign(sample, "name=");
  EXPECT_EQ(sample.name, "");
  assign(sample, "big.train.method=retrain");
  EXPECT_EQ(sample.big.train.method, Method::retrain);
  assign(sample, "priority=Sneaker");
  EXPECT_THAT(sample.priority, ElementsAre("Sneaker"));
}

TEST(ApplyAssignment, LeavesRelativePathsToTheCurrentFolder) {
  Sample sample;
  assign(sample, "data=../x.h5");
  EXPECT_EQ(sample.data, "../x.h5");
}

TEST(ApplyAssignment, TakesTextBehindALineBreakForPartOfTheValue) {
  Sample sample;
  assign(sample, "name=a\nseed = 9");
  EXPECT_EQ(sample.name, "a\nseed = 9");
  expect_assignment_refused("seed=5\nscale = 9.0",
                            "--set seed=5\\nscale = 9.0: seed is '5\\nscale = 9.0', expected an "
                            "integer of at least 0");
}

TEST(ApplyAssignment, NamesItselfInMessages) {
  expect_assignment_refused("big.train.epochs=0",
                            "--set big.train.epochs=0: big.train.epochs is 0, expected an integer "
                            "from 1 to 100000");
  expect_assignment_refused("big.train.epochs=many",
                            "--set big.train.epochs=many: big.train.epochs is 'many', expected an "
                            "integer from 1 to 100000");
  expect_assignment_refused("big.train.epoch=3",
                            "--set big.train.epoch=3: unknown key 'big.train.epoch', did you mean "
                            "'big.train.epochs'?");
  expect_assignment_refused("big.train.method=distil",
                            "--set big.train.method=distil: big.train.method is 'distil', expected "
                            "'retrain' or 'distill', did you mean 'distill'?");
  expect_assignment_refused("big=1", "--set big=1: big is 1, expected a section");
}

TEST(ApplyAssignment, RefusesTextThatCouldNotBeSaved) {
  expect_assignment_refused("name=\xE4", "--set name=\xE4: expected UTF-8 text");
}

TEST(ApplyAssignment, RefusesWhatIsNoAssignment) {
  for (const std::string text : {"seed", "=1", "", "a b=1", "a..b=1", "[big]\nema=1", "a#b=1"}) {
    const std::string shown = text == "[big]\nema=1" ? "[big]\\nema=1" : text;
    expect_assignment_refused(text, "--set " + shown + ": expected section.key=value");
  }
}

}  // namespace
}  // namespace biglittle
