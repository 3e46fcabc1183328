// SPDX-License-Identifier: MIT
#include "calibrate/field_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "testing/expect_error.h"
#include "testing/temporary_folder.h"

namespace biglittle::testing {
namespace {

using ::testing::ElementsAre;

const std::vector<std::string> kBig = {"bird", "cat", "dog", "fish"};

PriorityMap pets() { return {{2, 0, 1, 2}, {"cat", "dog", "other"}, true}; }

/// Cats from 10, dogs from 20, other never; half of the calibration samples escalated.
EscalationPolicy policy() {
  EscalationPolicy policy;
  policy.thresholds = {10, 20, kAlwaysEscalate};
  policy.escalation = make_rate(500, 1000);
  return policy;
}

class FieldLogFile : public ::testing::Test {
 protected:
  FieldLog read(const std::string& text, ScoreColumn score = ScoreColumn::needed) {
    std::ofstream(file()) << text;
    return read_field_log(file(), pets(), kBig, score);
  }

  void expect_refused(const std::string& line, const std::string& text) {
    expect_error(ErrorKind::bad_data, file().string() + line, [&] { read(text); });
  }

  std::filesystem::path file() { return folder_ / "log.csv"; }

  TemporaryFolder folder_;
};

TEST_F(FieldLogFile, GivesScoresWithoutTruth) {
  const FieldLog log = read("big,score,little\nfish,-3,other\ncat,12,dog\n");
  EXPECT_THAT(log.scores.score, ElementsAre(-3, 12));
  EXPECT_THAT(log.scores.little_class, ElementsAre(2, 1));
  EXPECT_THAT(log.scores.big_class, ElementsAre(3, 1));
  EXPECT_TRUE(log.scores.truth.empty());
  EXPECT_THAT(log.lines, ElementsAre(2, 3));
}

TEST_F(FieldLogFile, MayHaveNoScoresWhereTheyAreOptional) {
  EXPECT_TRUE(read("big,little\ncat,cat\n", ScoreColumn::optional).scores.score.empty());
  EXPECT_THAT(read("big,little,score\ncat,cat,4\n", ScoreColumn::optional).scores.score,
              ElementsAre(4));
  expect_refused(":1: no column 'score' in the header", "big,little\ncat,cat\n");
}

TEST_F(FieldLogFile, UnknownClassIsRefusedWithItsLineAndTheClosest) {
  expect_refused(":3: little is 'cta', expected cat, dog or other, did you mean 'cat'?",
                 "score,little,big\n1,cat,cat\n2,cta,cat\n");
  // Big knows fish, little does not.
  expect_refused(":2: little is 'fish', expected cat, dog or other",
                 "score,little,big\n1,fish,fish\n");
  expect_refused(":2: big is '', expected bird, cat, dog or fish", "score,little,big\n1,cat,\n");
}

TEST_F(FieldLogFile, ScoreIsAnIntegerThatADeviceCanGive) {
  for (const std::string bad : {"1.5", "", "12x", " 1", "nan", "99999999999999999999",
                                "9007199254740991", "-9007199254740992"}) {
    expect_refused(":2: score is '" + bad + "', expected the integer that the device computed",
                   "score,little,big\n" + bad + ",cat,cat\n");
  }
  EXPECT_THAT(
      read("score,little,big\n9007199254740990,cat,cat\n-9007199254740991,cat,cat\n").scores.score,
      ElementsAre(kAlwaysEscalate - 1, kTieScore));
}

TEST_F(FieldLogFile, WithoutRowsIsRefused) {
  expect_refused(": a header but no rows", "score,little,big\n");
}

FieldLog log_of(std::int64_t rows, std::int64_t score) {
  FieldLog log;
  for (std::int64_t row = 0; row < rows; ++row) {
    log.scores.score.push_back(score);
    log.scores.little_class.push_back(0);
    log.scores.big_class.push_back(1);
    log.lines.push_back(row + 2);
  }
  return log;
}

TEST(UnselectedLog, IsNotMadeOfEscalatedInputsOnly) {
  // 0.53^21 = 1.6e-6 and 0.53^22 = 8.6e-7; 53.1 % is the upper end of 500 in 1,000.
  EXPECT_NO_THROW(require_unselected(log_of(21, 9), policy(), "log.csv"));
  expect_error(
      ErrorKind::bad_data,
      "log.csv: the bundle's policy escalates every one of the 22 inputs, so this is a log "
      "of escalated inputs and says nothing of local answers; log inputs drawn without "
      "regard to the score",
      [] { require_unselected(log_of(22, 9), policy(), "log.csv"); });
}

TEST(UnselectedLog, IsNotMadeOfLocalAnswersOnly) {
  EXPECT_NO_THROW(require_unselected(log_of(21, 10), policy(), "log.csv"));
  expect_error(ErrorKind::bad_data,
               "log.csv: the bundle's policy answers every one of the 22 inputs on the device, so "
               "escalated ones were left out; log inputs drawn without regard to the score",
               [] { require_unselected(log_of(22, 10), policy(), "log.csv"); });
  FieldLog mixed = log_of(22, 10);
  mixed.scores.score[0] = 9;
  EXPECT_NO_THROW(require_unselected(mixed, policy(), "log.csv"));
}

TEST(UnselectedLog, MayBeAllLocalWhereNearlyEverythingIs) {
  EscalationPolicy generous = policy();
  generous.escalation = make_rate(1, 1000);
  EXPECT_NO_THROW(require_unselected(log_of(1000, 10), generous, "log.csv"));
}

TEST(UnselectedLog, CannotBeToldWherePolicyEscalatesEverything) {
  EscalationPolicy none = policy();
  none.thresholds.assign(3, kAlwaysEscalate);
  EXPECT_NO_THROW(require_unselected(log_of(1000, 10), none, "log.csv"));
}

TEST(LocalLog, RefusesAnAnswerThatIsNeverGivenOnTheDevice) {
  FieldLog log = log_of(3, 10);
  log.scores.score.clear();
  EXPECT_NO_THROW(require_local(log, policy(), pets(), "log.csv"));
  log.scores.little_class[1] = 2;
  expect_error(ErrorKind::bad_data,
               "log.csv:3: little is 'other', which the bundle's policy never answers on the "
               "device; log audited local answers only",
               [&] { require_local(log, policy(), pets(), "log.csv"); });
}

TEST(LocalLog, RefusesAScoreBelowTheThresholdOfItsClass) {
  FieldLog log = log_of(3, 10);
  EXPECT_NO_THROW(require_local(log, policy(), pets(), "log.csv"));
  log.scores.little_class[2] = 1;
  expect_error(ErrorKind::bad_data,
               "log.csv:4: score 10 of 'dog' is below the threshold 20, so this input was "
               "escalated; log audited local answers only",
               [&] { require_local(log, policy(), pets(), "log.csv"); });
}

}  // namespace
}  // namespace biglittle::testing
