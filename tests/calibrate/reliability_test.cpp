// SPDX-License-Identifier: MIT
#include "calibrate/reliability.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "calibrate/rows.h"
#include "core/random.h"

namespace biglittle {
namespace {

using namespace testing;

void put(Answers& answers, std::array<std::int32_t, 3> accumulators, std::int64_t truth) {
  answers.accumulators.insert(answers.accumulators.end(), accumulators.begin(), accumulators.end());
  answers.truth.push_back(truth);
  answers.big_class.push_back(truth);
}

// With one unit worth ln 3, (1, 0, -50) has probability 3/4 and (2, 0, -50) 9/10; the bins of 15
// are number 11 and 13. ECE = 1/2 |0.75 - 0.5| + 1/2 |0.9 - 1| = 0.175.
TEST(Reliability, IsThatOfFourSamplesByHand) {
  Answers answers;
  put(answers, {1, 0, -50}, kBag);
  put(answers, {0, 1, -50}, kBag);  // wrong
  put(answers, {0, 2, -50}, kBoot);
  put(answers, {2, 0, -50}, kBag);
  const Reliability result = measure_reliability(answers, bag_and_boot(), std::log(3.0), 1.0);
  EXPECT_EQ(result.bins[11].count, 2);
  EXPECT_NEAR(result.bins[11].confidence, 0.75, 1e-9);
  EXPECT_NEAR(result.bins[11].accuracy, 0.5, 1e-12);
  EXPECT_EQ(result.bins[13].count, 2);
  EXPECT_NEAR(result.bins[13].confidence, 0.9, 1e-9);
  EXPECT_NEAR(result.bins[13].accuracy, 1.0, 1e-12);
  EXPECT_NEAR(result.expected_error, 0.175, 1e-9);
  EXPECT_NEAR(result.log_loss, -(std::log(0.75) + std::log(0.25) + 2 * std::log(0.9)) / 4, 1e-9);
}

TEST(Reliability, PutsCertaintyInTheLastBinAndHalvesLogitsAtTemperatureTwo) {
  Answers answers;
  put(answers, {1000000, 0, -1000000}, kBag);
  put(answers, {2, 0, -200}, kBag);
  const Reliability result = measure_reliability(answers, bag_and_boot(), std::log(3.0), 2.0);
  EXPECT_EQ(result.bins[14].count, 1);
  EXPECT_EQ(result.bins[11].count, 1);  // 3/4 again
}

/// Labels drawn from softmax(unit * accumulators / temperature).
Answers drawn(double temperature, double unit, std::int64_t n) {
  Random random(7);
  Answers answers;
  for (std::int64_t i = 0; i < n; ++i) {
    std::array<std::int32_t, 3> accumulators{};
    std::array<double, 3> weight{};
    for (std::size_t c = 0; c < 3; ++c) {
      accumulators[c] = static_cast<std::int32_t>(1000.0 * random.normal());
      weight[c] = std::exp(unit * accumulators[c] / temperature);
    }
    double at = random.uniform() * (weight[0] + weight[1] + weight[2]);
    std::size_t truth = 0;
    while (truth < 2 && at >= weight[truth]) at -= weight[truth++];
    // Little classes 0, 1, 2 are the big classes bag, boot, shirt.
    put(answers, accumulators, std::array{kBag, kBoot, kShirt}[truth]);
  }
  return answers;
}

/// The mean loss by the definition, without any shortcut.
double loss(const Answers& answers, double unit, double temperature) {
  double sum = 0.0;
  for (std::size_t row = 0; row < answers.truth.size(); ++row) {
    double total = 0.0;
    for (std::size_t c = 0; c < 3; ++c) {
      total += std::exp(unit * answers.accumulators[3 * row + c] / temperature);
    }
    const std::size_t truth = answers.truth[row] == kBag ? 0 : answers.truth[row] == kBoot ? 1 : 2;
    sum -= std::log(std::exp(unit * answers.accumulators[3 * row + truth] / temperature) / total);
  }
  return sum / static_cast<double>(answers.truth.size());
}

TEST(Temperature, IsTheBestOfAGrid) {
  constexpr double kUnit = 0.004;
  const Answers answers = drawn(1.7, kUnit, 2000);
  double best = 0.0;
  double lowest = 1e9;
  for (double temperature = 1.0; temperature < 3.0; temperature += 0.001) {
    const double here = loss(answers, kUnit, temperature);
    if (here < lowest) {
      lowest = here;
      best = temperature;
    }
  }
  const double fitted = fit_temperature(answers, bag_and_boot(), kUnit);
  EXPECT_NEAR(fitted, best, 0.001);
  EXPECT_NEAR(fitted, 1.7, 0.2);  // the one the labels were drawn with
  EXPECT_NEAR(measure_reliability(answers, bag_and_boot(), kUnit, 1.7).log_loss,
              loss(answers, kUnit, 1.7), 1e-9);
}

TEST(Temperature, MakesAnOverconfidentNetworkHonest) {
  const Answers answers = drawn(2.5, 0.004, 4000);
  const TemperatureReport report = temperature_report(answers, answers, bag_and_boot(), 0.004);
  EXPECT_EQ(report.fitted_on, 4000);
  EXPECT_GT(report.before.expected_error, 0.1);
  EXPECT_LT(report.after.expected_error, 0.03);
  EXPECT_LT(report.after.log_loss, report.before.log_loss);
}

TEST(Temperature, StaysWithinItsLimitsWhereNothingIsWrongOrRight) {
  Answers right;
  Answers wrong;
  for (int i = 0; i < 10; ++i) {
    put(right, {5, 0, 0}, kBag);
    put(wrong, {0, 5, 0}, kBag);
  }
  EXPECT_NEAR(fit_temperature(right, bag_and_boot(), 1.0), kLowestTemperature, 1e-6);
  EXPECT_NEAR(fit_temperature(wrong, bag_and_boot(), 1.0), kHighestTemperature, 1e-3);
}

}  // namespace
}  // namespace biglittle
