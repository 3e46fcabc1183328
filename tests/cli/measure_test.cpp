// SPDX-License-Identifier: MIT
#include "cli/measure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/expect_error.h"

namespace biglittle::testing {
namespace {

using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(PredictedClasses, AreTheLargestOfEachRowAndTheLowestIndexOnATie) {
  const std::vector<float> logits = {0.5F,  2.0F,  -1.0F,  //
                                     3.0F,  3.0F,  1.0F,   //
                                     -2.0F, -1.5F, -1.0F};
  EXPECT_THAT(predicted_classes(logits, 3), ElementsAre(1, 0, 2));
}

TEST(ShareEqual, CountsEqualEntries) {
  EXPECT_DOUBLE_EQ(
      share_equal(std::vector<std::int64_t>{1, 2, 3, 4}, std::vector<std::int64_t>{1, 0, 3, 0}),
      0.5);
  EXPECT_DOUBLE_EQ(share_equal({}, {}), 0.0);
}

TEST(PriorityOf, RefusesANetworkWithoutPriorities) {
  const Checkpoint little;
  expect_error(ErrorKind::bad_data,
               "the little network has no priority map; make it with 'biglittle derive-little'",
               [&] { priority_of(little); });
}

TEST(ReportText, PrintsRatesInPercentAndTheLossInPoints) {
  SystemReport report;
  report.n = 1000;
  report.big = make_rate(935, 1000);
  report.loss = {0.0012, -0.0034, 0.0056};
  const std::string text = report_text(report);
  EXPECT_THAT(text, HasSubstr("93.50 %"));
  EXPECT_THAT(text, ContainsRegex("points +0.12 +-0.34 to 0.56 +1,000\n"));
}

}  // namespace
}  // namespace biglittle::testing
