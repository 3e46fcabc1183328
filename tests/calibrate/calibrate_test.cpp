// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "calibrate/policy.h"
#include "calibrate/rows.h"
#include "calibrate/tests.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using namespace testing;

using Ints = std::vector<std::int64_t>;

const Row kSureBag{50, kLittleBag, kBag, kBag};
const Row kEscalatedShirt{30, kOther, kShirt, kShirt};

/// Tune margins of the priority answers: 60, 50, 20.
Scores three_margins() {
  return scores_of({{20, kLittleBoot, kBoot, kBoot},
                    {60, kLittleBag, kBag, kBag},
                    {99, kOther, kShirt, kShirt},
                    {0, kLittleBag, kBag, kBag},
                    {50, kLittleBag, kShirt, kShirt}});
}

TEST(ThresholdGrid, HoldsEveryPriorityMarginWhenThereIsRoomAndEndsAtOne) {
  EXPECT_EQ(threshold_grid(three_margins(), bag_and_boot(), 200), (Ints{60, 50, 20, 1}));
}

TEST(ThresholdGrid, SpreadsEvenlyOverTheAnswers) {
  Scores scores;
  for (std::int64_t margin = 1; margin <= 100; ++margin) {
    add(scores, 1, {margin, kLittleBag, kBag, kBag});
  }
  // A fifth of 100 answers more at each step: the 20th, 40th, 60th and 80th largest, then all.
  EXPECT_EQ(threshold_grid(scores, bag_and_boot(), 5), (Ints{81, 61, 41, 21, 1}));
  EXPECT_EQ(threshold_grid(scores, bag_and_boot(), 1), (Ints{1}));
}

TEST(ThresholdGrid, NamesRepeatedMarginsOnce) {
  Scores scores;
  add(scores, 50, {7, kLittleBag, kBag, kBag});
  add(scores, 50, {1, kLittleBag, kBag, kBag});
  EXPECT_EQ(threshold_grid(scores, bag_and_boot(), 10), (Ints{7, 1}));
}

TEST(ThresholdGrid, IsOneWithoutPriorityAnswers) {
  EXPECT_EQ(threshold_grid(scores_of({kEscalatedShirt}), bag_and_boot(), 10), (Ints{1}));
}

TEST(ThresholdGrid, StaysBelowAlwaysEscalate) {
  const Scores scores = scores_of({{4294967295, kLittleBag, kBag, kBag}});
  EXPECT_EQ(threshold_grid(scores, bag_and_boot(), 10), (Ints{kAlwaysEscalate - 1, 1}));
}

/// 1,000 samples: nothing lost down to margin 50, 12 lost at 20, ties that would lose, one gained.
Scores loses_at_twenty() {
  Scores scores;
  add(scores, 600, kSureBag);
  add(scores, 12, {20, kLittleBag, kShirt, kShirt});
  add(scores, 1, {60, kLittleBag, kShirt, kBag});
  add(scores, 10, {0, kLittleBag, kShirt, kShirt});
  add(scores, 377, kEscalatedShirt);
  return scores;
}

TEST(Calibrate, KeepsTheLastThresholdThatPassesNetLoss) {
  const EscalationPolicy policy =
      calibrate(three_margins(), loses_at_twenty(), bag_and_boot(), {.net_loss = 0.01, .seed = 9});
  EXPECT_EQ(policy.score, "margin");
  EXPECT_EQ(policy.threshold, 50);
  const Certificate& certificate = policy.certificate;
  EXPECT_TRUE(certificate.certified);
  EXPECT_EQ(certificate.delta, 0.05);
  EXPECT_EQ(certificate.n, 1000);
  EXPECT_EQ(certificate.seed, 9);
  EXPECT_EQ(certificate.grid_size, 4);
  EXPECT_EQ(certificate.tested, 3);  // 60 and 50 pass, 20 fails, 1 is not tried
  EXPECT_EQ(certificate.calibration_digest, "");
  ASSERT_EQ(certificate.risks.size(), 1U);
  const RiskResult& loss = certificate.risks[0];
  EXPECT_EQ(loss.risk, "net-loss");
  EXPECT_EQ(loss.bound, 0.01);
  EXPECT_EQ(loss.events, 0);
  EXPECT_EQ(loss.offsets, 1);
  EXPECT_EQ(loss.n, 1000);
  EXPECT_DOUBLE_EQ(loss.estimate, -0.001);
  EXPECT_LE(loss.p_value, 0.05);
  EXPECT_LE(loss.upper_bound, 0.01);
  EXPECT_GE(loss.upper_bound, loss.estimate);
  // Without events: ln(0.05) / ln(0.99) = 298.07.
  EXPECT_EQ(loss.needed, 299);
}

