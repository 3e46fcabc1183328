// SPDX-License-Identifier: MIT
// The device's decision against numbers worked by hand and against the arithmetic of the
// certificate.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "bl_runtime.h"
#include "calibrate/scores.h"

namespace biglittle {
namespace {

using Accumulators = std::vector<std::int32_t>;
using Thresholds = std::vector<std::int64_t>;

constexpr std::int32_t kLargestAccumulator = (1 << 30) - 1;

PriorityMap map_of(std::int64_t classes, bool has_other) {
  PriorityMap map;
  map.has_other = has_other;
  for (std::int64_t i = 0; i < classes; ++i) {
    map.names.push_back("class " + std::to_string(i));
    map.little_of_big.push_back(i);
  }
  return map;
}

bl_result decide_on_device(const Accumulators& accumulators, const ScoreRule& rule,
                           const PriorityMap& map, const Thresholds& thresholds) {
  const bl_score_rule device = {static_cast<std::int32_t>(map.classes()),
                                map.has_other ? static_cast<std::int32_t>(map.priorities()) : -1,
                                static_cast<std::int32_t>(rule.margin_weight),
                                static_cast<std::int32_t>(rule.other_weight), rule.offsets.data()};
  return bl_decide(&device, accumulators.data(), thresholds.data());
}

TEST(Decision, AddsWeightedDistancesAndTheOffsetOfTheAnswer) {
  const PriorityMap map = map_of(4, true);
  const ScoreRule rule{ScoreKind::gate, 3, 2, {5, 100, 7, 9}};
  const Thresholds thresholds(4, 187);
  const Accumulators accumulators = {-40, 10, -7, -8};
  // Margin 10 + 7 = 17, distance to other 10 + 8 = 18: 3 * 17 + 2 * 18 + 100 = 187.
  const bl_result result = decide_on_device(accumulators, rule, map, thresholds);
  EXPECT_EQ(result.class_index, 1);
  EXPECT_EQ(result.margin, 17);
  EXPECT_EQ(result.score, 187);
  EXPECT_FALSE(result.escalate);
  EXPECT_TRUE(decide_on_device(accumulators, rule, map, Thresholds(4, 188)).escalate);
}

TEST(Decision, OfAnAnswerOtherTheMarginStandsForTheDistanceToOther) {
  const ScoreRule rule{ScoreKind::gate, 3, 2, {5, 100, 7}};
  // Margin 9 - 2 = 7: 3 * 7 + 2 * 7 + 7 = 42.
  EXPECT_EQ(decide_on_device({1, 2, 9}, rule, map_of(3, true), Thresholds(3, 0)).score, 42);
}

TEST(Decision, WithoutAClassOtherItsWeightDoesNotCount) {
  const ScoreRule rule{ScoreKind::gate, 3, 2, {5, 100, 7}};
  // 3 * 7 + 7.
  EXPECT_EQ(decide_on_device({1, 2, 9}, rule, map_of(3, false), Thresholds(3, 0)).score, 28);
}

TEST(Decision, TiesGoToTheLowestClassAndHaveTheLowestScore) {
  const PriorityMap map = map_of(4, true);
  const ScoreRule rule{ScoreKind::gate, 1, 1, Thresholds(4, kLargestScoreOffset)};
  const Thresholds lowest(4, kTieScore + 1);
  const bl_result result = decide_on_device({5, 9, 9, 1}, rule, map, lowest);
  EXPECT_EQ(result.class_index, 1);
  EXPECT_EQ(result.margin, 0);
  EXPECT_EQ(result.score, kTieScore);
  EXPECT_TRUE(result.escalate);
  EXPECT_TRUE(bl_decide_margin(4, Accumulators{5, 9, 9, 1}.data(), lowest.data()).escalate);
}

TEST(Decision, EachClassHasItsOwnThreshold) {
  const Thresholds thresholds = {8, 7, kAlwaysEscalate};
  EXPECT_TRUE(bl_decide_margin(3, Accumulators{9, 2, 1}.data(), thresholds.data()).escalate);
  EXPECT_FALSE(bl_decide_margin(3, Accumulators{2, 9, 1}.data(), thresholds.data()).escalate);
  EXPECT_TRUE(bl_decide_margin(3, Accumulators{2, 1, 9}.data(), thresholds.data()).escalate);
}

TEST(Decision, NoScoreReachesAlwaysEscalate) {
  const ScoreRule rule{ScoreKind::gate, kLargestScoreWeight, kLargestScoreWeight,
                       Thresholds(2, kLargestScoreOffset)};
  const bl_result result = decide_on_device({kLargestAccumulator, -kLargestAccumulator}, rule,
                                            map_of(2, true), Thresholds(2, kAlwaysEscalate));
  EXPECT_EQ(result.margin, 2147483646);
  // 2 * 2^18 * (2^31 - 2) + 2^50.
  EXPECT_EQ(result.score, (std::int64_t{1} << 51) - (std::int64_t{1} << 20));
  EXPECT_TRUE(result.escalate);
  EXPECT_EQ(BL_ALWAYS_ESCALATE, kAlwaysEscalate);
  EXPECT_EQ(BL_TIE_SCORE, kTieScore);
}

/// Draws rules, accumulators and thresholds, many of them at the ends of their ranges or tied.
class Draws {
 public:
  explicit Draws(std::uint32_t seed) : random_(seed) {}

