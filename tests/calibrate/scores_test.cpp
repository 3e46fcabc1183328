// SPDX-License-Identifier: MIT
#include "calibrate/scores.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "calibrate/rows.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using namespace testing;

using Ints = std::vector<std::int64_t>;
using Accumulators = std::vector<std::int32_t>;
using Logits = std::vector<float>;

ScoreRule margin() { return plain_rule(ScoreKind::margin, bag_and_boot()); }

TEST(MakeAnswers, TakesBigsLargestLogitTheFirstOnATie) {
  const Answers answers =
      make_answers(Accumulators{7, -3, 5, -9, -2, -4}, Logits{0.5F, 2.0F, 1.0F, 3.0F, -1.0F, 3.0F},
                   Ints{1, 2}, bag_and_boot());
  EXPECT_EQ(answers.accumulators, (Accumulators{7, -3, 5, -9, -2, -4}));
  EXPECT_EQ(answers.big_class, (Ints{kBag, kShirt}));
  EXPECT_EQ(answers.truth, (Ints{1, 2}));
  EXPECT_EQ(answers.count(), 2);
}

TEST(MakeAnswers, RefusesSizesThatDoNotFit) {
  expect_error(ErrorKind::bad_data,
               "answers: little accumulators has 6 values but 3 labels times 3 classes need 9",
               [&] {
                 make_answers(Accumulators(6), Logits(9), Ints{0, 0, 0}, bag_and_boot());
               });
  expect_error(ErrorKind::bad_data,
               "answers: big logits has 5 values but 2 labels times 3 classes need 6", [&] {
                 make_answers(Accumulators(6), Logits(5), Ints{0, 0}, bag_and_boot());
               });
}

TEST(MakeAnswers, RefusesLogitsThatAreNotFinite) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    expect_error(
        ErrorKind::bad_data,
        "answers: the big network's logits of row 1 are not finite; retrain it or check its input",
        [&] {
          make_answers(Accumulators(6), Logits{0.0F, 0.0F, 0.0F, 0.0F, bad, 0.0F}, Ints{0, 0},
                       bag_and_boot());
        });
  }
}

TEST(MakeAnswers, RefusesLabelsOutOfRange) {
  expect_error(ErrorKind::bad_data, "answers: label of row 0 is 3, expected 0 to 2",
               [&] { make_answers(Accumulators(3), Logits(3), Ints{3}, bag_and_boot()); });
  expect_error(ErrorKind::bad_data, "answers: label of row 0 is -1, expected 0 to 2",
               [&] { make_answers(Accumulators(3), Logits(3), Ints{-1}, bag_and_boot()); });
}

TEST(MakeAnswers, RefusesALittleNetworkWithOneClass) {
  const PriorityMap map{.little_of_big = {0}, .names = {"bag"}, .has_other = false};
  expect_error(ErrorKind::bad_data,
               "answers: the little network has 1 class, but a margin is the distance between two; "
               "give it at least two",
               [&] { make_answers(Accumulators{1}, Logits{1.0F}, Ints{0}, map); });
}

TEST(MakeScores, TakesTheRulesScoreAndBothAnswers) {
  const Answers answers{
      .accumulators = {7, -3, 5, -9, -2, -4}, .big_class = {kBag, kShirt}, .truth = {kBag, kBoot}};
  const Scores by_margin = make_scores(answers, margin(), bag_and_boot());
  EXPECT_EQ(by_margin.score, (Ints{2, 2}));
  EXPECT_EQ(by_margin.little_class, (Ints{kLittleBag, kLittleBoot}));
  EXPECT_EQ(by_margin.big_class, answers.big_class);
  EXPECT_EQ(by_margin.truth, answers.truth);
  const ScoreRule weighted{
      .kind = ScoreKind::gate, .margin_weight = 10, .other_weight = 3, .offsets = {100, -100, 0}};
  EXPECT_EQ(make_scores(answers, weighted, bag_and_boot()).score,
            (Ints{10 * 2 + 3 * 2 + 100, 10 * 2 + 3 * 2 - 100}));
}

TEST(MakeScores, GivesTiesTheFirstClassAndTheLowestScore) {
  const Answers answers{.accumulators = {4, 4, 1}, .big_class = {0}, .truth = {0}};
  const Scores scores = make_scores(answers, margin(), bag_and_boot());
  EXPECT_EQ(scores.score, (Ints{kTieScore}));
  EXPECT_EQ(scores.little_class, (Ints{kLittleBag}));
}

TEST(MakeScores, RefusesAnswersOfAnotherShape) {
  const PriorityMap map = bag_and_boot();
  const Answers good = answers_of({{2, 3, kLittleBag, kBag, kBag}});
  EXPECT_NO_THROW(make_scores(good, margin(), map));
  Answers bad = good;
  bad.accumulators.pop_back();
  expect_error(ErrorKind::bad_data,
               "answers: little accumulators has 2 values but 1 labels times 3 classes need 3",
               [&] { make_scores(bad, margin(), map); });
  bad = good;
  bad.big_class.push_back(0);
  expect_error(ErrorKind::bad_data,
               "answers: big class has 2 values but 1 labels times 1 classes need 1",
               [&] { make_scores(bad, margin(), map); });
  bad = good;
  bad.big_class[0] = 3;
  expect_error(ErrorKind::bad_data, "answers: big class of row 0 is 3, expected 0 to 2",
               [&] { make_scores(bad, margin(), map); });
  expect_error(ErrorKind::bad_data,
               "answers: the score has 0 offsets but the little network has 3 classes; use the "
               "score of this network",
               [&] { make_scores(good, ScoreRule{}, map); });
}

