// SPDX-License-Identifier: MIT
#include "data/splits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "data/content.h"

namespace biglittle {
namespace {

using Rows = std::vector<std::int64_t>;

std::vector<Rows> singles(std::int64_t rows) {
  std::vector<Rows> groups;
  for (std::int64_t row = 0; row < rows; ++row) groups.push_back({row});
  return groups;
}

Rows counts_of(const Rows& rows, const Rows& labels, std::size_t classes) {
  Rows counts(classes, 0);
  for (const std::int64_t row : rows)
    ++counts[static_cast<std::size_t>(labels[static_cast<std::size_t>(row)])];
  return counts;
}

TEST(ClassQuotas, GiveTheRemainderToTheLargestRemainders) {
  // 0.1 of 26 rows is 2.6, so 3 in all: floors 1, 0, 0 and remainders 0.1, 0.7, 0.8.
  EXPECT_EQ(class_quotas(Rows{11, 7, 8}, 0.1), (Rows{1, 1, 1}));
  // 0.1 of 25 is 2.5, rounded to 3: floors 1, 0, 0, remainders 0.2, 0.6, 0.7.
  EXPECT_EQ(class_quotas(Rows{12, 6, 7}, 0.1), (Rows{1, 1, 1}));
  // 0.1 of 21 is 2.1, so 2: floors 1, 0, 0, remainders 0.4, 0.3, 0.4: the lower class wins the tie.
  EXPECT_EQ(class_quotas(Rows{14, 3, 4}, 0.1), (Rows{2, 0, 0}));
  EXPECT_EQ(class_quotas(Rows{6000, 6000}, 0.1), (Rows{600, 600}));
  EXPECT_EQ(class_quotas(Rows{0, 10}, 0.5), (Rows{0, 5}));
}

TEST(SplitRows, TakesExactCountsOfEachClassAndEveryRowOnce) {
  Rows labels;
  for (std::int64_t row = 0; row < 1000; ++row) labels.push_back(row % 10 == 0 ? 1 : row % 2 * 2);
  // Class 0: 400 rows, class 1: 100, class 2: 500.
  const SplitRows rows = split_rows(labels, 3, singles(1000), {0.1, 0.25}, 7);

  EXPECT_EQ(counts_of(rows.tune, labels, 3), (Rows{40, 10, 50}));
  EXPECT_EQ(counts_of(rows.calibration, labels, 3), (Rows{100, 25, 125}));
  EXPECT_EQ(counts_of(rows.train, labels, 3), (Rows{260, 65, 325}));
  std::set<std::int64_t> all;
  for (const Rows* list : {&rows.train, &rows.tune, &rows.calibration}) {
    EXPECT_TRUE(std::is_sorted(list->begin(), list->end()));
    all.insert(list->begin(), list->end());
  }
  EXPECT_EQ(all.size(), 1000U);
}

TEST(SplitRows, DependsOnTheSeedOnly) {
  const Rows labels(200, 0);
  const auto tune = [&](std::uint64_t seed) {
    return split_rows(labels, 1, singles(200), {0.2, 0.2}, seed).tune;
  };
  EXPECT_EQ(tune(1), tune(1));
  EXPECT_NE(tune(1), tune(2));
}

TEST(SplitRows, IsTheSameOnEveryMachine) {
  // By an independent program: splitmix64, Fisher-Yates from the end, first two rows are tune and
  // the next two calibration.
  const Rows labels(10, 0);
  const SplitRows rows = split_rows(labels, 1, singles(10), {0.2, 0.2}, 42);
  EXPECT_EQ(rows.tune, (Rows{0, 9}));
  EXPECT_EQ(rows.calibration, (Rows{5, 8}));
}

TEST(SplitRows, ChoosesEveryRowEquallyOften) {
  const Rows labels(20, 0);
  std::map<std::int64_t, int> times;
  constexpr int kSeeds = 4000;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    for (const std::int64_t row :
         split_rows(labels, 1, singles(20), {0.1, 0.1}, seed).calibration) {
      ++times[row];
    }
  }
  // Binomial(4000, 0.1): mean 400, standard deviation 19; five of them are 95.
  for (std::int64_t row = 0; row < 20; ++row) EXPECT_NEAR(times[row], 400, 95) << row;
}

TEST(SplitRows, KeepsGroupsTogetherAndStillMeetsTheQuotas) {
  const Rows labels(100, 0);
  std::vector<Rows> groups = singles(80);
  for (std::int64_t row = 80; row < 100; row += 4)
    groups.push_back({row, row + 1, row + 2, row + 3});
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const SplitRows rows = split_rows(labels, 1, groups, {0.1, 0.1}, seed);
    EXPECT_EQ(rows.tune.size(), 10U);
    EXPECT_EQ(rows.calibration.size(), 10U);
    for (const Rows* list : {&rows.train, &rows.tune, &rows.calibration}) {
      const std::set<std::int64_t> members(list->begin(), list->end());
      for (std::int64_t row = 80; row < 100; row += 4) {
        const auto together = members.count(row) + members.count(row + 1) + members.count(row + 2) +
                              members.count(row + 3);
        EXPECT_TRUE(together == 0 || together == 4) << "seed " << seed << " row " << row;
      }
    }
  }
}

TEST(SplitRows, CountsAGroupOfSeveralClassesInEach) {
  // A sample stored once as class 0 and once as class 1 beside 20 others of each.
  Rows labels;
  for (std::int64_t row = 0; row < 42; ++row) labels.push_back(row % 2);
  std::vector<Rows> groups = singles(40);
  groups.push_back({40, 41});
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const SplitRows rows = split_rows(labels, 2, groups, {0.1, 0.1}, seed);
    EXPECT_EQ(counts_of(rows.tune, labels, 2), (Rows{2, 2}));
    EXPECT_EQ(counts_of(rows.calibration, labels, 2), (Rows{2, 2}));
  }
}

TEST(Content, GroupsEqualSamplesInOrderOfTheirFirstRow) {
  Samples samples;
  samples.shape = {1, 1, 2};
  samples.values = std::vector<std::uint8_t>{1, 2, 3, 4, 1, 2, 5, 6, 3, 4, 1, 2};
  EXPECT_EQ(group_by_content(samples, {0, 1, 2, 3, 4, 5}),
            (std::vector<Rows>{{0, 2, 5}, {1, 4}, {3}}));
  EXPECT_EQ(group_by_content(samples, {3, 4}), (std::vector<Rows>{{3}, {4}}));
}

TEST(Content, FindsTheRowsThatAnotherSetDoesNotHave) {
  Samples samples;
  samples.shape = {1, 1, 2};
  samples.values = std::vector<std::uint8_t>{1, 2, 3, 4, 2, 1};
  Samples others;
  others.shape = {1, 1, 2};
  others.values = std::vector<std::uint8_t>{3, 4, 9, 9};
  EXPECT_EQ(rows_absent_from(samples, others), (Rows{0, 2}));
}

}  // namespace
}  // namespace biglittle
