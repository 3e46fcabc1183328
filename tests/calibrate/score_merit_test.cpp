// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "calibrate/rows.h"
#include "calibrate/score_rule.h"
#include "calibrate/scores.h"
#include "core/random.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using namespace testing;

PriorityMap no_other() {
  return {.little_of_big = {0, 1}, .names = {"bag", "boot"}, .has_other = false};
}

TEST(DeferralArea, IsTheMeanAccuracyOverAllNumbersOfLocalAnswers) {
  const Scores scores = scores_of({{9, kLittleBag, kBoot, kBag},     // only little is right
                                   {5, kLittleBag, kShirt, kShirt},  // only big is right
                                   {7, kOther, kShirt, kShirt}});
  // right of three: 2 by big alone, 3 with the first, 2 with both
  EXPECT_DOUBLE_EQ(deferral_area(scores, bag_and_boot()), (2.0 + 3.0 + 2.0) / 3.0 / 3.0);
}

TEST(DeferralArea, LetsEqualScoresEnterAtTheMeanOfTheirEffect) {
  const Scores scores = scores_of({{5, kLittleBag, kShirt, kShirt},
                                   {5, kLittleBag, kBoot, kBag},
                                   {5, kLittleBoot, kBag, kBoot}});
  // right of three: 1 by big alone, 2 with all; a third more with each
  EXPECT_NEAR(deferral_area(scores, bag_and_boot()),
              (1.0 + 4.0 / 3.0 + 5.0 / 3.0 + 2.0) / 4.0 / 3.0, 1e-15);
}

TEST(DeferralArea, IsBigsAccuracyWhereNothingMayStayLocal) {
  const Scores scores = scores_of({{9, kOther, kShirt, kShirt},
                                   {9, kOther, kBag, kBag},
                                   {kTieScore, kLittleBag, kBag, kBag},
                                   {kTieScore, kLittleBag, kShirt, kBag}});
  EXPECT_DOUBLE_EQ(deferral_area(scores, bag_and_boot()), 0.75);
  expect_error(ErrorKind::bad_data, "scores: no samples, expected at least one",
               [] { deferral_area(Scores{}, bag_and_boot()); });
}

/// Every sample a sum over the orders in which equal scores may come, each drawn `kOrders` times.
TEST(DeferralArea, AgreesWithTheMeanOverRandomOrdersOfEquals) {
  constexpr int kOrders = 4000;
  Random random(11);
  Scores scores;
  for (int i = 0; i < 40; ++i) {
    add(scores, 1,
        {.score = static_cast<std::int64_t>(random.below(6)),
         .little = static_cast<std::int64_t>(random.below(3)),
         .big = static_cast<std::int64_t>(random.below(3)),
         .truth = static_cast<std::int64_t>(random.below(3))});
  }
  std::vector<std::size_t> local;
  double big_right = 0.0;
  for (std::size_t i = 0; i < 40; ++i) {
    big_right += scores.big_class[i] == scores.truth[i];
    if (scores.little_class[i] != kOther) local.push_back(i);
  }
  double mean = 0.0;
  for (int order = 0; order < kOrders; ++order) {
    random.shuffle(std::span(local));
    std::ranges::stable_sort(local,
                             [&](auto a, auto b) { return scores.score[a] > scores.score[b]; });
    double sum = big_right;
    for (std::size_t count = 1; count <= local.size(); ++count) {
      double right = big_right;
      for (std::size_t k = 0; k < count; ++k) {
        const std::size_t i = local[k];
        const std::int64_t answer = scores.little_class[i] == kLittleBag ? kBag : kBoot;
        right += (answer == scores.truth[i]) - (scores.big_class[i] == scores.truth[i]);
      }
      sum += right;
    }
    mean += sum / static_cast<double>(local.size() + 1) / 40.0 / kOrders;
  }
  EXPECT_NEAR(deferral_area(scores, bag_and_boot()), mean, 5e-4);
}

