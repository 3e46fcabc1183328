// SPDX-License-Identifier: MIT
#include "calibrate/threshold_path.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "calibrate/rows.h"
#include "core/random.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using namespace testing;

using Ints = std::vector<std::int64_t>;
using Steps = std::vector<Ints>;

constexpr std::int64_t kNever = kAlwaysEscalate;

ScoreRule rule_of(ScoreKind kind) {
  ScoreRule rule = plain_rule(ScoreKind::margin, bag_and_boot());
  rule.kind = kind;
  return rule;
}

ThresholdPath path_of(const Scores& tune, const CalibrateOptions& options,
                      ScoreKind kind = ScoreKind::margin) {
  return threshold_path(tune, bag_and_boot(), rule_of(kind), options);
}

/// Eight priority answers at 80, 70, ... 10 and two others.
Scores ladder() {
  Scores tune;
  for (std::int64_t score = 10; score <= 80; score += 10) {
    add(tune, 1, {score, score % 20 == 0 ? kLittleBag : kLittleBoot, kBag, kBag});
  }
  add(tune, 2, {90, kOther, kShirt, kShirt});
  return tune;
}

TEST(OneThreshold, SpreadsTheStepsEvenlyOverThePriorityAnswers) {
  const ThresholdPath path = path_of(ladder(), {.grid = 4});
  EXPECT_EQ(path.steps,
            (Steps{{70, 70, kNever}, {50, 50, kNever}, {30, 30, kNever}, {1, 1, kNever}}));
  EXPECT_EQ(path.local_share, (std::vector{0.2, 0.4, 0.6, 0.8}));
}

TEST(OneThreshold, EndsWhereEveryUntiedAnswerIsLocal) {
  for (const ScoreKind kind : {ScoreKind::margin, ScoreKind::top_other}) {
    EXPECT_EQ(path_of(ladder(), {.grid = 1}, kind).steps, (Steps{{1, 1, kNever}}));
  }
  Scores tune = ladder();
  add(tune, 1, {-500, kLittleBag, kBag, kBag});
  EXPECT_EQ(path_of(tune, {.grid = 1}, ScoreKind::gate).steps, (Steps{{-500, -500, kNever}}));
}

TEST(OneThreshold, LeavesOutStepsThatLetNothingMoreIn) {
  Scores tune;
  add(tune, 6, {50, kLittleBag, kBag, kBag});
  add(tune, 2, {7, kLittleBag, kBag, kBag});
  const ThresholdPath path = path_of(tune, {.grid = 100});
  EXPECT_EQ(path.steps, (Steps{{50, 50, kNever}, {7, 7, kNever}, {1, 1, kNever}}));
  EXPECT_EQ(path.local_share, (std::vector{0.75, 1.0, 1.0}));
}

TEST(OneThreshold, IsTheLastStepAloneWhereNothingMayStayLocal) {
  Scores tune;
  add(tune, 3, {kTieScore, kLittleBag, kBag, kBag});
  add(tune, 3, {50, kOther, kShirt, kShirt});
  const ThresholdPath path = path_of(tune, {});
  EXPECT_EQ(path.steps, (Steps{{1, 1, kNever}}));
  EXPECT_EQ(path.local_share, (std::vector{0.0}));
  EXPECT_EQ(path_of(tune, {}, ScoreKind::gate).steps, (Steps{{kNever, kNever, kNever}}));
}

TEST(OneThreshold, TakesTheLargestScores) {
  const ThresholdPath path =
      path_of(scores_of({{kAlwaysEscalate - 1, kLittleBag, kBag, kBag}, {5, kLittleBag, 0, 0}}),
              {.grid = 3});
  EXPECT_EQ(path.steps.front(), (Ints{kAlwaysEscalate - 1, kAlwaysEscalate - 1, kNever}));
  EXPECT_EQ(path.local_share.front(), 0.5);
}

TEST(OneThreshold, RefusesAnEmptyTune) {
  expect_error(ErrorKind::bad_data, "tune: no samples, expected at least one",
               [] { path_of({}, {}); });
}