TEST(Select, TakesRowsInAnyOrderAndRepeated) {
  const Scores scores = scores_of({{5, kLittleBag, kBag, kShirt}, {6, kOther, kShirt, kBoot}});
  const Scores chosen = select(scores, Ints{1, 0, 1});
  EXPECT_EQ(chosen.score, (Ints{6, 5, 6}));
  EXPECT_EQ(chosen.little_class, (Ints{kOther, kLittleBag, kOther}));
  EXPECT_EQ(chosen.big_class, (Ints{kShirt, kBag, kShirt}));
  EXPECT_EQ(chosen.truth, (Ints{kBoot, kShirt, kBoot}));
  Scores unlabelled = scores;
  unlabelled.truth.clear();
  EXPECT_TRUE(select(unlabelled, Ints{1}).truth.empty());
  EXPECT_EQ(select(scores, Ints{}).count(), 0);
}

TEST(RequireConsistent, NamesWhatDoesNotFit) {
  const PriorityMap map = bag_and_boot();
  const auto refuse = [&](const Scores& scores, const std::string& message) {
    expect_error(ErrorKind::bad_data, message, [&] { require_consistent(scores, map, "tune"); });
  };
  refuse({}, "tune: no samples, expected at least one");
  const Scores scores = scores_of({{5, kLittleBag, kBag, kBag}, {6, kOther, kShirt, kShirt}});
  EXPECT_NO_THROW(require_consistent(scores, map, "tune"));
  Scores broken = scores;
  broken.truth.pop_back();
  refuse(broken, "tune: truth has 1 rows but score has 2");
  broken = scores;
  broken.little_class.push_back(0);
  refuse(broken, "tune: little class has 3 rows but score has 2");
  broken = scores;
  broken.big_class[1] = 3;
  refuse(broken, "tune: big class of row 1 is 3, expected 0 to 2");
  broken = scores;
  broken.little_class[0] = -1;
  refuse(broken, "tune: little class of row 0 is -1, expected 0 to 2");
}

TEST(RequireConsistent, TakesScoresFromATieToBelowTheLastThreshold) {
  const PriorityMap map = bag_and_boot();
  for (const std::int64_t score : {kTieScore, std::int64_t{-1}, kAlwaysEscalate - 1}) {
    EXPECT_NO_THROW(require_consistent(scores_of({{score, kLittleBag, 0, 0}}), map, "tune"));
  }
  expect_error(ErrorKind::bad_data,
               "tune: score of row 0 is 9007199254740991, expected -9007199254740991 to "
               "9007199254740990",
               [&] {
                 require_consistent(scores_of({{kAlwaysEscalate, kLittleBag, 0, 0}}), map, "tune");
               });
  EXPECT_THROW(require_consistent(scores_of({{kTieScore - 1, kLittleBag, 0, 0}}), map, "tune"),
               Error);
}

TEST(RequireConsistent, AsksForLabelsOnlyWhereTheyAreNeeded) {
  const PriorityMap map = bag_and_boot();
  Scores scores = scores_of({{5, kLittleBag, kBag, kBag}, {6, kOther, kShirt, kShirt}});
  scores.truth.clear();
  EXPECT_NO_THROW(require_consistent(scores, map, "log", Labels::optional));
  expect_error(ErrorKind::bad_data, "log: truth has 0 rows but score has 2",
               [&] { require_consistent(scores, map, "log"); });
  scores.truth = {kBag};  // some labels are none
  expect_error(ErrorKind::bad_data, "log: truth has 1 rows but score has 2",
               [&] { require_consistent(scores, map, "log", Labels::optional); });
}

TEST(AnswersLocally, ComparesWithTheThresholdOfTheAnswer) {
  const Scores scores = scores_of(
      {{9, kLittleBag, kBag, kBag}, {9, kLittleBoot, kBag, kBag}, {9, kOther, kBag, kBag}});
  const Ints thresholds{10, 9, 8};
  EXPECT_FALSE(answers_locally(scores, 0, thresholds));
  EXPECT_TRUE(answers_locally(scores, 1, thresholds));
  EXPECT_TRUE(answers_locally(scores, 2, thresholds));
  EXPECT_FALSE(answers_locally(scores, 2, Ints{1, 1, kAlwaysEscalate}));
}

TEST(AnswersLocally, NeverForATieWhateverTheThreshold) {
  const Scores scores =
      scores_of({{kTieScore, kLittleBag, kBag, kBag}, {kTieScore + 1, kLittleBag, kBag, kBag}});
  for (const std::int64_t threshold : {kTieScore, kTieScore + 1}) {
    EXPECT_FALSE(answers_locally(scores, 0, Ints{threshold, 1, 1})) << threshold;
    EXPECT_TRUE(answers_locally(scores, 1, Ints{threshold, 1, 1})) << threshold;
  }
}

TEST(AnswersLocally, NeverWhenEverythingEscalates) {
  const Scores scores = scores_of({{kAlwaysEscalate, kLittleBag, kBag, kBag}});
  EXPECT_FALSE(answers_locally(scores, 0, Ints{kAlwaysEscalate, 1, 1}));
  EXPECT_TRUE(answers_locally(scores, 0, Ints{kAlwaysEscalate - 1, 1, 1}));
}

}  // namespace
}  // namespace biglittle
