// SPDX-License-Identifier: MIT
#include "calibrate/risk_curves.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "calibrate/risk.h"
#include "core/random.h"

namespace biglittle::testing {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;

const std::vector<std::string> kBig = {"bird", "cat", "dog"};

/// Priority cat and dog; bird is other.
PriorityMap pets() { return {{2, 0, 1}, {"cat", "dog", "other"}, true}; }

/// The same threshold for cat and dog; `other` is answered in filter mode only.
ThresholdPath path_of(const std::vector<std::int64_t>& thresholds,
                      OtherMode other = OtherMode::escalate) {
  ThresholdPath path;
  for (const std::int64_t threshold : thresholds) {
    path.steps.push_back(
        {threshold, threshold, other == OtherMode::answer ? threshold : kAlwaysEscalate});
    path.local_share.push_back(0.0);
  }
  return path;
}

CalibrateOptions nothing_asked() {
  CalibrateOptions options;
  options.net_loss = 0.0;
  return options;
}

std::vector<std::int64_t> all_rows(const Scores& scores) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(scores.count()));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

/// Eight samples, four local at the second of three steps:
///   score little big   truth
///    90   cat    cat   cat     both right
///    80   cat    cat   dog     both wrong
///    70   dog    dog   cat     both wrong
///    60   dog    bird  dog     little right, big wrong
///    40   cat    dog   dog     little wrong, big right
///    30   dog    dog   dog     both right
///    20   cat    bird  bird    little wrong, big right
///    95   other  bird  cat     little and big wrong
Scores eight() {
  Scores scores;
  scores.score = {90, 80, 70, 60, 40, 30, 20, 95};
  scores.little_class = {0, 0, 1, 1, 0, 1, 0, 2};
  scores.big_class = {1, 1, 2, 0, 2, 2, 0, 0};
  scores.truth = {1, 2, 1, 2, 2, 2, 0, 1};
  return scores;
}

TEST(RiskCurves, CountEveryRiskAsByHand) {
  CalibrateOptions options = nothing_asked();
  options.net_loss = options.harm = options.selective = options.agreement = options.budget = 0.1;
  options.miss = 0.1;
  options.miss_of["cat"] = 0.2;
  options.cost.bound = 0.1;
  options.cost.table["dog"]["cat"] = 0.5;
  const Scores scores = eight();
  const RiskCurves curves(scores, path_of({100, 50, 10}), pets(), kBig, options, {});
  std::vector<std::string> names;
  for (std::int64_t risk = 0; risk < curves.risks(); ++risk) names.push_back(curves.name(risk));
  EXPECT_THAT(names, ElementsAre("net-loss", "harm", "selective", "miss:cat", "miss:dog",
                                 "agreement", "cost", "budget"));
  EXPECT_DOUBLE_EQ(curves.bound(3), 0.2);
  EXPECT_DOUBLE_EQ(curves.bound(4), 0.1);

  const RiskCurves::Curves counted = curves.count(all_rows(scores));
  EXPECT_THAT(counted.escalation, ElementsAre(DoubleEq(1.0), DoubleEq(0.5), DoubleEq(0.125)));
  EXPECT_THAT(counted.risk[0], ElementsAre(DoubleEq(0), DoubleEq(-1.0 / 8), DoubleEq(1.0 / 8)));
  EXPECT_THAT(counted.risk[1], ElementsAre(DoubleEq(0), DoubleEq(0), DoubleEq(2.0 / 8)));
  EXPECT_THAT(counted.risk[2], ElementsAre(DoubleEq(0), DoubleEq(2.0 / 4), DoubleEq(4.0 / 7)));
  // Three samples are cats, four dogs.
  EXPECT_THAT(counted.risk[3], ElementsAre(DoubleEq(0), DoubleEq(1.0 / 3), DoubleEq(1.0 / 3)));
  EXPECT_THAT(counted.risk[4], ElementsAre(DoubleEq(0), DoubleEq(1.0 / 4), DoubleEq(2.0 / 4)));
  EXPECT_THAT(counted.risk[5], ElementsAre(DoubleEq(0), DoubleEq(1.0 / 8), DoubleEq(3.0 / 8)));
  EXPECT_THAT(counted.risk[6], ElementsAre(DoubleEq(0), DoubleEq(0.5 / 8), DoubleEq(1.0 / 8)));
  EXPECT_THAT(counted.risk[7], ElementsAre(DoubleEq(1), DoubleEq(0.5), DoubleEq(0.125)));
}

TEST(RiskCurves, FilterModeCountsDroppedInputsAndAccuracyOverLittleClasses) {
  CalibrateOptions options = nothing_asked();
  options.other = OtherMode::answer;
  options.harm = options.dropped = 0.1;
  const Scores scores = eight();
  const RiskCurves curves(scores, path_of({92, 10}, OtherMode::answer), pets(), kBig, options, {});
  const RiskCurves::Curves counted = curves.count(all_rows(scores));
  EXPECT_THAT(counted.escalation, ElementsAre(DoubleEq(7.0 / 8), DoubleEq(0.0)));
  EXPECT_THAT(counted.risk[0], ElementsAre(DoubleEq(0), DoubleEq(2.0 / 8)));
  EXPECT_EQ(curves.name(1), "dropped:cat");
  EXPECT_THAT(counted.risk[1], ElementsAre(DoubleEq(1.0 / 3), DoubleEq(1.0 / 3)));
  EXPECT_THAT(counted.risk[2], ElementsAre(DoubleEq(0), DoubleEq(0)));
}