/// Bag errs at higher scores than boot.
Scores bag_errs() {
  return scores_of({{90, kLittleBag, kBag, kBag},
                    {80, kLittleBag, kBag, kBag},
                    {70, kLittleBag, kBag, kShirt},
                    {60, kLittleBag, kBag, kBag},
                    {50, kLittleBag, kBag, kShirt},
                    {40, kLittleBag, kBag, kShirt},
                    {90, kLittleBoot, kBoot, kBoot},
                    {75, kLittleBoot, kBoot, kBoot},
                    {65, kLittleBoot, kBoot, kBoot},
                    {45, kLittleBoot, kBoot, kBoot},
                    {35, kLittleBoot, kBoot, kShirt},
                    {20, kLittleBoot, kBoot, kBoot}});
}

// By a program in Python that shares nothing with this one: gradient ascent on
//   sum_i y_i eta_i - log(1 + exp(eta_i)) - (b_1^2 + ... + b_5^2) / 2,
//   eta = b_0 + b_1 z + b_{2 + class} + b_{4 + class} z,   z the standardized score,
// from 0 in 200,000 steps of 0.05, then for the 3rd, 6th and 9th lowest eta of the samples
//   min(t for t in range(1, 400) if eta(class, t) <= level + 1e-9).
TEST(PerClassThresholds, AreTheScoresAtOneLevelOfPredictedRisk) {
  const ThresholdPath path =
      path_of(bag_errs(), {.thresholds = ThresholdKind::per_class, .grid = 4});
  EXPECT_EQ(path.steps,
            (Steps{{89, 75, kNever}, {74, 45, kNever}, {61, 20, kNever}, {1, 1, kNever}}));
  EXPECT_EQ(path.local_share, (std::vector{3 / 12.0, 6 / 12.0, 9 / 12.0, 1.0}));
}

TEST(PerClassThresholds, AreOneWhereTuneHasNoWrongAnswerOrNoRightOne) {
  CalibrateOptions per_class{.thresholds = ThresholdKind::per_class, .grid = 4};
  Scores tune = ladder();
  for (std::size_t i = 0; i < 8; ++i) tune.truth[i] = tune.little_class[i] == 0 ? kBag : kBoot;
  EXPECT_EQ(path_of(tune, per_class), path_of(tune, {.grid = 4}));
  for (std::size_t i = 0; i < 8; ++i) tune.truth[i] = kShirt;
  EXPECT_EQ(path_of(tune, per_class), path_of(tune, {.grid = 4}));
}

TEST(PerClassThresholds, AreOneWhereHigherScoresAreNoSafer) {
  Scores tune;
  for (std::int64_t score = 1; score <= 100; ++score) {
    const bool is_wrong = score > 60;
    add(tune, 1, {score, score % 2, kBag, is_wrong ? kShirt : score % 2 == 0 ? kBag : kBoot});
  }
  EXPECT_EQ(path_of(tune, {.thresholds = ThresholdKind::per_class, .grid = 9}),
            path_of(tune, {.grid = 9}));
}

TEST(PerClassThresholds, TakeTheCommonSlopeForAClassThatErrsAtHighScores) {
  Scores tune;
  for (std::int64_t score = 1; score <= 400; ++score) {
    const bool bag_is_wrong = score < 200 && score % 2 == 0;
    const bool boot_is_wrong = score > 200 && score % 16 == 0;
    add(tune, 3, {score, kLittleBag, kBag, bag_is_wrong ? kShirt : kBag});
    add(tune, 1, {score, kLittleBoot, kBoot, boot_is_wrong ? kShirt : kBoot});
  }
  const ThresholdPath path = path_of(tune, {.thresholds = ThresholdKind::per_class, .grid = 20});
  // Boot's thresholds fall gradually; with a slope of its own it would be all or none.
  std::set<std::int64_t> of_boot;
  for (const Ints& thresholds : path.steps) of_boot.insert(thresholds[kLittleBoot]);
  const auto gradual =
      std::ranges::count_if(of_boot, [](std::int64_t t) { return t > 1 && t <= 400; });
  EXPECT_GE(gradual, 5);
}

TEST(PerClassThresholds, SetOneForAClassThatTuneNeverAnswers) {
  Scores tune = bag_errs();
  for (std::int64_t& answer : tune.little_class) answer = kLittleBag;
  const ThresholdPath path = path_of(tune, {.thresholds = ThresholdKind::per_class, .grid = 4});
  EXPECT_LT(path.steps.front()[kLittleBoot], kNever);
  EXPECT_EQ(path.steps.back()[kLittleBoot], 1);
}

