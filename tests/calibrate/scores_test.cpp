// SPDX-License-Identifier: MIT
#include "calibrate/scores.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "calibrate/policy.h"
#include "calibrate/rows.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using namespace testing;

using Ints = std::vector<std::int64_t>;

TEST(MakeScores, TakesTopSecondAndTruth) {
  const std::vector<std::int32_t> accumulators{7, -3, 5, -9, -2, -4};
  const std::vector<float> logits{0.5F, 2.0F, 1.0F, 3.0F, -1.0F, 0.0F};
  const Scores scores = make_scores(accumulators, logits, Ints{1, 2}, bag_and_boot());
  EXPECT_EQ(scores.margin, (Ints{2, 2}));
  EXPECT_EQ(scores.little_class, (Ints{kLittleBag, kLittleBoot}));
  EXPECT_EQ(scores.big_class, (Ints{kBag, kShirt}));
  EXPECT_EQ(scores.truth, (Ints{1, 2}));
}

TEST(MakeScores, GivesTiesTheFirstClassAndNoMargin) {
  const std::vector<std::int32_t> accumulators{4, 4, 1};
  const Scores scores =
      make_scores(accumulators, std::vector<float>{1.0F, 1.0F, 0.0F}, Ints{0}, bag_and_boot());
  EXPECT_EQ(scores.margin, (Ints{0}));
  EXPECT_EQ(scores.little_class, (Ints{kLittleBag}));
  EXPECT_EQ(scores.big_class, (Ints{kShirt}));
}

TEST(MakeScores, HoldsTheLargestMarginOfInt32) {
  const std::vector<std::int32_t> accumulators{std::numeric_limits<std::int32_t>::max(),
                                               std::numeric_limits<std::int32_t>::min(),
                                               std::numeric_limits<std::int32_t>::min()};
  const Scores scores =
      make_scores(accumulators, std::vector<float>{1.0F, 0.0F, 0.0F}, Ints{0}, bag_and_boot());
  EXPECT_EQ(scores.margin, (Ints{4294967295}));
}

TEST(MakeScores, RefusesSizesThatDoNotFit) {
  const std::vector<std::int32_t> accumulators(6, 0);
  const std::vector<float> logits(6, 0.0F);
  expect_error(ErrorKind::bad_data,
               "scores: little accumulators has 6 values but 3 labels times 3 classes need 9", [&] {
                 make_scores(accumulators, logits, Ints{0, 0, 0}, bag_and_boot());
               });
  expect_error(ErrorKind::bad_data,
               "scores: big logits has 5 values but 2 labels times 3 classes need 6", [&] {
                 make_scores(accumulators, std::span(logits).first(5), Ints{0, 0}, bag_and_boot());
               });
}

TEST(MakeScores, RefusesLogitsThatAreNotFinite) {
  const std::vector<std::int32_t> accumulators(6, 0);
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const std::vector<float> logits{0.0F, 0.0F, 0.0F, 0.0F, bad, 0.0F};
    expect_error(
        ErrorKind::bad_data,
        "scores: the big network's logits of row 1 are not finite; retrain it or check its "
        "input",
        [&] {
          make_scores(accumulators, logits, Ints{0, 0}, bag_and_boot());
        });
  }
}

TEST(MakeScores, RefusesLabelsOutOfRange) {
  const std::vector<std::int32_t> accumulators(3, 0);
  const std::vector<float> logits(3, 0.0F);
  expect_error(ErrorKind::bad_data, "scores: label of row 0 is 3, expected 0 to 2",
               [&] { make_scores(accumulators, logits, Ints{3}, bag_and_boot()); });
  expect_error(ErrorKind::bad_data, "scores: label of row 0 is -1, expected 0 to 2",
               [&] { make_scores(accumulators, logits, Ints{-1}, bag_and_boot()); });
}

TEST(MakeScores, RefusesALittleNetworkWithOneClass) {
  const PriorityMap map{.little_of_big = {0}, .names = {"bag"}, .has_other = false};
  expect_error(
      ErrorKind::bad_data,
      "scores: the little network has 1 class, but a margin is the distance between two; "
      "give it at least two",
      [&] { make_scores(std::vector<std::int32_t>{1}, std::vector<float>{1.0F}, Ints{0}, map); });
}

TEST(RequireConsistent, NamesWhatDoesNotFit) {
  const PriorityMap map = bag_and_boot();
  const auto refuse = [&](const Scores& scores, const std::string& message) {
    expect_error(ErrorKind::bad_data, message, [&] { require_consistent(scores, map, "tune"); });
  };
  refuse({}, "tune: no samples, expected at least one");
  Scores scores = scores_of({{5, kLittleBag, kBag, kBag}, {6, kOther, kShirt, kShirt}});
  EXPECT_NO_THROW(require_consistent(scores, map, "tune"));
  Scores broken = scores;
  broken.truth.pop_back();
  refuse(broken, "tune: truth has 1 rows but margin has 2");
  broken = scores;
  broken.little_class.push_back(0);
  refuse(broken, "tune: little class has 3 rows but margin has 2");
  broken = scores;
  broken.big_class[1] = 3;
  refuse(broken, "tune: big class of row 1 is 3, expected 0 to 2");
  broken = scores;
  broken.margin[0] = -1;
  refuse(broken, "tune: margin of row 0 is -1, expected 0 or more");
}

TEST(AnswersLocally, NeedsAPriorityClassAndTheMargin) {
  const PriorityMap map = bag_and_boot();
  const Scores scores = scores_of(
      {{9, kLittleBag, kBag, kBag}, {10, kLittleBoot, kBag, kBag}, {10, kOther, kBag, kBag}});
  EXPECT_FALSE(answers_locally(scores, 0, 10, map));
  EXPECT_TRUE(answers_locally(scores, 1, 10, map));
  EXPECT_FALSE(answers_locally(scores, 2, 10, map));
}

TEST(AnswersLocally, NeverForATieWhateverTheThreshold) {
  const Scores scores = scores_of({{0, kLittleBag, kBag, kBag}, {1, kLittleBag, kBag, kBag}});
  for (const std::int64_t threshold : {-5, 0, 1}) {
    EXPECT_FALSE(answers_locally(scores, 0, threshold, bag_and_boot())) << threshold;
    EXPECT_TRUE(answers_locally(scores, 1, threshold, bag_and_boot())) << threshold;
  }
}

TEST(AnswersLocally, NeverWhenEverythingEscalates) {
  const Scores scores = scores_of({{4294967295, kLittleBag, kBag, kBag}});
  EXPECT_FALSE(answers_locally(scores, 0, kAlwaysEscalate, bag_and_boot()));
  EXPECT_TRUE(answers_locally(scores, 0, kAlwaysEscalate - 1, bag_and_boot()));
}

}  // namespace
}  // namespace biglittle
