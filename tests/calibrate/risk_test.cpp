// SPDX-License-Identifier: MIT
// Every statement at every step of a short path, counted by eye. The p-values are from exact
// fractions in Python:
//   from fractions import Fraction as F
//   from math import comb, exp, log, e, ceil
//   tail = lambda k, n, p: sum(comb(n, i) * F(p)**i * (1 - F(p))**(n - i) for i in range(k + 1))

#include "calibrate/risk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "calibrate/asked.h"
#include "calibrate/tests.h"
#include "core/random.h"

namespace biglittle {
namespace {

using namespace testing;
using ::testing::ElementsAre;

// tail(0, 12, '0.4'), tail(1, 12, '0.4'), tail(2, 12, '0.4')
TEST(Harm, CountsLocalMistakesThatBigWouldNotHaveMade) {
  const Asked asked(asking({.harm = 0.4}), twelve_samples(), three_steps());
  expect_counts(asked.at("harm", 0), 0, 12, 0.002176782336);
  expect_counts(asked.at("harm", 1), 1, 12, 0.019591041024);
  expect_counts(asked.at("harm", 2), 2, 12, 0.08344332288);
  EXPECT_DOUBLE_EQ(asked.at("harm", 2).estimate, 2.0 / 12.0);
}

// tail(1, 3, '0.6'), tail(3, 6, '0.6'), tail(4, 8, '0.6')
TEST(Selective, CountsMistakesAmongLocalAnswersOnly) {
  const Asked asked(asking({.selective = 0.6}), twelve_samples(), three_steps());
  expect_counts(asked.at("selective", 0), 1, 3, 0.352);
  expect_counts(asked.at("selective", 1), 3, 6, 0.45568);
  expect_counts(asked.at("selective", 2), 4, 8, 0.4059136);
  EXPECT_DOUBLE_EQ(asked.at("selective", 2).estimate, 0.5);
}

TEST(Selective, ProvesNothingWhereNothingIsLocal) {
  const Asked asked(asking({.selective = 0.6}), twelve_samples(),
                    {.steps = {{1000, 1000, kAlwaysEscalate}}, .local_share = {0.0}});
  expect_counts(asked.at("selective", 0), 0, 0, 1.0);
  EXPECT_EQ(asked.at("selective", 0).estimate, 0.0);
  EXPECT_EQ(asked.at("selective", 0).upper_bound, 1.0);
}

// tail(0, 5, '0.5'), tail(1, 5, '0.5'); tail(0, 4, '0.3'), tail(1, 4, '0.3')
TEST(Miss, CountsLocalMistakesAmongSamplesOfTheClass) {
  const Asked asked(asking({.miss = 0.5, .miss_of = {{"boot", 0.3}}}), twelve_samples(),
                    three_steps());
  EXPECT_THAT(asked.names(), ElementsAre("miss:bag", "miss:boot"));
  expect_counts(asked.at("miss:bag", 0), 0, 5, 0.03125);
  expect_counts(asked.at("miss:bag", 1), 1, 5, 0.1875);
  expect_counts(asked.at("miss:bag", 2), 1, 5, 0.1875);
  expect_counts(asked.at("miss:boot", 0), 0, 4, 0.2401);
  expect_counts(asked.at("miss:boot", 1), 0, 4, 0.2401);
  expect_counts(asked.at("miss:boot", 2), 1, 4, 0.6517);
}

// tail(0, 12, '0.5'), tail(2, 12, '0.5'), tail(3, 12, '0.5')
TEST(Agreement, CountsLocalAnswersThatBigWouldNotHaveGiven) {
  Scores unlabelled = twelve_samples();
  unlabelled.truth.clear();
  for (const Scores& scores : {twelve_samples(), unlabelled}) {
    const Asked asked(asking({.agreement = 0.5}), scores, three_steps());
    expect_counts(asked.at("agreement", 0), 0, 12, 0.000244140625);
    expect_counts(asked.at("agreement", 1), 2, 12, 0.019287109375);
    expect_counts(asked.at("agreement", 2), 3, 12, 0.072998046875);
  }
}

// tail(9, 12, '0.8'), tail(6, 12, '0.8'), tail(4, 12, '0.8')
TEST(Budget, CountsEscalationsWhichFallAlongThePath) {
  Scores unlabelled = twelve_samples();
  unlabelled.truth.clear();
  for (const Scores& scores : {twelve_samples(), unlabelled}) {
    const Asked asked(asking({.budget = 0.8}), scores, three_steps());
    expect_counts(asked.at("budget", 0), 9, 12, 0.44165425152);
    expect_counts(asked.at("budget", 1), 6, 12, 0.019405279232);
    expect_counts(asked.at("budget", 2), 4, 12, 0.00058124288);
    EXPECT_DOUBLE_EQ(asked.at("budget", 0).estimate, 0.75);
  }
}

// Costs sum to 1, 2.5 and 2.75:
//   h = lambda a, b: a * log(a / b) + (1 - a) * log((1 - a) / (1 - b))
//   p = lambda s: min(exp(-12 * h(s / 12, 0.5)), e * float(tail(ceil(s), 12, '0.5')))
TEST(Cost, SumsTheCostsOfLocalMistakes) {
  CalibrateOptions options = asking({});
  options.cost = {.bound = 0.5,
                  .table = {{"shirt", {{"bag", 1.0}}},
                            {"bag", {{"boot", 0.5}, {"other", 1.0}}},
                            {"boot", {{"bag", 0.25}}}}};
  const Asked asked(options, twelve_samples(), three_steps());
  expect_counts(asked.at("cost", 0), 1, 12, 0.007629489292668546);
  expect_counts(asked.at("cost", 1), 3, 12, 0.11339417161409632);
  expect_counts(asked.at("cost", 2), 4, 12, 0.15589747053353517);
  EXPECT_DOUBLE_EQ(asked.at("cost", 2).estimate, 2.75 / 12.0);
}

TEST(NetLoss, CountsMistakesOfLittleAndOfBigApart) {
  CalibrateOptions options;
  options.net_loss = 0.3;
  const Asked asked(options, twelve_samples(), three_steps());
  const std::int64_t events[] = {0, 1, 2};
  const std::int64_t offsets[] = {0, 1, 1};
  for (std::int64_t step = 0; step < 3; ++step) {
    const RiskResult result = asked.at("net-loss", step);
    EXPECT_EQ(result.events, events[step]);
    EXPECT_EQ(result.offsets, offsets[step]);
    EXPECT_EQ(result.n, 12);
    EXPECT_DOUBLE_EQ(result.estimate, double(events[step] - offsets[step]) / 12.0);
  }
}

// D of the twelve samples at the last step, in the order in which they are bet on.
TEST(NetLoss, BetsInTheOrderDrawnFromTheSeed) {
  const std::vector<std::int8_t> by_row = {0, 0, 1, 0, -1, 0, 1, 0, 0, 0, 0, 0};
  std::vector<std::int64_t> order(by_row.size());
  std::iota(order.begin(), order.end(), 0);
  Random(1).shuffle(std::span(order));
  std::vector<std::int8_t> differences;
  for (const std::int64_t row : order) differences.push_back(by_row[static_cast<std::size_t>(row)]);
  CalibrateOptions options;
  options.net_loss = 0.3;
  const Asked asked(options, twelve_samples(), three_steps());
  EXPECT_EQ(asked.at("net-loss", 2).p_value, betting_p_value(differences, 0.3, 0.05));
}

// Without events the upper bound solves (1 - bound)^12 = level.
TEST(RiskResult, BoundsTheRiskAtTheLevelOfTheSearch) {
  for (const double level : {0.05, 0.025}) {
    const Asked asked(asking({.harm = 0.4}), twelve_samples(), three_steps(), level);
    EXPECT_NEAR(asked.at("harm", 0).upper_bound, 1.0 - std::pow(level, 1.0 / 12.0), 1e-9);
  }
}

// 0.6^5 = 0.078, 0.6^6 = 0.047.
TEST(RiskResult, SaysHowManySamplesAreNeededWhereAnyNumberIs) {
  const Asked asked(asking({.harm = 0.4}), twelve_samples(), three_steps());
  EXPECT_EQ(asked.at("harm", 0).needed, 6);
  const Asked too_much(asking({.harm = 0.1}), twelve_samples(), three_steps());
  EXPECT_EQ(too_much.at("harm", 2).needed, std::nullopt);
}

}  // namespace
}  // namespace biglittle
