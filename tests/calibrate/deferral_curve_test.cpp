// SPDX-License-Identifier: MIT
#include "calibrate/deferral_curve.h"

#include <gtest/gtest.h>

#include "calibrate/rows.h"
#include "core/random.h"

namespace biglittle {
namespace {

using namespace testing;

const std::vector<std::string> kClasses{"shirt", "bag", "boot"};

Scores random_scores(std::int64_t n, std::uint64_t seed) {
  Random random(seed);
  Scores scores;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto draw = [&] { return static_cast<std::int64_t>(random.below(3)); };
    const std::int64_t truth = draw();
    const auto score = static_cast<std::int64_t>(random.below(100)) + 1;
    // Little is right more often at large scores, big nearly always.
    const std::int64_t right = bag_and_boot().little_of_big[static_cast<std::size_t>(truth)];
    const std::int64_t little =
        random.uniform() < 0.5 + 0.005 * static_cast<double>(score) ? right : draw();
    add(scores, 1, {score, little, random.uniform() < 0.9 ? truth : draw(), truth});
  }
  return scores;
}

/// Nested thresholds for bag and boot, and for other when filtering.
EscalationPolicy policy_along_a_path(OtherMode other) {
  EscalationPolicy policy;
  policy.other = other;
  for (std::int64_t step = 0; step < 12; ++step) {
    const std::int64_t for_other = other == OtherMode::answer ? 99 - 6 * step : kAlwaysEscalate;
    policy.certificate.path.steps.push_back({95 - 8 * step, 90 - 5 * step, for_other});
    policy.certificate.path.local_share.push_back(0.0);
  }
  policy.certificate.big_classes = kClasses;
  policy.certificate.step = 3;
  return policy;
}

void ask(EscalationPolicy& policy, const std::string& risk, double bound) {
  RiskResult asked;
  asked.risk = risk;
  asked.bound = bound;
  policy.certificate.risks.push_back(asked);
}

class DeferralCurves : public ::testing::TestWithParam<OtherMode> {};

TEST_P(DeferralCurves, AreCountedStepByStep) {
  const PriorityMap map = bag_and_boot();
  const EscalationPolicy policy = policy_along_a_path(GetParam());
  const Scores scores = random_scores(400, 3);
  const DeferralCurve curve = deferral_curve(scores, policy, map);
  ASSERT_EQ(curve.points.size(), 13U);
  EXPECT_EQ(curve.chosen_step, 3);
  for (std::int64_t step = -1; step < 12; ++step) {
    std::int64_t escalated = 0;
    std::int64_t right = 0;
    for (std::int64_t row = 0; row < scores.count(); ++row) {
      const bool local =
          step >= 0 &&
          answers_locally(scores, row,
                          policy.certificate.path.steps[static_cast<std::size_t>(step)]);
      const Verdict verdict = judge(scores, row, map, policy.other);
      escalated += !local;
      right += local ? !verdict.little_wrong : !verdict.big_wrong;
    }
    const CurvePoint& point = curve.at(step);
    EXPECT_EQ(point.step, step);
    EXPECT_EQ(point.escalated, escalated);
    EXPECT_EQ(point.right, right);
    EXPECT_DOUBLE_EQ(point.accuracy, static_cast<double>(right) / 400);
    EXPECT_LT(point.low, point.accuracy);
    EXPECT_GT(point.high, point.accuracy);
  }
}
INSTANTIATE_TEST_SUITE_P(Modes, DeferralCurves,
                         ::testing::Values(OtherMode::escalate, OtherMode::answer));

TEST(DeferralCurve, StatesBothEnds) {
  const Scores scores = scores_of({{50, kLittleBag, kShirt, kBag},
                                   {50, kLittleBag, kBag, kBag},
                                   {50, kOther, kShirt, kShirt},
                                   {50, kOther, kBoot, kBoot}});
  const DeferralCurve plain =
      deferral_curve(scores, policy_along_a_path(OtherMode::escalate), bag_and_boot());
  EXPECT_EQ(plain.always_big.escalation, 1.0);
  EXPECT_EQ(plain.always_big.accuracy, 0.75);
  EXPECT_EQ(plain.always_little.escalation, 0.5);
  EXPECT_EQ(plain.always_little.accuracy, 1.0);
  const DeferralCurve filtering =
      deferral_curve(scores, policy_along_a_path(OtherMode::answer), bag_and_boot());
  EXPECT_EQ(filtering.always_little.escalation, 0.0);
  EXPECT_EQ(filtering.always_little.accuracy, 0.75);  // the boot is dropped
}

/// The last step at which both measured risks, net loss in a mix of classes and misses of bags, are
/// within their bounds.
std::int64_t oracle_by_force(const Scores& scores, const EscalationPolicy& policy,
                             const std::vector<double>& class_weight, double net_loss,
                             double miss_of_bag) {
  std::int64_t best = -1;
  for (std::size_t step = 0; step < policy.certificate.path.steps.size(); ++step) {
    double loss = 0.0;
    double weights = 0.0;
    double misses = 0.0;
    double bags = 0.0;
    for (std::int64_t row = 0; row < scores.count(); ++row) {
      const auto at = static_cast<std::size_t>(row);
      const double weight = class_weight[static_cast<std::size_t>(scores.truth[at])];
      const bool local = answers_locally(scores, row, policy.certificate.path.steps[step]);
      const bool bag = scores.truth[at] == kBag;
      weights += weight;
      bags += bag;
      if (!local) continue;
      const Verdict verdict = judge(scores, row, bag_and_boot(), policy.other);
      loss += weight * (int{verdict.little_wrong} - int{verdict.big_wrong});
      misses += bag && scores.little_class[at] != kLittleBag;
    }
    if (loss <= net_loss * weights && misses <= miss_of_bag * bags) {
      best = static_cast<std::int64_t>(step);
    }
  }
  return best;
}

TEST(Oracle, IsTheBestStepThatKeepsEveryBound) {
  std::int64_t between = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Scores scores = random_scores(300, seed);
    for (const double bound : {0.01, 0.04, 0.08}) {
      EscalationPolicy policy = policy_along_a_path(OtherMode::escalate);
      ask(policy, "net-loss", bound);
      ask(policy, "miss:bag", 2 * bound);
      const DeferralCurve curve = deferral_curve(scores, policy, bag_and_boot());
      const std::int64_t expected =
          oracle_by_force(scores, policy, {1.0, 1.0, 1.0}, bound, 2 * bound);
      EXPECT_EQ(curve.oracle_step, expected);
      between += expected > 0 && expected < 11;
      ASSERT_TRUE(curve.over_oracle.has_value());
      EXPECT_DOUBLE_EQ(*curve.over_oracle, curve.at(3).escalation / curve.at(expected).escalation);
    }
  }
  EXPECT_GT(between, 20);  // the bounds do bind
}

