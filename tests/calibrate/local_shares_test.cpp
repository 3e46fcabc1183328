// SPDX-License-Identifier: MIT
// What share of the field's inputs stays local, by which a search knows where to begin.

#include <gtest/gtest.h>

#include "calibrate/policy.h"
#include "calibrate/rows.h"

namespace biglittle {
namespace {

using namespace testing;

// Of four shirts one stays at 20 and two at 10, of two bags one and both; no boot is in tune.
TEST(LocalShares, CountEachClassAsTheFieldHasIt) {
  Scores tune = scores_of({{20, kLittleBag, kBag, kBag},
                           {10, kLittleBag, kBag, kBag},
                           {20, kLittleBag, kShirt, kShirt},
                           {10, kLittleBag, kShirt, kShirt}});
  add(tune, 2, {30, kOther, kShirt, kShirt});
  const ThresholdPath path{.steps = {{20, 20, kAlwaysEscalate}, {10, 10, kAlwaysEscalate}},
                           .local_share = {}};
  EXPECT_EQ(local_shares(tune, path, std::vector{0.5, 0.25, 0.25}),
            (std::vector{0.5 / 4 + 0.25 / 2, 0.5 / 2 + 0.25}));
  EXPECT_EQ(local_shares(tune, path, std::vector{0.0, 1.0, 0.0}), (std::vector{0.5, 1.0}));
}

// Every bag stays at the last step and no shirt does: half of tune, a tenth of the field.
TEST(PlanSearch, BeginsWhereTheFieldHasEnoughLocalInputs) {
  Answers tune;
  add(tune, 30, {.margin = 9, .to_other = 9, .little = kLittleBag, .big = kBag, .truth = kBag});
  add(tune, 30, {.margin = 9, .to_other = 9, .little = kOther, .big = kShirt, .truth = kShirt});
  CalibrateOptions options;
  const std::vector<std::string> classes = {"shirt", "bag", "boot"};
  EXPECT_EQ(plan_search(tune, bag_and_boot(), classes, options).path.local_share.back(), 0.5);
  options.field_prior = {{"shirt", 0.9}, {"bag", 0.1}};
  EXPECT_NEAR(plan_search(tune, bag_and_boot(), classes, options).path.local_share.back(), 0.1,
              1e-12);
}

}  // namespace
}  // namespace biglittle