/// Answers of bag and boot; `right` says how likely an answer is.
template <typename Right>
Answers draw(std::int64_t n, std::uint64_t seed, const Right& right) {
  Random random(seed);
  Answers answers;
  for (std::int64_t i = 0; i < n; ++i) {
    AnswerRow row{};
    row.to_other = static_cast<std::int64_t>(1 + random.below(1000));
    row.margin =
        static_cast<std::int64_t>(1 + random.below(static_cast<std::uint64_t>(row.to_other)));
    row.little = random.uniform() < 0.5 ? kLittleBag : kLittleBoot;
    row.truth = random.uniform() >= right(row) ? kShirt : row.little == kLittleBag ? kBag : kBoot;
    row.big = random.uniform() < 0.98 ? row.truth : (row.truth + 1) % 3;
    add(answers, 1, row);
  }
  return answers;
}

double area_of(const std::vector<ScoreMerit>& merits, ScoreKind kind) {
  return std::ranges::find(merits, kind, &ScoreMerit::kind)->area;
}

TEST(CompareScores, NamesEveryKindInOrder) {
  const auto kinds = [](const std::vector<ScoreMerit>& merits) {
    std::vector<ScoreKind> found;
    for (const ScoreMerit& merit : merits) found.push_back(merit.kind);
    return found;
  };
  const Answers tune = draw(60, 1, [](const AnswerRow&) { return 0.9; });
  EXPECT_EQ(kinds(compare_scores(tune, bag_and_boot(), 1)),
            (std::vector{ScoreKind::margin, ScoreKind::top_other, ScoreKind::gate}));
  const Answers without{.accumulators = {5, 1, 2, 8}, .big_class = {0, 1}, .truth = {0, 1}};
  EXPECT_EQ(kinds(compare_scores(without, no_other(), 1)),
            (std::vector{ScoreKind::margin, ScoreKind::gate}));
}

TEST(CompareScores, IsTheWholeAreaWhereNothingDependsOnTheFolds) {
  // Big and little are always right: 1 in every fold, however small.
  for (const std::int64_t n : {1, 2, 4, 5, 7}) {
    Answers tune;
    add(tune, n, {5, 9, kLittleBag, kBag, kBag});
    for (const ScoreMerit& merit : compare_scores(tune, bag_and_boot(), 3)) {
      EXPECT_NEAR(merit.area, 1.0, 1e-12) << n << name_of(merit.kind);
    }
  }
}

TEST(CompareScores, RefusesNoSamples) {
  expect_error(ErrorKind::bad_data, "tune: no samples, expected at least one",
               [] { compare_scores(Answers{}, bag_and_boot(), 1); });
}

TEST(CompareScores, FollowsItsSeed) {
  const Answers tune =
      draw(300, 2, [](const AnswerRow& row) { return 0.5 + double(row.margin) / 2000.0; });
  const auto areas = [&](std::int64_t seed) {
    return area_of(compare_scores(tune, bag_and_boot(), seed), ScoreKind::gate);
  };
  EXPECT_EQ(areas(1), areas(1));
  EXPECT_NE(areas(1), areas(2));
}

TEST(CompareScores, PrefersTheGateWhereTheDistanceToOtherMatters) {
  const Answers tune = draw(3000, 4, [](const AnswerRow& row) {
    return 1.0 / (1.0 + std::exp(2.0 - 0.008 * double(row.to_other) - 0.004 * double(row.margin)));
  });
  const auto merits = compare_scores(tune, bag_and_boot(), 1);
  EXPECT_GT(area_of(merits, ScoreKind::top_other), area_of(merits, ScoreKind::margin) + 1e-3);
  EXPECT_GT(area_of(merits, ScoreKind::gate), area_of(merits, ScoreKind::margin) + 1e-3);
  EXPECT_GT(area_of(merits, ScoreKind::gate), area_of(merits, ScoreKind::top_other));
}

TEST(CompareScores, PrefersTheGateWhereTheAnswerMatters) {
  const Answers tune = draw(3000, 5, [](const AnswerRow& row) {
    const double ease = row.little == kLittleBag ? 2.0 : -1.0;
    return 1.0 / (1.0 + std::exp(-ease - 0.004 * double(row.margin)));
  });
  const auto merits = compare_scores(tune, bag_and_boot(), 1);
  EXPECT_GT(area_of(merits, ScoreKind::gate), area_of(merits, ScoreKind::margin) + 1e-2);
}

