// SPDX-License-Identifier: MIT
#include "calibrate/field_sample.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "calibrate/rows.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using testing::expect_error;

const std::vector<std::string> kClasses = {"shirt", "bag", "boot"};

/// `counts` samples of each class, in that order.
Scores samples_of(const std::vector<std::int64_t>& counts) {
  Scores scores;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    const auto truth = static_cast<std::int64_t>(c);
    testing::add(scores, counts[c], {5, testing::kOther, truth, truth});
  }
  return scores;
}

std::vector<std::int64_t> draw(const Scores& scores, const std::vector<double>& shares,
                               std::int64_t seed = 1) {
  const std::span names(kClasses);
  return field_sample(scores, shares, seed, names.first(shares.size()), "calibration");
}

std::vector<std::int64_t> counts_of(const Scores& scores, const std::vector<std::int64_t>& rows,
                                    std::size_t classes) {
  std::vector<std::int64_t> counts(classes, 0);
  for (const std::int64_t row : rows) {
    ++counts[static_cast<std::size_t>(scores.truth[static_cast<std::size_t>(row)])];
  }
  return counts;
}

TEST(FieldSample, ComesInTheFieldsMix) {
  const Scores scores = samples_of({4000, 4000, 4000});
  const std::vector<double> shares = {0.7, 0.2, 0.1};
  const std::vector<std::int64_t> rows = draw(scores, shares);
  const std::vector<std::int64_t> counts = counts_of(scores, rows, 3);
  double chi_square = 0.0;
  for (std::size_t c = 0; c < 3; ++c) {
    const double expected = shares[c] * static_cast<double>(rows.size());
    const double excess = static_cast<double>(counts[c]) - expected;
    chi_square += excess * excess / expected;
  }
  EXPECT_GT(rows.size(), 5000U);
  EXPECT_LT(chi_square, 13.8);  // 2 degrees of freedom: exceeded with probability 0.001
}

// Independent draws, not quotas: the number of bags is binomial over the seeds.
TEST(FieldSample, LetsTheCountsOfClassesVaryAsInTheField) {
  const Scores scores = samples_of({400, 400});
  double sum = 0.0;
  double squares = 0.0;
  constexpr int kSeeds = 2000;
  double n = 0.0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    const std::vector<std::int64_t> rows = draw(scores, {0.75, 0.25}, seed);
    n = static_cast<double>(rows.size());
    const auto bags = static_cast<double>(counts_of(scores, rows, 2)[1]);
    sum += bags;
    squares += bags * bags;
  }
  const double mean = sum / kSeeds;
  const double variance = squares / kSeeds - mean * mean;
  const double expected = n * 0.25 * 0.75;
  EXPECT_NEAR(mean, 0.25 * n, 4.0 * std::sqrt(expected / kSeeds));
  // The standard error of a variance is about sqrt(2 / seeds) of it: 3 %.
  EXPECT_NEAR(variance, expected, 0.13 * expected);
}

TEST(FieldSample, NeverTakesASampleTwice) {
  const Scores scores = samples_of({300, 200, 100});
  for (std::int64_t seed = 0; seed < 50; ++seed) {
    const std::vector<std::int64_t> rows = draw(scores, {0.2, 0.3, 0.5}, seed);
    EXPECT_EQ(std::set<std::int64_t>(rows.begin(), rows.end()).size(), rows.size());
    EXPECT_TRUE(std::ranges::all_of(rows, [](std::int64_t row) { return row >= 0 && row < 600; }));
  }
}

TEST(FieldSample, TakesEverySampleOfAClassEquallyOften) {
  const Scores scores = samples_of({40, 400});
  std::vector<int> taken(40, 0);
  constexpr int kSeeds = 4000;
  double drawn = 0.0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    for (const std::int64_t row : draw(scores, {0.3, 0.7}, seed)) {
      if (row >= 40) continue;
      ++taken[static_cast<std::size_t>(row)];
      drawn += 1.0;
    }
  }
  const double expected = drawn / 40.0;
  double chi_square = 0.0;
  for (const int count : taken) chi_square += (count - expected) * (count - expected) / expected;
  EXPECT_LT(chi_square, 72.1);  // 39 degrees of freedom: exceeded with probability 0.001
}

TEST(FieldSample, DependsOnTheSeedAlone) {
  const Scores scores = samples_of({300, 200, 100});
  const std::vector<double> shares = {0.2, 0.3, 0.5};
  EXPECT_EQ(draw(scores, shares, 5), draw(scores, shares, 5));
  EXPECT_NE(draw(scores, shares, 5), draw(scores, shares, 6));
}

// Exact sums in Python: the largest n for which, for each class with a share,
//   1 - sum(comb(n, i) * s**i * (1 - s)**(n - i) for i in range(count + 1)) <= F(1, 10**6) / k
// with s = F(1, 2) ... and k the number of such classes.
TEST(FieldSample, DrawsAsManyAsNoClassRunsOutOf) {
  EXPECT_EQ(draw(samples_of({100, 300}), {0.5, 0.5}).size(), 143U);
  EXPECT_EQ(draw(samples_of({40, 30, 200}), {0.1, 0.0, 0.9}).size(), 181U);
  EXPECT_EQ(draw(samples_of({8, 500}), {0.1, 0.9}).size(), 13U);
  EXPECT_EQ(draw(samples_of({5, 5}), {0.5, 0.5}).size(), 5U);
  EXPECT_EQ(draw(samples_of({7}), {1.0}).size(), 7U);
}

TEST(FieldSample, LeavesOutClassesWithoutAShare) {
  const Scores scores = samples_of({40, 30, 200});
  EXPECT_EQ(counts_of(scores, draw(scores, {0.1, 0.0, 0.9}), 3)[1], 0);
  EXPECT_EQ(draw(samples_of({40, 0, 200}), {0.1, 0.0, 0.9}).size(), 181U);
}

TEST(FieldSample, RefusesAClassWithoutSamples) {
  expect_error(ErrorKind::bad_data,
               "calibration: class 'bag' has no sample, but the field has a share of 0.25 of it; "
               "add samples of it or give it the share 0 in calibrate.field_prior",
               [] {
                 draw(samples_of({40, 0, 200}), {0.25, 0.25, 0.5});
               });
}

TEST(FieldSample, RefusesUnknownLabels) {
  Scores scores = samples_of({40, 30});
  scores.truth.clear();
  expect_error(ErrorKind::bad_data,
               "calibration: the true classes are not known, which a field prior needs; leave out "
               "calibrate.field_prior",
               [&] {
                 draw(scores, {0.5, 0.5});
               });
}

// Seed 923671 is the first whose 13 draws have 9 of the class with 8 samples.
TEST(FieldSample, GivesUpWhenAClassRunsOut) {
  expect_error(ErrorKind::gate,
               "calibration: class 'shirt' ran out of its 8 samples at draw 12 of 13 from the "
               "field's mix, which happens at most once in a million seeds; add samples of it",
               [] {
                 draw(samples_of({8, 500}), {0.1, 0.9}, 923671);
               });
}

TEST(FieldSample, RefusesSharesThatAreNone) {
  const Scores scores = samples_of({40, 30});
  expect_error(ErrorKind::internal,
               "field sample: 2 shares that sum to 0.75, expected 2 of at least 0 that sum to 1",
               [&] {
                 draw(scores, {0.5, 0.25});
               });
  EXPECT_THROW(draw(scores, {1.5, -0.5}), Error);
  EXPECT_THROW(field_sample(scores, std::vector<double>{1.0}, 1, kClasses, "x"), Error);
}

}  // namespace
}  // namespace biglittle