  std::int64_t within(std::int64_t limit) {
    switch (random_() % 6) {
      case 0:
        return limit;
      case 1:
        return -limit;
      case 2:
        return static_cast<std::int64_t>(random_() % 5) - 2;
      default:
        return std::uniform_int_distribution<std::int64_t>(-limit, limit)(random_);
    }
  }

  Accumulators accumulators(std::size_t classes) {
    Accumulators values(classes);
    for (std::int32_t& value : values) {
      value = static_cast<std::int32_t>(within(kLargestAccumulator));
    }
    return values;
  }

  ScoreRule rule(std::size_t classes) {
    ScoreRule drawn{ScoreKind::gate, within(kLargestScoreWeight), within(kLargestScoreWeight), {}};
    for (std::size_t i = 0; i < classes; ++i) drawn.offsets.push_back(within(kLargestScoreOffset));
    return drawn;
  }

  /// At, just above or far from the score.
  std::int64_t threshold(std::int64_t score) {
    const std::int64_t drawn = random_() % 3 == 0
                                   ? within(std::int64_t{1} << 52)
                                   : score + static_cast<std::int64_t>(random_() % 2);
    return std::clamp(drawn, kTieScore + 1, kAlwaysEscalate);
  }

  std::uint32_t operator()(std::uint32_t below) {
    return static_cast<std::uint32_t>(random_() % below);
  }

 private:
  std::mt19937_64 random_;
};

/// The certificate's view of the same input: is it answered on the device?
bool is_local(std::int64_t score, std::int32_t answer, const Thresholds& thresholds) {
  Scores scores;
  scores.score = {score};
  scores.little_class = {answer};
  return answers_locally(scores, 0, thresholds);
}

TEST(Decision, IsTheCertificatesOnRandomAndExtremeNumbers) {
  Draws draw(5);
  int local = 0;
  int tied = 0;
  for (int round = 0; round < 100000; ++round) {
    const std::size_t classes = 2 + draw(4);
    const PriorityMap map = map_of(static_cast<std::int64_t>(classes), draw(2) == 0);
    const Accumulators accumulators = draw.accumulators(classes);
    const ScoreRule rule = draw.rule(classes);
    const std::int64_t score = score_of(accumulators, rule, map);
    Thresholds thresholds;
    for (std::size_t i = 0; i < classes; ++i) thresholds.push_back(draw.threshold(score));
    const bl_result result = decide_on_device(accumulators, rule, map, thresholds);
    ASSERT_EQ(result.score, score) << "round " << round;
    ASSERT_EQ(!result.escalate, is_local(score, result.class_index, thresholds)) << round;
    local += !result.escalate;
    tied += score == kTieScore;
  }
  EXPECT_GT(local, 20000);
  EXPECT_GT(tied, 5000);
}

TEST(Decision, ThePlainMarginIsThatRuleWithoutAMultiplication) {
  Draws draw(6);
  for (int round = 0; round < 20000; ++round) {
    const std::size_t classes = 2 + draw(4);
    const PriorityMap map = map_of(static_cast<std::int64_t>(classes), draw(2) == 0);
    const Accumulators accumulators = draw.accumulators(classes);
    const ScoreRule rule = plain_rule(ScoreKind::margin, map);
    const Thresholds thresholds(classes, draw.threshold(score_of(accumulators, rule, map)));
    const bl_result general = decide_on_device(accumulators, rule, map, thresholds);
    const bl_result plain = bl_decide_margin(static_cast<std::int32_t>(classes),
                                             accumulators.data(), thresholds.data());
    ASSERT_EQ(plain.class_index, general.class_index) << round;
    ASSERT_EQ(plain.margin, general.margin) << round;
    ASSERT_EQ(plain.score, general.score) << round;
    ASSERT_EQ(plain.escalate, general.escalate) << round;
  }
}

}  // namespace
}  // namespace biglittle
