// SPDX-License-Identifier: MIT
// Which risks are asked, of which samples, what counts as a mistake in filter mode, and what cannot
// be asked.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "calibrate/asked.h"
#include "core/error.h"

namespace biglittle {
namespace {

using namespace testing;
using ::testing::ElementsAre;

/// Bag and boot answers stay from 30, then 20 on; `other` from 50, at last from 10 on.
ThresholdPath filter_steps() {
  return {.steps = {{30, 30, 50}, {20, 20, 50}, {20, 20, 10}}, .local_share = {0.4, 0.6, 0.9}};
}

Scores seven_filtered() {
  return scores_of({
      {55, kOther, kShirt, kShirt},   // right, local from step 0
      {50, kOther, kCoat, kShirt},    // right; big's coat counts as `other`, from step 0
      {45, kOther, kBag, kBag},       // a bag dropped, from step 2
      {12, kOther, kBag, kShirt},     // right, and big is wrong, from step 2
      {35, kLittleBag, kBag, kBoot},  // both wrong, from step 0
      {9, kOther, kBoot, kBoot},      // never local
      {25, kLittleBoot, kBoot, kBoot},
  });
}

CalibrateOptions asking_filter() {
  CalibrateOptions options;
  options.net_loss = 0.5;
  options.harm = 0.5;
  options.selective = 0.5;
  options.miss = 0.5;
  options.agreement = 0.5;
  options.budget = 0.5;
  options.dropped = 0.5;
  options.cost = {.bound = 0.5, .table = {{"bag", {{"other", 0.5}}}}};
  options.other = OtherMode::answer;
  return options;
}

TEST(FilterMode, CountsOverLittleClassesForBothNetworks) {
  const Asked asked(asking_filter(), seven_filtered(), filter_steps());
  const auto counts = [&](std::string_view name) {
    std::vector<std::pair<std::int64_t, std::int64_t>> found;
    for (std::int64_t step = 0; step < 3; ++step) {
      found.emplace_back(asked.at(name, step).events, asked.at(name, step).n);
    }
    return found;
  };
  const auto count = [](std::int64_t events, std::int64_t n) { return std::pair(events, n); };
  EXPECT_THAT(counts("net-loss"), ElementsAre(count(0, 7), count(0, 7), count(1, 7)));
  EXPECT_EQ(asked.at("net-loss", 1).offsets, 0);
  EXPECT_EQ(asked.at("net-loss", 2).offsets, 1);
  EXPECT_THAT(counts("harm"), ElementsAre(count(0, 7), count(0, 7), count(1, 7)));
  EXPECT_THAT(counts("selective"), ElementsAre(count(1, 3), count(1, 4), count(2, 6)));
  EXPECT_THAT(counts("miss:bag"), ElementsAre(count(0, 1), count(0, 1), count(1, 1)));
  EXPECT_THAT(counts("miss:boot"), ElementsAre(count(1, 3), count(1, 3), count(1, 3)));
  EXPECT_THAT(counts("dropped:bag"), ElementsAre(count(0, 1), count(0, 1), count(1, 1)));
  EXPECT_THAT(counts("dropped:boot"), ElementsAre(count(0, 3), count(0, 3), count(0, 3)));
  EXPECT_THAT(counts("agreement"), ElementsAre(count(0, 7), count(0, 7), count(2, 7)));
  EXPECT_THAT(counts("cost"), ElementsAre(count(0, 7), count(0, 7), count(1, 7)));
  EXPECT_THAT(counts("budget"), ElementsAre(count(4, 7), count(3, 7), count(1, 7)));
}

TEST(AskedRisks, ComeInTheOrderOfTheirTable) {
  const Asked asked(asking_filter(), seven_filtered(), filter_steps());
  EXPECT_THAT(asked.names(),
              ElementsAre("net-loss", "harm", "selective", "miss:bag", "miss:boot", "dropped:bag",
                          "dropped:boot", "agreement", "cost", "budget"));
}

// In escalate mode a shirt that big takes for a coat is a mistake of big.
TEST(Judge, CountsBigsMistakesOverBigClassesUnlessOtherIsAnswered) {
  const Scores scores = seven_filtered();
  const PriorityMap map = world_map();
  const Verdict filtered = judge(scores, 1, map, OtherMode::answer);
  EXPECT_FALSE(filtered.little_wrong);
  EXPECT_FALSE(filtered.big_wrong);
  EXPECT_FALSE(filtered.differs);
  const Verdict escalated = judge(scores, 1, map, OtherMode::escalate);
  EXPECT_FALSE(escalated.little_wrong);
  EXPECT_TRUE(escalated.big_wrong);
  EXPECT_FALSE(escalated.differs);
  for (const OtherMode mode : {OtherMode::answer, OtherMode::escalate}) {
    const Verdict dropped = judge(scores, 2, map, mode);
    EXPECT_TRUE(dropped.little_wrong);
    EXPECT_FALSE(dropped.big_wrong);
    EXPECT_TRUE(dropped.differs);
    const Verdict both = judge(scores, 4, map, mode);
    EXPECT_TRUE(both.little_wrong);
    EXPECT_TRUE(both.big_wrong);
    EXPECT_FALSE(both.differs);
  }
}

TEST(AskedRisks, CountClassesAmongAllSamplesAndTheRestAsTheFieldHasThem) {
  CalibrateOptions options = asking({.harm = 0.4, .miss = 0.5, .budget = 0.8});
  const Scores by_class = twelve_samples();
  const std::vector<std::int64_t> drawn = {0, 2, 3};
  const Scores field = select(by_class, drawn);
  const PriorityMap map = world_map();
  const RiskContext context{map, world_classes(), OtherMode::escalate, 0.05, 1};
  const auto risks = asked_risks(options, context, field, by_class, three_steps());
  ASSERT_EQ(risks.size(), 4U);
  expect_counts(risks[0]->result(1), 1, 3, 0.648);   // harm: tail(1, 3, '0.4')
  expect_counts(risks[1]->result(1), 1, 5, 0.1875);  // miss:bag
  expect_counts(risks[2]->result(2), 1, 4, 0.3125);  // miss:boot: tail(1, 4, '0.5')
  expect_counts(risks[3]->result(0), 1, 3, 0.104);   // budget: tail(1, 3, '0.8')
}

std::string refusal(const CalibrateOptions& options, const Scores& scores) {
  try {
    const Asked asked(options, scores, three_steps());
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_data);
    return error.what();
  }
  return "none";
}

TEST(AskedRisks, RefuseToJudgeMistakesWithoutLabels) {
  Scores unlabelled = twelve_samples();
  unlabelled.truth.clear();
  const auto message = [](std::string_view what) {
    return "calibration: " + std::string(what) +
           " needs the true classes, which are not known here; ask for agreement";
  };
  CalibrateOptions net_loss;
  EXPECT_EQ(refusal(net_loss, unlabelled), message("net_loss"));
  EXPECT_EQ(refusal(asking({.harm = 0.1}), unlabelled), message("harm"));
  EXPECT_EQ(refusal(asking({.selective = 0.1}), unlabelled), message("selective"));
  EXPECT_EQ(refusal(asking({.miss = 0.1}), unlabelled), message("miss:bag"));
  EXPECT_EQ(refusal(asking({.dropped_of = {{"boot", 0.1}}}), unlabelled), message("dropped:boot"));
  EXPECT_EQ(refusal(asking({.cost = {.bound = 0.1, .table = {}}}), unlabelled), message("cost"));
}

TEST(AskedRisks, RefuseToJudgeAClassWithoutSamples) {
  const Scores no_boots = scores_of({{50, kLittleBag, kBag, kBag}});
  EXPECT_EQ(refusal(asking({.miss_of = {{"boot", 0.1}}}), no_boots),
            "calibration: no sample of priority class 'boot', so miss:boot cannot be certified; "
            "add samples of it or do not ask for it");
  EXPECT_EQ(refusal(asking({.miss_of = {{"bag", 0.1}}}), no_boots), "none");
}

}  // namespace
}  // namespace biglittle