/// Ten samples; only harm is asked, with 0.1: usage = (harms + 1) / 11 / 0.1.
Scores filtered() {
  return scores_of({{50, kLittleBag, kBag, kBag},
                    {40, kLittleBag, kShirt, kShirt},  // harm
                    {30, kLittleBag, kBag, kBag},
                    {55, kOther, kShirt, kShirt},
                    {45, kOther, kShirt, kShirt},
                    {35, kOther, kBag, kBag},  // harm
                    {25, kOther, kShirt, kShirt},
                    {kTieScore, kOther, kShirt, kShirt},
                    {kTieScore, kLittleBag, kBag, kBag},
                    {kTieScore, kLittleBoot, kBoot, kBoot}});
}

CalibrateOptions filter_mode() {
  CalibrateOptions options;
  options.net_loss = 0.0;
  options.other = OtherMode::answer;
  return options;
}

TEST(FilterMode, TakesWhicheverAnswersUseLessOfTheBounds) {
  CalibrateOptions options = filter_mode();
  options.harm = 0.1;
  const ThresholdPath path = path_of(filtered(), options);
  // No harm: 50, then 55 and 45. Then one harm either way: the priority answers first.
  EXPECT_EQ(path.steps, (Steps{{50, 50, kNever},
                               {50, 50, 55},
                               {50, 50, 45},
                               {40, 40, 45},
                               {30, 30, 45},
                               {30, 30, 35},
                               {30, 30, 25},
                               {1, 1, 1}}));
  EXPECT_EQ(path.local_share, (std::vector{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.7}));
}

TEST(FilterMode, HoldsOtherBackWhereItsOwnBoundIsTight) {
  CalibrateOptions options = filter_mode();
  options.harm = 0.1;
  options.dropped_of = {{"bag", 0.001}};  // breaks at the first dropped bag, and is used from 0 on
  const ThresholdPath path = path_of(filtered(), options);
  EXPECT_EQ(path.steps, (Steps{{50, 50, kNever},
                               {40, 40, kNever},
                               {30, 30, kNever},
                               {30, 30, 55},
                               {30, 30, 45},
                               {30, 30, 35},
                               {30, 30, 25},
                               {1, 1, 1}}));
}

TEST(FilterMode, CountsDroppedSamplesOfTheirClass) {
  Scores tune = filtered();
  tune.truth[2] = kShirt;  // a second harm by bag, at 30
  tune.big_class[2] = kShirt;
  CalibrateOptions options = filter_mode();
  options.harm = 0.03;
  options.dropped = 0.0375;
  options.dropped_of = {{"boot", 0.5}};
  // Usage by harm: 3.0 without, 6.1 with one, 9.1 with two. By dropping one of the three bags: 6.7
  // before, 13.3 after. So: 6.7, 6.7, 9.1 for bag and 6.7, 6.7, 13.3, 13.3 for other.
  EXPECT_EQ(path_of(tune, options).steps, (Steps{{50, 50, kNever},
                                                 {40, 40, kNever},
                                                 {40, 40, 55},
                                                 {40, 40, 45},
                                                 {30, 30, 45},
                                                 {30, 30, 35},
                                                 {30, 30, 25},
                                                 {1, 1, 1}}));
}

TEST(FilterMode, HoldsPriorityAnswersBackWhereTheyAreCostly) {
  CalibrateOptions options = filter_mode();
  options.cost.bound = 0.01;
  options.cost.table = {{"shirt", {{"bag", 1.0}}}, {"bag", {{"other", 0.5}}}};
  const std::vector<std::string> classes = {"shirt", "bag", "boot"};
  const ThresholdPath path =
      threshold_path(filtered(), bag_and_boot(), rule_of(ScoreKind::margin), options, classes);
  // A shirt called bag costs 1, a bag called other 0.5: the latter comes first.
  EXPECT_EQ(path.steps, (Steps{{50, 50, kNever},
                               {50, 50, 55},
                               {50, 50, 45},
                               {50, 50, 35},
                               {50, 50, 25},
                               {40, 40, 25},
                               {30, 30, 25},
                               {1, 1, 1}}));
  expect_error(ErrorKind::internal, "costs were to be counted without the names of all classes",
               [&] { path_of(filtered(), options); });
}