TEST(Oracle, CountsLossesInTheFieldsMix) {
  std::int64_t differs = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Scores scores = random_scores(300, seed);
    EscalationPolicy policy = policy_along_a_path(OtherMode::escalate);
    ask(policy, "net-loss", 0.04);
    const std::int64_t plain = deferral_curve(scores, policy, bag_and_boot()).oracle_step;
    policy.certificate.field_shares = {0.8, 0.15, 0.05};
    std::vector<double> weight = policy.certificate.field_shares;
    for (std::size_t c = 0; c < 3; ++c) {
      weight[c] /= static_cast<double>(
          std::count(scores.truth.begin(), scores.truth.end(), static_cast<std::int64_t>(c)));
    }
    const std::int64_t weighted = deferral_curve(scores, policy, bag_and_boot()).oracle_step;
    EXPECT_EQ(weighted, oracle_by_force(scores, policy, weight, 0.04, 1.0));
    differs += weighted != plain;
  }
  EXPECT_GT(differs, 3);
}

TEST(Oracle, IsNoStepWhereNothingIsAskedOrNothingIsKept) {
  const Scores scores = random_scores(300, 1);
  EscalationPolicy policy = policy_along_a_path(OtherMode::escalate);
  EXPECT_EQ(deferral_curve(scores, policy, bag_and_boot()).oracle_step, -1);
  ask(policy, "budget", 0.01);
  EXPECT_EQ(deferral_curve(scores, policy, bag_and_boot()).oracle_step, -1);
}

TEST(DeferralCurve, IsTheSameEveryTimeAndOfOnePointWithoutAPath) {
  const Scores scores = random_scores(300, 1);
  const EscalationPolicy policy = policy_along_a_path(OtherMode::escalate);
  const DeferralCurve first = deferral_curve(scores, policy, bag_and_boot());
  const DeferralCurve second = deferral_curve(scores, policy, bag_and_boot());
  EXPECT_EQ(first.band_critical, second.band_critical);
  const DeferralCurve none = deferral_curve(scores, EscalationPolicy{}, bag_and_boot());
  ASSERT_EQ(none.points.size(), 1U);
  EXPECT_EQ(none.points[0].escalation, 1.0);
}

}  // namespace
}  // namespace biglittle
