// SPDX-License-Identifier: MIT
#include "calibrate/drift.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "calibrate/tests.h"
#include "core/random.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using testing::expect_error;

/// The evidence after `differing` of `n` answers differed.
double log_evidence_of(double rate, double level, std::int64_t differing, std::int64_t n) {
  DriftTest test(rate, level);
  for (std::int64_t i = 0; i < n; ++i) test.add(i < differing);
  return test.log_evidence();
}

/// Mean evidence over every outcome of n answers that differ with probability `true_rate`.
double mean_evidence(double rate, double true_rate, std::int64_t n) {
  double mean = 0.0;
  double chance = std::pow(1.0 - true_rate, static_cast<double>(n));  // of k differing
  for (std::int64_t k = 0; k <= n; ++k) {
    mean += chance * std::exp(log_evidence_of(rate, 0.01, k, n));
    chance *=
        static_cast<double>(n - k) / static_cast<double>(k + 1) * true_rate / (1.0 - true_rate);
  }
  return mean;
}

TEST(DriftTest, IsAFairGameAtTheRateAndALosingOneBelow) {
  for (const double rate : {0.003, 0.05, 0.4, 0.9}) {
    EXPECT_NEAR(mean_evidence(rate, rate, 40), 1.0, 1e-11) << rate;
    EXPECT_LT(mean_evidence(rate, 0.9 * rate, 40), 1.0) << rate;
    EXPECT_GT(mean_evidence(rate, 1.1 * rate, 40), 1.0) << rate;
  }
}

TEST(DriftTest, KnowsNothingAtFirst) {
  const DriftTest test(0.05, 0.01);
  EXPECT_EQ(test.seen(), 0);
  EXPECT_EQ(test.differing(), 0);
  EXPECT_NEAR(test.log_evidence(), 0.0, 1e-15);
  EXPECT_EQ(test.largest_log_evidence(), 0.0);
  EXPECT_EQ(test.alarm(), std::nullopt);
}

constexpr double kLevel = 0.05;
constexpr int kStreams = 2000;
constexpr int kSteps = 3000;

double highest_plausible() { return kLevel + 3.0 * std::sqrt(kLevel * (1 - kLevel) / kStreams); }

/// Share of streams of kSteps answers in which an alarm sounds at any time.
template <typename Alarms>
double alarm_share(double true_rate, const Alarms& alarms) {
  int alarmed = 0;
  for (int stream = 0; stream < kStreams; ++stream) {
    Random random(77, static_cast<std::uint64_t>(stream));
    if (alarms([&] { return random.uniform() < true_rate; })) ++alarmed;
  }
  return static_cast<double>(alarmed) / kStreams;
}

double drift_alarm_share(double rate, double true_rate) {
  return alarm_share(true_rate, [rate](const auto& differs) {
    DriftTest test(rate, kLevel);
    for (int step = 0; step < kSteps && !test.alarm(); ++step) test.add(differs());
    return test.alarm().has_value();
  });
}

TEST(DriftTest, IsRarelyFalseHoweverOftenOneLooks) {
  for (const double rate : {0.005, 0.05, 0.4}) {
    EXPECT_LE(drift_alarm_share(rate, rate), highest_plausible()) << rate;
  }
}

// What the test replaces: a binomial test repeated as answers come in.
TEST(DriftTest, IsNeededBecauseRepeatedTestsAreOftenFalse) {
  constexpr double kRate = 0.05;
  const double share = alarm_share(kRate, [](const auto& differs) {
    std::int64_t agreeing = 0;
    for (int step = 1; step <= kSteps; ++step) {
      if (!differs()) ++agreeing;
      if (step % 50 == 0 && binomial_p_value(agreeing, step, 1.0 - kRate) <= kLevel) return true;
    }
    return false;
  });
  EXPECT_GT(share, 2.0 * highest_plausible());
}

TEST(DriftTest, FindsARealDrift) {
  EXPECT_EQ(drift_alarm_share(0.02, 0.06), 1.0);
  EXPECT_EQ(drift_alarm_share(0.005, 0.02), 1.0);
  EXPECT_EQ(drift_alarm_share(0.4, 0.5), 1.0);
}

TEST(DriftTest, FindsADriftThatBeginsLate) {
  int found = 0;
  for (std::uint64_t stream = 0; stream < 200; ++stream) {
    Random random(78, stream);
    DriftTest test(0.02, 0.01);
    for (int step = 0; step < 1000; ++step) test.add(random.uniform() < 0.02);
    if (test.alarm()) continue;
    for (int step = 0; step < 2000; ++step) test.add(random.uniform() < 0.08);
    if (test.alarm()) ++found;
  }
  EXPECT_GE(found, 195);  // of about 199 without a false alarm before
}

// The best constant stake, known only afterwards, earns the divergence of the two rates an answer:
// here 100 over as many answers as that takes. Sharing among 16 bettors costs at most ln 16.
TEST(DriftTest, EarnsAlmostWhatTheBestStakeWould) {
  const struct {
    double rate, rate_now;
  } drifts[] = {{0.001, 0.0015}, {0.01, 0.012}, {0.01, 0.3}, {0.05, 0.06},
                {0.05, 0.9},     {0.4, 0.43},   {0.4, 0.95}, {0.9, 0.95}};
  for (const auto& [rate, now] : drifts) {
    const double growth =
        now * std::log(now / rate) + (1.0 - now) * std::log((1.0 - now) / (1.0 - rate));
    const double answers = std::ceil(100.0 / growth);
    const double evidence =
        log_evidence_of(rate, 0.01, std::llround(now * answers), std::llround(answers));
    EXPECT_GE(evidence, 90.0 - std::log(16.0)) << rate << " " << now;
    EXPECT_LE(evidence, 101.0) << rate << " " << now;  // rounding of the counts
  }
}