TEST(Calibrate, MeasuresWhatStaysLocal) {
  const EscalationPolicy policy =
      calibrate(three_margins(), loses_at_twenty(), bag_and_boot(), {.net_loss = 0.01});
  EXPECT_EQ(policy.escalation.count, 399);
  EXPECT_EQ(policy.escalation.n, 1000);
  EXPECT_DOUBLE_EQ(policy.escalation.value, 0.399);
  EXPECT_EQ(policy.priority_local.count, 601);
  EXPECT_EQ(policy.priority_local.n, 601);
}

TEST(Calibrate, StopsAtTheFirstFailureEvenIfALaterThresholdWouldPass) {
  Scores calibration = loses_at_twenty();
  add(calibration, 100, {1, kLittleBag, kShirt, kBag});  // big wrong, little right: gains at 1
  EXPECT_EQ(calibrate(three_margins(), calibration, bag_and_boot(), {.net_loss = 0.01}).threshold,
            50);
}

TEST(Calibrate, GoesDownToOneWhenNothingFails) {
  Scores calibration;
  add(calibration, 700, kSureBag);
  add(calibration, 300, kEscalatedShirt);
  const EscalationPolicy policy =
      calibrate(three_margins(), calibration, bag_and_boot(), {.net_loss = 0.01});
  EXPECT_EQ(policy.threshold, 1);
  EXPECT_EQ(policy.certificate.tested, 4);
}

TEST(Calibrate, IsReproducible) {
  const CalibrateOptions options{.net_loss = 0.01, .seed = 3};
  const auto once = calibrate(three_margins(), loses_at_twenty(), bag_and_boot(), options);
  const auto again = calibrate(three_margins(), loses_at_twenty(), bag_and_boot(), options);
  EXPECT_EQ(to_json(once), to_json(again));
}

/// 400 bags, never missed; 100 boots of which two are called bags with margin 40.
Scores misses_two_boots() {
  Scores scores;
  add(scores, 400, kSureBag);
  add(scores, 98, {70, kLittleBoot, kBoot, kBoot});
  add(scores, 2, {40, kLittleBag, kBoot, kBoot});
  return scores;
}

Scores tune_sixty_and_forty() {
  return scores_of({{60, kLittleBag, kBag, kBag}, {40, kLittleBoot, kBoot, kBoot}});
}

TEST(Calibrate, CertifiesMissOfEveryPriorityClass) {
  const EscalationPolicy policy = calibrate(tune_sixty_and_forty(), misses_two_boots(),
                                            bag_and_boot(), {.net_loss = 0.0, .miss = 0.05});
  // P(Binomial(100, 0.05) <= 2) = 0.118: the two boots that 40 lets through are too many.
  EXPECT_EQ(policy.threshold, 60);
  EXPECT_EQ(policy.certificate.tested, 2);
  ASSERT_EQ(policy.certificate.risks.size(), 2U);
  const RiskResult& bag = policy.certificate.risks[0];
  EXPECT_EQ(bag.risk, "miss:bag");
  EXPECT_EQ(bag.n, 400);
  EXPECT_EQ(bag.events, 0);
  EXPECT_NEAR(bag.p_value, std::pow(0.95, 400), 1e-15);
  EXPECT_NEAR(bag.upper_bound, 1 - std::pow(0.05, 1.0 / 400), 1e-12);
  const RiskResult& boot = policy.certificate.risks[1];
  EXPECT_EQ(boot.risk, "miss:boot");
  EXPECT_EQ(boot.bound, 0.05);
  EXPECT_EQ(boot.n, 100);
  EXPECT_EQ(boot.events, 0);
  EXPECT_EQ(boot.offsets, 0);
  EXPECT_EQ(boot.estimate, 0.0);
  EXPECT_NEAR(boot.p_value, std::pow(0.95, 100), 1e-12);
  EXPECT_NEAR(boot.upper_bound, 1 - std::pow(0.05, 1.0 / 100), 1e-12);
  EXPECT_EQ(boot.needed, 59);
}

