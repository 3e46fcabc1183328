// SPDX-License-Identifier: MIT
#include "calibrate/resample.h"

#include <gtest/gtest.h>

#include "testing/expect_error.h"

namespace biglittle::testing {
namespace {

const std::vector<std::string> kBig = {"cat", "dog"};

PriorityMap only_cat() { return {{0, 1}, {"cat", "other"}, true}; }

/// `n` samples that little calls cats, with scores n, n-1, ..., 1; little is wrong where `wrong`
/// says so of the score. Big is always right.
template <typename Wrong>
Scores cats(std::int64_t n, const Wrong& wrong) {
  Scores scores;
  for (std::int64_t score = n; score >= 1; --score) {
    const std::int64_t truth = wrong(score) ? 1 : 0;
    scores.score.push_back(score);
    scores.little_class.push_back(0);
    scores.big_class.push_back(truth);
    scores.truth.push_back(truth);
  }
  return scores;
}

/// One step a hundredth of the scores.
SearchPlan plan_over(std::int64_t n) {
  SearchPlan plan;
  for (std::int64_t step = 1; step <= 100; ++step) {
    plan.path.steps.push_back({n - step * n / 100 + 1, kAlwaysEscalate});
    plan.path.local_share.push_back(static_cast<double>(step) / 100.0);
  }
  return plan;
}

CalibrateOptions harm_at_most(double bound) {
  CalibrateOptions options;
  options.net_loss = 0.0;
  options.harm = bound;
  return options;
}

/// Confidence says nothing: every tenth answer is wrong at any score.
bool every_tenth(std::int64_t score) { return score % 10 == 0; }

ResampleReport resample_flat(const CalibrateOptions& calibrate, const ResampleOptions& options) {
  return resample(plan_over(2000), cats(2000, every_tenth), only_cat(), kBig, calibrate, options);
}

TEST(Resample, OracleIsTheMostLocalStepThatKeepsTheBoundOnThePool) {
  // The 400 lowest of 2,000 scores are wrong: at most 100 of them may be local.
  const Scores pool = cats(2000, [](std::int64_t score) { return score <= 400; });
  const ResampleReport report = resample(plan_over(2000), pool, only_cat(), kBig,
                                         harm_at_most(0.05), {3, 500, DrawKind::split, 1});
  EXPECT_EQ(report.pool, 2000);
  EXPECT_EQ(report.oracle_step, 84);  // 85 steps of 20 samples: 300 escalate
  EXPECT_DOUBLE_EQ(report.oracle_escalation, 300.0 / 2000.0);
  EXPECT_EQ(report.steps, 100);
  EXPECT_EQ(report.breaking_steps, 15);
  EXPECT_EQ(report.certified.chosen.count, 3);
  EXPECT_GE(*report.certified.oracle_ratio, 1.0);
  EXPECT_LE(*report.certified.oracle_ratio, 1.5);
}

TEST(Resample, CertifiedRuleKeepsItsPromiseAndTheNaiveOneDoesNot) {
  for (const DrawKind draw : {DrawKind::split, DrawKind::independent}) {
    // Harm grows by a thousandth a step: 5 % is reached at step 50, where half escalate.
    const ResampleReport report = resample_flat(harm_at_most(0.05), {400, 500, draw, 3});
    EXPECT_DOUBLE_EQ(report.oracle_escalation, 0.5);
    EXPECT_EQ(report.certified.chosen.count, 400);
    EXPECT_LE(report.certified.violated.value, 0.05 + 3 * 0.011);
    EXPECT_FALSE(violates_too_often(report));
    EXPECT_GT(report.naive.violated.value, 0.2);
    EXPECT_EQ(report.naive.violated_left_over.n, 400);
    EXPECT_LT(report.naive.median_escalation, report.certified.median_escalation);
    EXPECT_LE(report.certified.lowest_escalation, report.certified.median_escalation);
    EXPECT_GE(report.certified.highest_escalation, report.certified.median_escalation);
  }
}

TEST(Resample, IndependentDrawsComeCloserToDeltaThanSplits) {
  // Without replacement a draw of most of the pool is nearly the pool itself.
  const ResampleReport split = resample_flat(harm_at_most(0.05), {300, 1900, DrawKind::split, 3});
  const ResampleReport independent =
      resample_flat(harm_at_most(0.05), {300, 1900, DrawKind::independent, 3});
  EXPECT_EQ(split.certified.violated.count, 0);
  EXPECT_GT(independent.certified.violated.count, 0);
}

TEST(Resample, ViolationsAreToldByRisk) {
  CalibrateOptions options = harm_at_most(0.05);
  options.selective = 0.9;
  const ResampleReport report = resample_flat(options, {50, 500, DrawKind::split, 3});
  EXPECT_EQ(report.risks, (std::vector<std::string>{"harm", "selective"}));
  EXPECT_EQ(report.naive.violated_by_risk[0].count, report.naive.violated.count);
  EXPECT_EQ(report.naive.violated_by_risk[1].count, 0);
}

TEST(Resample, DrawsTooSmallForAnyCertificateEscalateEverything) {
  // 58 samples without an event do not certify 5 %, 59 do (0.95^59 < 0.05).
  const auto certified_at = [](std::int64_t size) {
    const Scores pool = cats(2000, [](std::int64_t) { return false; });
    return resample(plan_over(2000), pool, only_cat(), kBig, harm_at_most(0.05),
                    {5, size, DrawKind::split, 1})
        .certified;
  };
  EXPECT_EQ(certified_at(58).chosen.count, 0);
  EXPECT_DOUBLE_EQ(certified_at(58).median_escalation, 1.0);
  EXPECT_EQ(certified_at(58).violated.count, 0);
  EXPECT_EQ(certified_at(59).chosen.count, 5);
  // Nothing has to escalate, so there is no ratio to it.
  EXPECT_FALSE(certified_at(59).oracle_ratio);
}

TEST(Resample, DrawWithoutASampleOfAClassGivesNoCertificate) {
  Scores pool = cats(200, [](std::int64_t score) { return score != 7; });  // one true cat
  CalibrateOptions options;
  options.net_loss = 0.0;
  options.miss = 0.9;
  options.delta = 0.9;  // one sample is enough to certify with
  const ResampleReport report =
      resample(plan_over(200), pool, only_cat(), kBig, options, {200, 100, DrawKind::split, 1});
  EXPECT_NEAR(report.certified.chosen.value, 0.5, 0.15);
  pool = cats(200, [](std::int64_t) { return true; });
  EXPECT_THROW(
      resample(plan_over(200), pool, only_cat(), kBig, options, {5, 100, DrawKind::split, 1}),
      Error);
}

TEST(Resample, SameSeedGivesTheSameReportAndAnotherDoesNot) {
  const auto json = [](std::int64_t seed) {
    return to_json(resample_flat(harm_at_most(0.05), {20, 500, DrawKind::split, seed}))
        .at("certified");
  };
  EXPECT_EQ(json(1), json(1));
  EXPECT_NE(json(1), json(2));
}

TEST(Resample, SplitLeavesASampleOver) {
  expect_error(ErrorKind::config,
               "resample: draws of 2000 samples leave none of the pool's 2000 over; ask for fewer, "
               "or for independent draws",
               [] {
                 resample_flat(harm_at_most(0.05), {1, 2000, DrawKind::split, 1});
               });
  EXPECT_EQ(resample_flat(harm_at_most(0.05), {1, 1999, DrawKind::split, 1}).pool, 2000);
  EXPECT_EQ(resample_flat(harm_at_most(0.05), {1, 2001, DrawKind::independent, 1}).pool, 2000);
}

TEST(Resample, NumbersBelowOneAreRefused) {
  expect_error(ErrorKind::config,
               "resample: 0 draws of 5 samples, expected at least 1 of at least 1", [] {
                 resample_flat(harm_at_most(0.05), {0, 5, DrawKind::split, 1});
               });
  expect_error(ErrorKind::config,
               "resample: 5 draws of 0 samples, expected at least 1 of at least 1", [] {
                 resample_flat(harm_at_most(0.05), {5, 0, DrawKind::split, 1});
               });
}

TEST(Resample, ViolatesTooOftenWhenTheIntervalLiesAboveDelta) {
  // Clopper-Pearson at 95 %, by SciPy: 10 of 100 gives 4.90 to 17.62 %, 11 of 100 5.62 to 18.83 %:
  // binomtest(10, 100).proportion_ci().
  ResampleReport report;
  report.certified.violated = make_rate(10, 100);
  EXPECT_FALSE(violates_too_often(report));
  report.certified.violated = make_rate(11, 100);
  EXPECT_TRUE(violates_too_often(report));
}

}  // namespace
}  // namespace biglittle::testing