TEST(FilterMode, CountsSelectiveAmongTheLocalAnswersOfEachGroup) {
  CalibrateOptions options = filter_mode();
  options.selective = 0.1;
  // Usage of bag at 50, 40, 30: 1/2, 2/3, 2/4 of 0.1, lowest to come 1/2, 1/2, 1/2; of other at 55,
  // 45, 35, 25: 1/2, 1/3, 2/4, 2/5, lowest to come 1/3, 1/3, 2/5, 2/5.
  EXPECT_EQ(path_of(filtered(), options).steps, (Steps{{kNever, kNever, 55},
                                                       {kNever, kNever, 45},
                                                       {kNever, kNever, 35},
                                                       {kNever, kNever, 25},
                                                       {50, 50, 25},
                                                       {40, 40, 25},
                                                       {30, 30, 25},
                                                       {1, 1, 1}}));
}

TEST(FilterMode, NeedsAClassOther) {
  const PriorityMap map{.little_of_big = {0, 1}, .names = {"bag", "boot"}, .has_other = false};
  const Scores tune = scores_of({{5, 0, 0, 0}});
  expect_error(
      ErrorKind::config,
      "calibrate: other is 'answer' but every class is a priority, so none is 'other'; "
      "set other = \"escalate\"",
      [&] { threshold_path(tune, map, plain_rule(ScoreKind::margin, map), filter_mode()); });
  EXPECT_EQ(threshold_path(tune, map, plain_rule(ScoreKind::margin, map), {}).steps,
            (Steps{{5, 5}, {1, 1}}));
}

TEST(FilterMode, GivesAGateTheLowestScoreOfEachGroup) {
  CalibrateOptions options = filter_mode();
  options.harm = 0.1;
  Scores tune = scores_of({{-40, kLittleBag, kBag, kBag}, {-7, kOther, kShirt, kShirt}});
  EXPECT_EQ(path_of(tune, options, ScoreKind::gate).steps,
            (Steps{{-40, -40, kNever}, {-40, -40, -7}}));
  tune.little_class[1] = kLittleBoot;
  EXPECT_EQ(path_of(tune, options, ScoreKind::gate).steps.back(), (Ints{-40, -40, kNever}));
}

/// Random scores with ties, wrong answers and few distinct values.
Scores random_scores(std::int64_t n, std::int64_t values, std::int64_t lowest, Random& random) {
  Scores scores;
  for (std::int64_t i = 0; i < n; ++i) {
    const bool is_tied = random.uniform() < 0.05;
    const auto score =
        lowest + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(values)));
    add(scores, 1,
        {.score = is_tied ? kTieScore : score,
         .little = static_cast<std::int64_t>(random.below(3)),
         .big = static_cast<std::int64_t>(random.below(3)),
         .truth = static_cast<std::int64_t>(random.below(3))});
  }
  return scores;
}

struct PathCase {
  ScoreKind kind;
  ThresholdKind thresholds;
  OtherMode other;
};

class EveryPath : public ::testing::TestWithParam<PathCase> {};

TEST_P(EveryPath, IsNestedAndAnswersEachRowFromItsFirstLocalStepOn) {
  CalibrateOptions options;
  options.thresholds = GetParam().thresholds;
  options.other = GetParam().other;
  options.dropped = 0.05;
  options.miss = 0.05;
  options.selective = 0.1;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Random random(seed);
    const auto values = static_cast<std::int64_t>(1 + random.below(seed % 2 == 0 ? 5 : 100000));
    const std::int64_t lowest = GetParam().kind == ScoreKind::gate ? -values / 2 : 1;
    options.grid = static_cast<std::int64_t>(1 + random.below(60));
    const auto n = static_cast<std::int64_t>(1 + random.below(200));
    const Scores tune = random_scores(n, values, lowest, random);
    const ThresholdPath path = path_of(tune, options, GetParam().kind);
    EXPECT_NO_THROW(require_path(path, 3, "path"));
    EXPECT_LE(path.count(), options.grid);
    EXPECT_EQ(path, path_of(tune, options, GetParam().kind));

    const Scores field = random_scores(200, 2 * values, lowest - values / 2, random);
    for (const Scores& scores : {tune, field}) {
      const Ints first = first_local_step(scores, path);
      for (std::int64_t row = 0; row < scores.count(); ++row) {
        for (std::int64_t step = 0; step < path.count(); ++step) {
          ASSERT_EQ(answers_locally(scores, row, path.steps[static_cast<std::size_t>(step)]),
                    first[static_cast<std::size_t>(row)] <= step);
        }
      }
    }
    for (std::int64_t row = 0; row < tune.count(); ++row) {
      const auto at = static_cast<std::size_t>(row);
      const bool may_stay = tune.score[at] != kTieScore && (tune.little_class[at] != kOther ||
                                                            GetParam().other == OtherMode::answer);
      EXPECT_EQ(answers_locally(tune, row, path.steps.back()), may_stay);
    }
  }
}

