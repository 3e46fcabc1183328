// SPDX-License-Identifier: MIT
#include "calibrate/logistic_regression.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/random.h"

namespace biglittle {
namespace {

const std::vector<double> kX = {-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 3.0};
const std::vector<bool> kEvents = {false, false, true, false, true, false, true, true};

LogisticData one_feature() {
  LogisticData data{.columns = 2, .width = 2, .column = {}, .value = {}, .event = kEvents};
  for (const double x : kX) {
    data.column.insert(data.column.end(), {0, 1});
    data.value.insert(data.value.end(), {1.0, x});
  }
  return data;
}

// The figures of the next two tests are of plain gradient ascent in Python, which shares nothing
// with Newton's method:
//   for _ in range(200000):
//       p = [1 / (1 + exp(-a - b * t)) for t in x]
//       a += 0.1 * sum(v - q for v, q in zip(y, p))
//       b += 0.1 * (sum((v - q) * t for v, q, t in zip(y, p, x)) - ridge * b)
TEST(FitLogistic, FindsTheCoefficientsOfGradientAscent) {
  const std::vector<double> free = fit_logistic(one_feature(), std::vector{0.0, 0.0});
  EXPECT_NEAR(free[0], -0.2948373249737437, 1e-9);
  EXPECT_NEAR(free[1], 1.0856307629588169, 1e-9);
  const std::vector<double> held = fit_logistic(one_feature(), std::vector{0.0, 1.0});
  EXPECT_NEAR(held[0], -0.2062430516310044, 1e-9);
  EXPECT_NEAR(held[1], 0.7164094011478, 1e-9);
}

TEST(FitLogistic, FindsTheOffsetsOfGroups) {
  LogisticData data{.columns = 4, .width = 3, .column = {}, .value = {}, .event = kEvents};
  for (std::size_t i = 0; i < kX.size(); ++i) {
    data.column.insert(data.column.end(), {0, i % 2 == 0 ? 1 : 2, 3});
    data.value.insert(data.value.end(), {1.0, 1.0, kX[i]});
  }
  const std::vector<double> b = fit_logistic(data, std::vector{0.0, 1.0, 2.0, 0.5});
  EXPECT_NEAR(b[0], -0.4808706850184045, 1e-9);
  EXPECT_NEAR(b[1], 0.8156146358959435, 1e-9);
  EXPECT_NEAR(b[2], -0.4078073179479722, 1e-9);
  EXPECT_NEAR(b[3], 0.9391628297490546, 1e-9);
}

TEST(FitLogistic, IsTheLogOddsWithAnInterceptAlone) {
  LogisticData data{.columns = 1,
                    .width = 1,
                    .column = std::vector<std::int32_t>(10, 0),
                    .value = std::vector<double>(10, 1.0),
                    .event = {true, true, false, true, true, true, true, false, true, true}};
  EXPECT_NEAR(fit_logistic(data, std::vector{0.0})[0], std::log(8.0 / 2.0), 1e-12);
}

TEST(FitLogistic, StaysFiniteWhereASplitSeparatesTheOutcomes) {
  LogisticData data = one_feature();
  for (std::size_t i = 0; i < kX.size(); ++i) data.event[i] = kX[i] > 0.2;
  const std::vector<double> b = fit_logistic(data, std::vector{0.0, 1.0});
  EXPECT_TRUE(std::isfinite(b[0]));
  EXPECT_GT(b[1], 0.5);
  EXPECT_LT(b[1], 10.0);
}

TEST(FitLogistic, SplitsAWeightEvenlyBetweenTwoEqualFeatures) {
  LogisticData data{.columns = 3, .width = 3, .column = {}, .value = {}, .event = kEvents};
  for (const double x : kX) {
    data.column.insert(data.column.end(), {0, 1, 2});
    data.value.insert(data.value.end(), {1.0, x, x});
  }
  const std::vector<double> b = fit_logistic(data, std::vector{0.0, 1.0, 1.0});
  EXPECT_NEAR(b[1], b[2], 1e-9);
  EXPECT_GT(b[1], 0.0);
}

TEST(FitLogistic, LeavesNoGradientOnRandomData) {
  constexpr std::int64_t kRows = 300;
  constexpr std::int64_t kColumns = 6;
  const std::vector<double> ridge = {0.0, 1.0, 0.5, 2.0, 1.0, 1.0};
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    LogisticData data{
        .columns = kColumns, .width = kColumns, .column = {}, .value = {}, .event = {}};
    for (std::int64_t row = 0; row < kRows; ++row) {
      double eta = -2.0;
      for (std::int64_t j = 0; j < kColumns; ++j) {
        data.column.push_back(static_cast<std::int32_t>(j));
        data.value.push_back(j == 0 ? 1.0 : random.normal());
        eta += data.value.back() * static_cast<double>(j);
      }
      data.event.push_back(random.uniform() < 1.0 / (1.0 + std::exp(-eta)));
    }
    const std::vector<double> b = fit_logistic(data, ridge);
    for (std::size_t j = 0; j < ridge.size(); ++j) {
      double gradient = -ridge[j] * b[j];
      for (std::size_t row = 0; row < kRows; ++row) {
        double eta = 0.0;
        for (std::size_t k = 0; k < ridge.size(); ++k) eta += b[k] * data.value[row * kColumns + k];
        const double p = 1.0 / (1.0 + std::exp(-eta));
        gradient += ((data.event[row] ? 1.0 : 0.0) - p) * data.value[row * kColumns + j];
      }
      EXPECT_NEAR(gradient, 0.0, 1e-7) << "seed " << seed << " column " << j;
    }
  }
}

TEST(SpreadOf, IsMeanAndDeviation) {
  const Spread spread = spread_of(std::vector{1.0, 2.0, 4.0, 5.0});
  EXPECT_DOUBLE_EQ(spread.mean, 3.0);
  EXPECT_DOUBLE_EQ(spread.deviation, std::sqrt((4.0 + 1.0 + 1.0 + 4.0) / 4.0));
}

TEST(SpreadOf, IsExactlyNothingForEqualValues) {
  EXPECT_EQ(spread_of(std::vector<double>(35, 90.0)).deviation, 0.0);
  EXPECT_EQ(spread_of(std::vector<double>(7, 1.0 / 3.0)).mean, 1.0 / 3.0);
  EXPECT_EQ(spread_of({}).deviation, 0.0);
}

}  // namespace
}  // namespace biglittle