TEST(Calibrate, CountsOnlyWrongPriorityAnswersAsMisses) {
  Scores calibration = misses_two_boots();
  add(calibration, 50, {90, kOther, kBoot, kBoot});  // escalated, whatever its margin
  const EscalationPolicy policy = calibrate(tune_sixty_and_forty(), calibration, bag_and_boot(),
                                            {.net_loss = 0.0, .miss = 0.05});
  // P(Binomial(150, 0.05) <= 2) = 0.018 passes now, and nothing more is missed at 1.
  EXPECT_EQ(policy.threshold, 1);
  EXPECT_EQ(policy.certificate.risks[1].events, 2);
  EXPECT_EQ(policy.certificate.risks[1].n, 150);
}

TEST(Calibrate, AsksEveryRiskAtOnce) {
  const CalibrateOptions loss_only{.net_loss = 0.02, .miss = 0.0};
  const CalibrateOptions both{.net_loss = 0.02, .miss = 0.05};
  const Scores tune = tune_sixty_and_forty();
  EXPECT_EQ(calibrate(tune, misses_two_boots(), bag_and_boot(), loss_only).threshold, 1);
  const EscalationPolicy policy = calibrate(tune, misses_two_boots(), bag_and_boot(), both);
  EXPECT_EQ(policy.threshold, 60);
  EXPECT_EQ(policy.certificate.risks.size(), 3U);
}

TEST(Calibrate, EscalatesEverythingWhenNothingCanBeCertified) {
  const EscalationPolicy policy = calibrate(tune_sixty_and_forty(), misses_two_boots(),
                                            bag_and_boot(), {.net_loss = 0.0, .miss = 0.02});
  EXPECT_EQ(policy.threshold, kAlwaysEscalate);
  EXPECT_FALSE(policy.certificate.certified);
  EXPECT_EQ(policy.certificate.tested, 1);
  EXPECT_EQ(policy.escalation.value, 1.0);
  EXPECT_EQ(policy.priority_local.value, 0.0);
  const RiskResult& boot = policy.certificate.risks[1];
  EXPECT_NEAR(boot.p_value, std::pow(0.98, 100), 1e-12);  // 0.13
  EXPECT_NEAR(boot.upper_bound, 1 - std::pow(0.05, 1.0 / 100), 1e-12);
  EXPECT_EQ(boot.needed, 149);  // ln(0.05) / ln(0.98) = 148.3
}

TEST(Calibrate, RefusesToWorkWithoutARisk) {
  expect_error(ErrorKind::config,
               "calibrate: no risk is asked; set net_loss or miss to the rate that is bearable",
               [] {
                 calibrate(three_margins(), loses_at_twenty(), bag_and_boot(),
                           {.net_loss = 0.0, .miss = 0.0});
               });
}

TEST(Calibrate, RefusesRatesOutOfRange) {
  const auto refuse = [](const CalibrateOptions& options, const std::string& message) {
    expect_error(ErrorKind::config, message,
                 [&] { calibrate(three_margins(), loses_at_twenty(), bag_and_boot(), options); });
  };
  refuse({.delta = 0.0}, "calibrate: delta is 0, expected at least 1e-09 and below 1");
  refuse({.net_loss = -0.1}, "calibrate: net_loss is -0.1, expected at least 0 and below 1");
  refuse({.miss = 1.0}, "calibrate: miss is 1, expected at least 0 and below 1");
  refuse({.grid = 0}, "calibrate: grid is 0, expected at least 1");
}

TEST(Calibrate, RefusesEmptyScores) {
  expect_error(ErrorKind::bad_data, "calibration: no samples, expected at least one",
               [] { calibrate(three_margins(), {}, bag_and_boot(), {}); });
  expect_error(ErrorKind::bad_data, "tune: no samples, expected at least one",
               [] { calibrate({}, loses_at_twenty(), bag_and_boot(), {}); });
}

TEST(Calibrate, RefusesAPriorityClassWithoutSamplesWhenItsMissesAreAsked) {
  expect_error(ErrorKind::bad_data,
               "calibration: no sample of priority class 'boot', so its miss rate cannot be "
               "certified; add samples of it or set miss = 0",
               [] {
                 calibrate(three_margins(), loses_at_twenty(), bag_and_boot(),
                           {.net_loss = 0.0, .miss = 0.05});
               });
}

}  // namespace
}  // namespace biglittle
