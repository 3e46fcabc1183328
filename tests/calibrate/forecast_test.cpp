// SPDX-License-Identifier: MIT
#include "calibrate/forecast.h"

#include <gtest/gtest.h>

#include "calibrate/rows.h"

namespace biglittle {
namespace {

using namespace testing;

const std::vector<std::string> kClasses{"shirt", "bag", "boot"};

/// Four shirts go up; of ten bags eight are answered and two go up; of five boots three are
/// answered, one is dropped, one goes up.
struct Samples19 {
  Scores scores;
  std::vector<Fate> fates;

  Samples19() {
    put(4, kShirt, Fate::escalated);
    put(8, kBag, Fate::answered);
    put(2, kBag, Fate::escalated);
    put(3, kBoot, Fate::answered);
    put(1, kBoot, Fate::dropped);
    put(1, kBoot, Fate::escalated);
  }
  void put(std::int64_t count, std::int64_t truth, Fate fate) {
    add(scores, count, {1, kLittleBag, truth, truth});
    fates.insert(fates.end(), static_cast<std::size_t>(count), fate);
  }
};

Forecast in_mix(const std::vector<double>& shares) {
  const Samples19 samples;
  return forecast(samples.scores, samples.fates, shares, kClasses);
}

TEST(Forecast, MixesTheClassesRatesByTheirShares) {
  const Forecast result = in_mix({0.5, 0.3, 0.2});
  EXPECT_NEAR(result.of(Fate::answered).value, 300 * 0.8 + 200 * 0.6, 1e-9);
  EXPECT_NEAR(result.of(Fate::dropped).value, 200 * 0.2, 1e-9);
  EXPECT_NEAR(result.of(Fate::escalated).value, 500 + 300 * 0.2 + 200 * 0.2, 1e-9);
  EXPECT_NEAR(result.classes[2].inputs, 200.0, 1e-12);
}

// Clopper-Pearson limits by R 4.2, binom.test(k, n)$conf.int: 8 of 10 is 0.4439045 to 0.9747893, 3
// of 5 is 0.1466328 to 0.9472550, 0 of 4 is 0 to 0.6023646. The total by square-and-add:
//   low = 360 - sqrt((300 * 0.3560955)^2 + (200 * 0.4533672)^2) = 219.878
//   high = 360 + sqrt((500 * 0.6023646)^2 + (300 * 0.1747893)^2 + (200 * 0.3472550)^2) = 673.503
TEST(Forecast, HasExactLimitsForAClassAndAddsThemInSquares) {
  const Forecast result = in_mix({0.5, 0.3, 0.2});
  const Expected& bags = result.classes[1].fate[0];
  EXPECT_NEAR(bags.low, 300 * 0.4439045, 1e-4);
  EXPECT_NEAR(bags.high, 300 * 0.9747893, 1e-4);
  EXPECT_NEAR(result.of(Fate::answered).low, 219.878, 1e-3);
  EXPECT_NEAR(result.of(Fate::answered).high, 673.503, 1e-3);
}

TEST(Forecast, GivesTheMeasuredRatesInTheSamplesOwnMix) {
  const Samples19 samples;
  const std::vector<double> shares = class_shares(samples.scores, 3);
  EXPECT_EQ(shares, (std::vector<double>{4.0 / 19, 10.0 / 19, 5.0 / 19}));
  const Forecast result = in_mix(shares);
  EXPECT_NEAR(result.of(Fate::answered).value, 1000.0 * 11 / 19, 1e-9);
  EXPECT_NEAR(result.of(Fate::escalated).value, 1000.0 * 7 / 19, 1e-9);
}

TEST(Forecast, TakesAClassWithoutSamplesAsEscalatedAndClaimsNothing) {
  Scores scores;
  add(scores, 5, {1, kLittleBag, kBag, kBag});
  const std::vector<Fate> fates(5, Fate::answered);
  const std::vector<double> shares = {0.0, 0.75, 0.25};
  const Forecast result = forecast(scores, fates, shares, kClasses);
  EXPECT_NEAR(result.of(Fate::answered).value, 750.0, 1e-9);
  EXPECT_NEAR(result.of(Fate::escalated).value, 250.0, 1e-9);
  EXPECT_EQ(result.classes[2].fate[0].low, 0.0);
  EXPECT_EQ(result.classes[2].fate[0].high, 250.0);
}

TEST(Fates, FollowTheThresholdOfTheAnswer) {
  EscalationPolicy policy;
  policy.thresholds = {10, 20, 30};
  const Scores scores = scores_of({{10, kLittleBag, kBag, kBag},
                                   {9, kLittleBag, kBag, kBag},
                                   {19, kLittleBoot, kBag, kBag},
                                   {30, kOther, kBag, kBag},
                                   {29, kOther, kBag, kBag}});
  EXPECT_EQ(fates_of(scores, policy, bag_and_boot()),
            (std::vector<Fate>{Fate::answered, Fate::escalated, Fate::escalated, Fate::dropped,
                               Fate::escalated}));
}

}  // namespace
}  // namespace biglittle