TEST_P(EveryPath, LetsAboutEquallyManyMoreInAtEachStep) {
  CalibrateOptions options;
  options.thresholds = GetParam().thresholds;
  options.other = GetParam().other;
  options.grid = 20;
  Random random(77);
  const Scores tune = random_scores(4000, std::int64_t{1} << 40, 1, random);
  const ThresholdPath path = path_of(tune, options, GetParam().kind);
  ASSERT_EQ(path.count(), 20);
  const double step = path.local_share.back() / 20.0;
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_NEAR(path.local_share[i], step * static_cast<double>(i + 1), 2.0 / 4000.0);
  }
}

INSTANTIATE_TEST_SUITE_P(
    AllKinds, EveryPath,
    ::testing::Values(PathCase{ScoreKind::margin, ThresholdKind::one, OtherMode::escalate},
                      PathCase{ScoreKind::margin, ThresholdKind::one, OtherMode::answer},
                      PathCase{ScoreKind::margin, ThresholdKind::per_class, OtherMode::escalate},
                      PathCase{ScoreKind::margin, ThresholdKind::per_class, OtherMode::answer},
                      PathCase{ScoreKind::gate, ThresholdKind::one, OtherMode::escalate},
                      PathCase{ScoreKind::gate, ThresholdKind::per_class, OtherMode::answer}));

TEST(FirstLocalStep, IsCountForATieAndForWhatNoStepReaches) {
  const ThresholdPath path{.steps = {{9, kNever, kNever}, {5, 7, kNever}},
                           .local_share = {0.0, 0.0}};
  const Scores scores = scores_of({{9, kLittleBag, 0, 0},
                                   {8, kLittleBag, 0, 0},
                                   {4, kLittleBag, 0, 0},
                                   {7, kLittleBoot, 0, 0},
                                   {99, kOther, 0, 0},
                                   {kAlwaysEscalate, kOther, 0, 0},
                                   {kTieScore, kLittleBag, 0, 0}});
  EXPECT_EQ(first_local_step(scores, path), (Ints{0, 1, 2, 1, 2, 2, 2}));
  EXPECT_EQ(first_local_step(scores, {}), (Ints{0, 0, 0, 0, 0, 0, 0}));
}

TEST(RequirePath, NamesWhatIsWrong) {
  const ThresholdPath good{.steps = {{9, kNever, kNever}, {5, 7, kNever}, {5, 7, -3}},
                           .local_share = {0.0, 0.5, 1.0}};
  EXPECT_NO_THROW(require_path(good, 3, "policy.json"));
  const auto refuse = [&](const auto& damage, const std::string& problem) {
    ThresholdPath path = good;
    damage(path);
    expect_error(ErrorKind::bad_data, "policy.json: " + problem + "; export the bundle again",
                 [&] { require_path(path, 3, "policy.json"); });
  };
  refuse([](ThresholdPath& path) { path = {}; }, "the path has no step, expected at least one");
  refuse([](ThresholdPath& path) { path.local_share.pop_back(); },
         "the path has 3 steps but 2 local shares");
  refuse([](ThresholdPath& path) { path.steps[1].pop_back(); },
         "step 1 has 2 thresholds, expected 3");
  refuse([](ThresholdPath& path) { path.steps[2][0] = kTieScore; },
         "step 2 has the threshold -9007199254740991, expected -9007199254740990 to "
         "9007199254740991");
  refuse([](ThresholdPath& path) { path.steps[0][1] = kNever + 1; },
         "step 0 has the threshold 9007199254740992, expected -9007199254740990 to "
         "9007199254740991");
  refuse([](ThresholdPath& path) { path.steps[2][0] = 6; },
         "a threshold rises at step 2, expected lower or equal ones");
  refuse([](ThresholdPath& path) { path.steps[2] = path.steps[1]; },
         "no threshold falls at step 2, expected at least one to");
  refuse([](ThresholdPath& path) { path.local_share[2] = 0.4; },
         "local share 2 is 0.4, expected 0.5 to 1");
  refuse([](ThresholdPath& path) { path.local_share[2] = 1.5; },
         "local share 2 is 1.5, expected 0.5 to 1");
}

}  // namespace
}  // namespace biglittle
