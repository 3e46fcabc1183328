// SPDX-License-Identifier: MIT
#include "cli/resample_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace biglittle::testing {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

RuleRecord record(std::int64_t violated) {
  RuleRecord record;
  record.chosen = make_rate(500, 500);
  record.violated = make_rate(violated, 500);
  record.violated_by_risk = {make_rate(violated, 500)};
  record.violated_left_over = make_rate(40, 500);
  record.lowest_escalation = 0.25;
  record.median_escalation = 0.3;
  record.highest_escalation = 0.5;
  record.oracle_ratio = 1.2;
  return record;
}

ResampleReport report() {
  ResampleReport report;
  report.options = {500, 5000, DrawKind::split, 7};
  report.pool = 15000;
  report.risks = {"net-loss"};
  report.oracle_step = 80;
  report.oracle_escalation = 0.25;
  report.steps = 100;
  report.breaking_steps = 20;
  report.certified = record(4);
  report.naive = record(230);
  return report;
}

TEST(ResampleText, SaysWhatWasDrawnAndFound) {
  const std::string text = resample_text(report());
  EXPECT_THAT(text, HasSubstr("500 draws of 5,000 from the 15,000 samples of calibration and test, "
                              "without replacement, seed 7\n"));
  // SciPy: binomtest(4, 500).proportion_ci() is 0.22 to 2.04 %.
  EXPECT_THAT(text,
              ContainsRegex("breaks a bound on the pool +0.80 % \\(0.22 to 2.04\\) +46.00 %"));
  EXPECT_THAT(text, ContainsRegex("median escalation on the pool +30.00 % +30.00 %\n"));
  EXPECT_THAT(text, ContainsRegex("range of escalation +25.00 to 50.00 %"));
  EXPECT_THAT(text, ContainsRegex("oracle's +1.200 +1.200\n"));
  EXPECT_THAT(text, HasSubstr("oracle       escalates 25.00 % of the pool"));
  EXPECT_THAT(text, HasSubstr("path         20 of its 100 steps break a bound on the pool\n"));
  EXPECT_THAT(text, HasSubstr("delta        5.00 %: kept, within the interval\n"));
  EXPECT_THAT(text, Not(HasSubstr("net-loss")));  // one risk is the whole
}

TEST(ResampleText, NamesRisksWhereThereAreSeveral) {
  ResampleReport several = report();
  several.risks.push_back("miss:cat");
  several.certified.violated_by_risk.push_back(make_rate(0, 500));
  several.naive.violated_by_risk.push_back(make_rate(5, 500));
  EXPECT_THAT(resample_text(several), ContainsRegex("\n  miss:cat +0.00 %.+1.00 %"));
}

TEST(ResampleText, SaysWhenDeltaIsBroken) {
  ResampleReport broken = report();
  broken.certified = record(50);
  EXPECT_THAT(resample_text(broken), HasSubstr("broken more often than that"));
}

TEST(ResampleText, SaysWhenNoRuleCanBreakABound) {
  ResampleReport easy = report();
  easy.breaking_steps = 0;
  EXPECT_THAT(resample_text(easy), HasSubstr("path         0 of its 100 steps break a bound on the "
                                             "pool: no rule can be caught here"));
}

TEST(ResampleText, LeavesOutRatiosWithoutAnOracle) {
  ResampleReport none = report();
  none.oracle_step = -1;
  none.certified.oracle_ratio.reset();
  const std::string text = resample_text(none);
  EXPECT_THAT(text, HasSubstr("oracle       no step of the path keeps the bounds on the pool\n"));
  EXPECT_THAT(text, ContainsRegex("oracle's +- +1.200\n"));
}

}  // namespace
}  // namespace biglittle::testing