/// What the gate gains over the margin on average over draws in which nothing is to be learned: it
/// is fitted to chance, so without cross-fitting it would seem to gain.
double mean_gain(std::int64_t n, bool is_cross_fitted) {
  constexpr int kDraws = 60;
  double gain = 0.0;
  for (int draw_index = 0; draw_index < kDraws; ++draw_index) {
    const Answers tune =
        draw(n, 100 + static_cast<std::uint64_t>(draw_index), [](const AnswerRow&) { return 0.7; });
    const PriorityMap map = bag_and_boot();
    if (is_cross_fitted) {
      const auto merits = compare_scores(tune, map, draw_index);
      gain += (area_of(merits, ScoreKind::gate) - area_of(merits, ScoreKind::margin)) / kDraws;
    } else {
      gain += (deferral_area(make_scores(tune, fit_gate(tune, map), map), map) -
               deferral_area(make_scores(tune, plain_rule(ScoreKind::margin, map), map), map)) /
              kDraws;
    }
  }
  return gain;
}

TEST(CompareScores, DoesNotFavourTheGateOnNoise) {
  EXPECT_GT(mean_gain(200, false), 3e-3);  // so the test can fail
  EXPECT_LT(mean_gain(200, true), 1.5e-3);
}

TEST(CompareScores, CostsTheGateNextToNothingWhereTheMarginIsAllThatMatters) {
  double loss = 0.0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Answers tune = draw(2000, 500 + seed, [](const AnswerRow& row) {
      return 1.0 / (1.0 + std::exp(-0.005 * double(row.margin)));
    });
    const auto merits = compare_scores(tune, bag_and_boot(), 1);
    loss += (area_of(merits, ScoreKind::margin) - area_of(merits, ScoreKind::gate)) / 20.0;
  }
  EXPECT_LT(loss, 5e-4);
}

TEST(ChooseRule, GivesWhatIsAskedFor) {
  const Answers tune =
      draw(300, 6, [](const AnswerRow& row) { return 0.5 + double(row.margin) / 2000.0; });
  const PriorityMap map = bag_and_boot();
  EXPECT_EQ(choose_rule(ScoreChoice::margin, tune, map, {}), plain_rule(ScoreKind::margin, map));
  EXPECT_EQ(choose_rule(ScoreChoice::top_other, tune, map, {}),
            plain_rule(ScoreKind::top_other, map));
  EXPECT_EQ(choose_rule(ScoreChoice::gate, tune, map, {}), fit_gate(tune, map));
}

TEST(ChooseRule, TakesTheSimplestOfThoseThatAreAboutBest) {
  const Answers tune = draw(300, 7, [](const AnswerRow&) { return 0.8; });
  const auto chosen = [&](double margin, double top_other, double gate) {
    const std::vector<ScoreMerit> merits = {
        {ScoreKind::margin, margin}, {ScoreKind::top_other, top_other}, {ScoreKind::gate, gate}};
    return choose_rule(ScoreChoice::automatic, tune, bag_and_boot(), merits).kind;
  };
  EXPECT_EQ(chosen(0.9, 0.9, 0.9), ScoreKind::margin);
  EXPECT_EQ(chosen(0.9, 0.8, 0.90009), ScoreKind::margin);
  EXPECT_EQ(chosen(0.9, 0.8, 0.90011), ScoreKind::gate);
  EXPECT_EQ(chosen(0.9, 0.90011, 0.90015), ScoreKind::top_other);
  EXPECT_EQ(chosen(0.9, 0.90005, 0.90012), ScoreKind::top_other);
  expect_error(ErrorKind::internal, "a score was to be chosen without the merit of any",
               [&] { choose_rule(ScoreChoice::automatic, tune, bag_and_boot(), {}); });
}

}  // namespace
}  // namespace biglittle
