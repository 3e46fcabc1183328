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
using ::testing::Not;

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

TEST(ReportText, StatesEscalationsTheOracleAndAForecast) {
  SystemReport report;
  report.escalated = make_rate(711, 1000);
  report.curve.over_oracle = 1.0625;
  report.data_forecast.total = {Expected{288.7, 280, 297}, Expected{}, Expected{711.3, 703, 720}};
  const std::string text = report_text(report);
  EXPECT_THAT(text, ContainsRegex("escalated, all inputs +71.10 %"));
  EXPECT_THAT(text, ContainsRegex("multiple of the oracle's +1.06"));
  EXPECT_THAT(
      text,
      HasSubstr("\n1,000 inputs  289 answered, 711 escalated in the data's mix of classes\n"));
  EXPECT_THAT(text, Not(HasSubstr("dropped")));
  EXPECT_THAT(text, Not(HasSubstr("the field's")));
}

TEST(ReportText, StatesWhatIsDroppedAndTheFieldsMixWhereThereIsSuch) {
  SystemReport report;
  report.other = OtherMode::answer;
  report.dropped = make_rate(600, 1000);
  report.field_forecast.emplace();
  report.field_forecast->total = {Expected{107, 0, 0}, Expected{840, 0, 0}, Expected{53, 0, 0}};
  report.classes = {{"Bag", true, 10, 0.9, 0.9, make_rate(8, 10), make_rate(1, 10)}};
  const std::string text = report_text(report);
  EXPECT_THAT(text, ContainsRegex("dropped as other, all inputs +60.00 %"));
  EXPECT_THAT(text, HasSubstr("107 answered, 840 dropped, 53 escalated in the field's mix"));
  EXPECT_THAT(text, Not(HasSubstr("oracle")));
  EXPECT_THAT(class_table(report), ContainsRegex("local +dropped\nBag.*80.00 % +10.00 %"));
}

}  // namespace
}  // namespace biglittle::testing
