// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "calibrate/rows.h"
#include "calibrate/score_rule.h"
#include "calibrate/scores.h"
#include "core/random.h"

namespace biglittle {
namespace {

using namespace testing;

/// Log odds that an answer is right.
using LogOdds = std::function<double(const AnswerRow&)>;

/// Answers bag and boot with distances up to 1000, right with the log odds given; wrong ones are
/// shirts in truth. Big is always right.
Answers draw(std::int64_t n, const LogOdds& log_odds, std::uint64_t seed) {
  Random random(seed);
  Answers answers;
  for (std::int64_t i = 0; i < n; ++i) {
    AnswerRow row{};
    row.to_other = static_cast<std::int64_t>(1 + random.below(1000));
    row.margin =
        static_cast<std::int64_t>(1 + random.below(static_cast<std::uint64_t>(row.to_other)));
    row.little = random.uniform() < 0.5 ? kLittleBag : kLittleBoot;
    const bool is_right = random.uniform() < 1.0 / (1.0 + std::exp(-log_odds(row)));
    row.truth = !is_right ? kShirt : row.little == kLittleBag ? kBag : kBoot;
    row.big = row.truth;
    add(answers, 1, row);
  }
  return answers;
}

void expect_unlearned(const ScoreRule& rule) {
  EXPECT_EQ(rule.kind, ScoreKind::gate);
  EXPECT_EQ(rule.margin_weight, 1);
  EXPECT_EQ(rule.other_weight, 0);
  EXPECT_EQ(rule.offsets, (std::vector<std::int64_t>{0, 0, 0}));
}

TEST(FitGate, FindsTheWeightsAndOffsetsThatMadeTheData) {
  const Answers tune = draw(
      40000,
      [](const AnswerRow& row) {
        return 0.002 * double(row.margin) + 0.006 * double(row.to_other) +
               (row.little == kLittleBag ? -2.0 : -1.0);
      },
      1);
  const ScoreRule rule = fit_gate(tune, bag_and_boot());
  // Ratios to the unit, which the largest weight gives.
  const double unit = static_cast<double>(rule.other_weight) / 0.006;
  EXPECT_NEAR(static_cast<double>(rule.margin_weight) / unit, 0.002, 0.0004);
  EXPECT_NEAR(static_cast<double>(rule.offsets[kLittleBag]) / unit, -2.0, 0.2);
  EXPECT_NEAR(static_cast<double>(rule.offsets[kLittleBoot]) / unit, -1.0, 0.2);
  EXPECT_EQ(rule.other_weight, kLargestScoreWeight);
}

TEST(FitGate, LeavesOutADistanceThatWouldCountAgainstAnAnswer) {
  const ScoreRule against_other =
      fit_gate(draw(
                   5000,
                   [](const AnswerRow& row) {
                     return 1.0 + 0.008 * double(row.margin) - 0.004 * double(row.to_other);
                   },
                   2),
               bag_and_boot());
  EXPECT_EQ(against_other.other_weight, 0);
  EXPECT_GT(against_other.margin_weight, 0);
  const ScoreRule against_margin =
      fit_gate(draw(
                   5000,
                   [](const AnswerRow& row) {
                     return -1.0 - 0.004 * double(row.margin) + 0.008 * double(row.to_other);
                   },
                   3),
               bag_and_boot());
  EXPECT_EQ(against_margin.margin_weight, 0);
  EXPECT_GT(against_margin.other_weight, 0);
}

TEST(FitGate, IsTheMarginWhereEveryDistanceCountsAgainstAnAnswer) {
  expect_unlearned(fit_gate(
      draw(
          5000, [](const AnswerRow& row) { return 3.0 - 0.006 * double(row.to_other); }, 4),
      bag_and_boot()));
}

TEST(FitGate, NeedsTwentySamplesAndBothOutcomes) {
  const PriorityMap map = bag_and_boot();
  Answers tune;
  add(tune, 9, {50, 90, kLittleBag, kBag, kBag});
  add(tune, 9, {20, 30, kLittleBag, kBag, kBag});
  add(tune, 1, {10, 10, kLittleBag, kBag, kShirt});
  add(tune, 50, {0, 10, kLittleBag, kBag, kShirt});  // ties teach nothing
  add(tune, 50, {30, 30, kOther, kShirt, kBag});     // nor do answers that always escalate
  expect_unlearned(fit_gate(tune, map));             // 19
  add(tune, 1, {50, 90, kLittleBag, kBag, kBag});
  EXPECT_NE(fit_gate(tune, map).margin_weight, 1);  // 20

  Answers right;
  add(right, 30, {50, 90, kLittleBag, kBag, kBag});
  add(right, 30, {20, 30, kLittleBoot, kBoot, kBoot});
  expect_unlearned(fit_gate(right, map));
  Answers wrong;
  add(wrong, 30, {50, 90, kLittleBag, kBag, kShirt});
  add(wrong, 30, {20, 30, kLittleBoot, kBoot, kShirt});
  expect_unlearned(fit_gate(wrong, map));
  expect_unlearned(fit_gate(Answers{}, map));
}

TEST(FitGate, IsTheMarginWhereAllDistancesAreTheSame) {
  Answers tune;
  add(tune, 30, {50, 90, kLittleBag, kBag, kBag});
  add(tune, 5, {50, 90, kLittleBag, kBag, kShirt});
  expect_unlearned(fit_gate(tune, bag_and_boot()));
}

TEST(FitGate, SharesTheWeightWhereBothDistancesAreOne) {
  // One priority class: the second is always `other`.
  const PriorityMap map{.little_of_big = {1, 0}, .names = {"bag", "other"}, .has_other = true};
  Answers tune;
  Random random(5);
  for (int i = 0; i < 400; ++i) {
    const auto margin = static_cast<std::int32_t>(1 + random.below(1000));
    tune.accumulators.insert(tune.accumulators.end(), {margin, 0});
    tune.big_class.push_back(1);
    tune.truth.push_back(random.uniform() < 0.5 + margin / 2000.0 ? 1 : 0);
  }
  const ScoreRule rule = fit_gate(tune, map);
  EXPECT_EQ(rule.margin_weight, kLargestScoreWeight);
  EXPECT_NEAR(static_cast<double>(rule.other_weight), static_cast<double>(rule.margin_weight), 2);
}

TEST(FitGate, LearnsWithoutAClassOther) {
  const PriorityMap map{.little_of_big = {0, 1}, .names = {"bag", "boot"}, .has_other = false};
  Answers tune;
  Random random(6);
  for (int i = 0; i < 400; ++i) {
    const auto margin = static_cast<std::int32_t>(1 + random.below(1000));
    tune.accumulators.insert(tune.accumulators.end(), {margin, 0});
    tune.big_class.push_back(0);
    tune.truth.push_back(random.uniform() < 0.5 + margin / 2000.0 ? 0 : 1);
  }
  const ScoreRule rule = fit_gate(tune, map);
  EXPECT_EQ(rule.margin_weight, kLargestScoreWeight);
  EXPECT_EQ(rule.other_weight, 0);
}

TEST(FitGate, KeepsItsLimitsWhateverTheScaleOfTheAccumulators) {
  const std::int64_t half = std::int64_t{1} << 30;
  for (const std::int64_t scale : {std::int64_t{1}, std::int64_t{1000}, 2 * half / 1001}) {
    Answers tune;
    Random random(7);
    for (int i = 0; i < 500; ++i) {
      const auto to_other = static_cast<std::int64_t>(500 + random.below(500));
      const auto margin = to_other - static_cast<std::int64_t>(random.below(500));
      const bool is_right = random.uniform() < double(to_other) / 1000.0;
      add(tune, 1, {margin * scale, to_other * scale, kLittleBag, kBag, is_right ? kBag : kShirt});
    }
    const ScoreRule rule = fit_gate(tune, bag_and_boot());
    EXPECT_LE(std::abs(rule.margin_weight), kLargestScoreWeight);
    EXPECT_EQ(rule.other_weight, kLargestScoreWeight) << scale;
    for (const std::int64_t offset : rule.offsets) {
      EXPECT_LE(std::abs(offset), kLargestScoreOffset);
    }
    for (const std::int64_t score : make_scores(tune, rule, bag_and_boot()).score) {
      EXPECT_LT(std::abs(score), std::int64_t{1} << 52);
    }
  }
}

TEST(FitGate, DoesNotLoseDistancesInALargeMean) {
  // Distances of a billion that differ by a few hundred.
  Answers tune;
  Random random(8);
  for (int i = 0; i < 2000; ++i) {
    const auto gap = static_cast<std::int64_t>(random.below(1000));
    const bool is_right = random.uniform() < double(gap) / 1000.0;
    add(tune, 1, {1'000'000'000, 1'500'000'000 + gap, kLittleBag, kBag, is_right ? kBag : kShirt});
  }
  const ScoreRule rule = fit_gate(tune, bag_and_boot());
  EXPECT_EQ(rule.margin_weight, 0);
  EXPECT_EQ(rule.other_weight, kLargestScoreWeight);
  // The offset puts even odds where the data have them, at a gap of 500.
  EXPECT_NEAR(-static_cast<double>(rule.offsets[kLittleBag]) / double(kLargestScoreWeight),
              1'500'000'500.0, 40.0);
}

TEST(FitGate, IsTheSameEveryTime) {
  const Answers tune = draw(
      500, [](const AnswerRow& row) { return 0.004 * double(row.margin) - 1.0; }, 9);
  EXPECT_EQ(fit_gate(tune, bag_and_boot()), fit_gate(tune, bag_and_boot()));
}

}  // namespace
}  // namespace biglittle