TEST(DriftTest, RemembersWhenTheAlarmSoundedAndTheLargestEvidence) {
  DriftTest test(0.05, 0.01);
  while (!test.alarm() && test.seen() < 100) test.add(true);
  ASSERT_TRUE(test.alarm());
  const std::int64_t alarm = *test.alarm();
  EXPECT_EQ(alarm, test.seen());
  EXPECT_GE(test.log_evidence(), std::log(100.0));
  EXPECT_LT(log_evidence_of(0.05, 0.01, alarm - 1, alarm - 1), std::log(100.0));
  const double largest = test.largest_log_evidence();
  for (int i = 0; i < 1000; ++i) test.add(false);
  EXPECT_EQ(test.alarm(), alarm);
  EXPECT_EQ(test.largest_log_evidence(), largest);
  EXPECT_LT(test.log_evidence(), 0.0);
  EXPECT_EQ(test.seen(), alarm + 1000);
  EXPECT_EQ(test.differing(), alarm);
}

TEST(DriftTest, HoldsForMillionsOfAnswers) {
  DriftTest test(0.05, 0.01);
  for (int i = 0; i < 1'000'000; ++i) test.add(false);
  // The smallest stake loses least: 16 bettors' mean cannot fall below its sixteenth.
  EXPECT_TRUE(std::isfinite(test.log_evidence()));
  EXPECT_LT(test.log_evidence(), -100.0);
  EXPECT_EQ(test.largest_log_evidence(), 0.0);
  for (int i = 0; i < 1'000'000; ++i) test.add(true);
  EXPECT_TRUE(std::isfinite(test.log_evidence()));
  EXPECT_GT(test.log_evidence(), 1e5);
  EXPECT_TRUE(test.alarm());
}

TEST(DriftTest, RefusesRatesAndLevelsThatDoNotExist) {
  expect_error(ErrorKind::internal, "drift test: rate is 1, expected above 0 and below 1",
               [] { DriftTest(1.0, 0.01); });
  expect_error(ErrorKind::internal, "drift test: level is 0, expected above 0 and below 1",
               [] { DriftTest(0.05, 0.0); });
  expect_error(ErrorKind::internal, "drift test: rate is nan, expected above 0 and below 1",
               [] { DriftTest(std::numeric_limits<double>::quiet_NaN(), 0.01); });
  EXPECT_NO_THROW(DriftTest(1e-9, 1e-9));
  EXPECT_NO_THROW(DriftTest(1.0 - 1e-9, 1.0 - 1e-9));
}

// In Python's mpmath: log(1 / level) / (q * log(q / r) + (1 - q) * log((1 - q) / (1 - r)))
// gives 172.19, 94142.15, 52.81 and 11905.97; for q = 1 it is ln(20) / ln(20).
TEST(AnswersToAlarm, EqualsTheGrowthOfTheBestStake) {
  EXPECT_EQ(answers_to_alarm(0.02, 0.06, 0.01), 173);
  EXPECT_EQ(answers_to_alarm(0.01, 0.011, 0.01), 94143);
  EXPECT_EQ(answers_to_alarm(0.5, 0.75, 0.001), 53);
  EXPECT_EQ(answers_to_alarm(0.001, 0.002, 0.01), 11906);
  EXPECT_NEAR(static_cast<double>(answers_to_alarm(0.05, 1.0, 0.05).value()), 1.0, 1.0);
}

TEST(AnswersToAlarm, IsEmptyWithoutADrift) {
  EXPECT_EQ(answers_to_alarm(0.05, 0.05, 0.01), std::nullopt);
  EXPECT_EQ(answers_to_alarm(0.05, 0.0, 0.01), std::nullopt);
  EXPECT_EQ(answers_to_alarm(0.05, 0.05 * (1 + 1e-6), 0.01), std::nullopt);  // above 10^9
  EXPECT_EQ(answers_to_alarm(0.05, std::nextafter(0.05, 1.0), 0.01), std::nullopt);
}

TEST(AnswersToAlarm, RefusesRatesThatDoNotExist) {
  expect_error(ErrorKind::internal, "drift test: rate now is 1.5, expected 0 to 1",
               [] { answers_to_alarm(0.05, 1.5, 0.01); });
  expect_error(ErrorKind::internal, "drift test: rate is 0, expected above 0 and below 1",
               [] { answers_to_alarm(0.0, 0.5, 0.01); });
}

// What it promises is a mean of the best stake: the mixture takes longer, by no more than twice.
TEST(AnswersToAlarm, IsNearTheMeanOfTheTest) {
  const double promised = static_cast<double>(answers_to_alarm(0.02, 0.06, 0.01).value());
  double sum = 0.0;
  for (std::uint64_t stream = 0; stream < 500; ++stream) {
    Random random(79, stream);
    DriftTest test(0.02, 0.01);
    while (!test.alarm() && test.seen() < 100'000) test.add(random.uniform() < 0.06);
    sum += static_cast<double>(test.seen());
  }
  EXPECT_GT(sum / 500.0, promised);
  EXPECT_LT(sum / 500.0, 2.0 * promised);
}

}  // namespace
}  // namespace biglittle