TEST(RiskCurves, CountTheRowsThatAreAskedFor) {
  CalibrateOptions options = nothing_asked();
  options.harm = 0.1;
  const RiskCurves curves(eight(), path_of({50, 10}), pets(), kBig, options, {});
  const std::vector<std::int64_t> rows = {4, 4, 0, 7};
  const RiskCurves::Curves counted = curves.count(rows);
  EXPECT_THAT(counted.risk[0], ElementsAre(DoubleEq(0), DoubleEq(2.0 / 4)));
  EXPECT_THAT(counted.escalation, ElementsAre(DoubleEq(3.0 / 4), DoubleEq(1.0 / 4)));
}

TEST(RiskCurves, WeighSamplesToTheFieldsMix) {
  CalibrateOptions options = nothing_asked();
  options.harm = options.miss = 0.1;
  const Scores scores = eight();
  // One bird, three cats and four dogs in the data; half of the field's inputs are birds.
  const std::vector<double> shares = {0.5, 0.3, 0.2};
  const RiskCurves curves(scores, path_of({50, 10}), pets(), kBig, options, shares);
  const RiskCurves::Curves counted = curves.count(all_rows(scores));
  // Harm: the bird at its half, one of four dogs.
  EXPECT_THAT(counted.risk[0], ElementsAre(DoubleEq(0), DoubleEq(0.5 + 0.2 / 4)));
  // Within a class weights make no difference.
  EXPECT_THAT(counted.risk[2], ElementsAre(DoubleEq(1.0 / 4), DoubleEq(2.0 / 4)));
  // At first two of three cats and two of four dogs are local, at last all but one cat.
  EXPECT_THAT(counted.escalation,
              ElementsAre(DoubleEq(1.0 - 0.2 - 0.1), ::testing::DoubleNear(0.1, 1e-12)));
}

TEST(RiskCurves, LastKeptStepMayLieBehindOneThatIsNot) {
  CalibrateOptions options = nothing_asked();
  options.net_loss = 0.125;  // exactly the risk at the last step: a bound may be reached
  const RiskCurves curves(eight(), path_of({100, 35, 10}), pets(), kBig, options, {});
  const RiskCurves::Curves counted = curves.count(all_rows(eight()));
  EXPECT_EQ(curves.last_kept_step(counted), 2);
  EXPECT_FALSE(curves.violates(counted, 0, 2));
  options.net_loss = 0.124;
  const RiskCurves stricter(eight(), path_of({100, 35, 10}), pets(), kBig, options, {});
  EXPECT_TRUE(stricter.violates(counted, 0, 2));
  EXPECT_EQ(stricter.last_kept_step(counted), 1);
  options.budget = 0.05;
  const RiskCurves budget(eight(), path_of({100, 35, 10}), pets(), kBig, options, {});
  EXPECT_EQ(budget.last_kept_step(budget.count(all_rows(eight()))), -1);
}

TEST(RiskCurves, AreTheEstimatesOfTheTests) {
  Random random(7);
  Scores scores;
  for (int row = 0; row < 500; ++row) {
    scores.score.push_back(static_cast<std::int64_t>(random.below(100)));
    scores.little_class.push_back(static_cast<std::int64_t>(random.below(3)));
    scores.big_class.push_back(static_cast<std::int64_t>(random.below(3)));
    scores.truth.push_back(static_cast<std::int64_t>(random.below(3)));
  }
  CalibrateOptions options = nothing_asked();
  options.other = OtherMode::answer;
  options.net_loss = options.harm = options.selective = options.agreement = options.budget = 0.1;
  options.miss = options.dropped = options.cost.bound = 0.1;
  options.cost.table["bird"]["dog"] = 0.25;
  const ThresholdPath path = path_of({101, 75, 50, 25, 0}, OtherMode::answer);
  const RiskCurves curves(scores, path, pets(), kBig, options, {});
  const RiskCurves::Curves counted = curves.count(all_rows(scores));
  const PriorityMap map = pets();
  const auto risks =
      asked_risks(options, {map, kBig, options.other, 0.05, 1}, scores, scores, path);
  ASSERT_EQ(static_cast<std::int64_t>(risks.size()), curves.risks());
  for (std::size_t risk = 0; risk < risks.size(); ++risk) {
    EXPECT_EQ(risks[risk]->name(), curves.name(static_cast<std::int64_t>(risk)));
    for (std::size_t step = 0; step < path.steps.size(); ++step) {
      EXPECT_NEAR(risks[risk]->result(static_cast<std::int64_t>(step)).estimate,
                  counted.risk[risk][step], 1e-12)
          << risks[risk]->name() << " at step " << step;
    }
  }
}

}  // namespace
}  // namespace biglittle::testing
