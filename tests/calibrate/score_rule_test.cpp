// SPDX-License-Identifier: MIT
#include "calibrate/score_rule.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "calibrate/rows.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using namespace testing;

using Accumulators = std::vector<std::int32_t>;

constexpr std::int32_t kLargest = std::int32_t{1} << 30;

PriorityMap no_other() {
  return {.little_of_big = {0, 1}, .names = {"bag", "boot"}, .has_other = false};
}

ScoreRule gate(std::int64_t margin_weight, std::int64_t other_weight,
               std::vector<std::int64_t> offsets) {
  return {.kind = ScoreKind::gate,
          .margin_weight = margin_weight,
          .other_weight = other_weight,
          .offsets = std::move(offsets)};
}

TEST(PlainRule, StatesWeightsWithoutOffsets) {
  const ScoreRule margin = plain_rule(ScoreKind::margin, bag_and_boot());
  EXPECT_EQ(margin.kind, ScoreKind::margin);
  EXPECT_EQ(margin.margin_weight, 1);
  EXPECT_EQ(margin.other_weight, 0);
  EXPECT_EQ(margin.offsets, (std::vector<std::int64_t>{0, 0, 0}));
  const ScoreRule top_other = plain_rule(ScoreKind::top_other, bag_and_boot());
  EXPECT_EQ(top_other.kind, ScoreKind::top_other);
  EXPECT_EQ(top_other.margin_weight, 0);
  EXPECT_EQ(top_other.other_weight, 1);
  EXPECT_EQ(plain_rule(ScoreKind::margin, no_other()).offsets.size(), 2U);
}

TEST(PlainRule, RefusesTheDistanceToOtherWhereNoClassIsOther) {
  expect_error(ErrorKind::config,
               "calibrate: score is 'top-other' but every class is a priority, so none is 'other'; "
               "set score = \"margin\"",
               [] { plain_rule(ScoreKind::top_other, no_other()); });
  expect_error(ErrorKind::internal, "a gate was made without fitting it",
               [] { plain_rule(ScoreKind::gate, no_other()); });
}

TEST(ScoreOf, CountsBothDistancesAndTheAnswersOffset) {
  const ScoreRule rule = gate(10, 3, {1000, 2000, 4000});
  const PriorityMap map = bag_and_boot();
  // bag leads boot by 5 and other by 9
  EXPECT_EQ(score_of(Accumulators{7, 2, -2}, rule, map), 10 * 5 + 3 * 9 + 1000);
  // boot leads other by 4
  EXPECT_EQ(score_of(Accumulators{-8, 3, -1}, rule, map), 10 * 4 + 3 * 4 + 2000);
  // other leads bag, the nearest priority class, by 6
  EXPECT_EQ(score_of(Accumulators{1, -5, 7}, rule, map), 10 * 6 + 3 * 6 + 4000);
}

TEST(ScoreOf, OrdersTheAnswersOtherByTheirMarginUnderEveryRule) {
  const PriorityMap map = bag_and_boot();
  EXPECT_EQ(score_of(Accumulators{1, -5, 7}, plain_rule(ScoreKind::top_other, map), map), 6);
  EXPECT_EQ(score_of(Accumulators{1, -5, 7}, plain_rule(ScoreKind::margin, map), map), 6);
}

TEST(ScoreOf, CountsNoDistanceToOtherWhereNoClassIsOther) {
  EXPECT_EQ(score_of(Accumulators{1, 9}, gate(2, 1000, {0, 5}), no_other()), 2 * 8 + 5);
}

TEST(ScoreOf, GivesATieTheLowestScoreWhateverTheRule) {
  const PriorityMap map = bag_and_boot();
  const std::int64_t most = kLargestScoreOffset;
  EXPECT_EQ(score_of(Accumulators{4, 4, -9}, gate(7, 7, {most, most, most}), map), kTieScore);
  EXPECT_EQ(score_of(Accumulators{-4, 4, 4}, plain_rule(ScoreKind::margin, map), map), kTieScore);
  EXPECT_EQ(score_of(Accumulators{4, 4, 4}, plain_rule(ScoreKind::top_other, map), map), kTieScore);
}

TEST(ScoreOf, StaysWithinItsLimitsAtTheLargestAccumulators) {
  const PriorityMap map = bag_and_boot();
  const std::int64_t w = kLargestScoreWeight;
  const std::int64_t o = kLargestScoreOffset;
  const Accumulators apart{kLargest, -kLargest, -kLargest};
  // two distances of 2^31 by 2^18 each, and 2^50
  EXPECT_EQ(score_of(apart, gate(w, w, {o, 0, 0}), map), std::int64_t{1} << 51);
  EXPECT_EQ(score_of(apart, gate(-w, -w, {-o, 0, 0}), map), -(std::int64_t{1} << 51));
  const Accumulators farthest{std::numeric_limits<std::int32_t>::max(),
                              std::numeric_limits<std::int32_t>::min(),
                              std::numeric_limits<std::int32_t>::min()};
  const std::int64_t distance = 4294967295;
  EXPECT_EQ(score_of(farthest, gate(w, w, {o, 0, 0}), map), 2 * w * distance + o);
  EXPECT_LT(2 * w * distance + o, std::int64_t{1} << 52);
  EXPECT_EQ(score_of(farthest, plain_rule(ScoreKind::margin, map), map), distance);
}

TEST(ScoreRuleJson, ReadsBackWhatItWrote) {
  const PriorityMap map = bag_and_boot();
  for (const ScoreRule& rule :
       {plain_rule(ScoreKind::margin, map), plain_rule(ScoreKind::top_other, map),
        gate(kLargestScoreWeight, -kLargestScoreWeight, {kLargestScoreOffset, 0, -7})}) {
    EXPECT_EQ(score_rule_from_json(parse_json(to_text(to_json(rule)), "test"), 3, "policy.json"),
              rule);
  }
  EXPECT_EQ(to_json(gate(3, 2, {1, -1})).dump(),
            R"({"kind":"gate","margin_weight":3,"other_weight":2,"offsets":[1,-1]})");
}

TEST(ScoreRuleJson, RefusesWhatIsNoRule) {
  const auto refuse = [](const std::string& text, const std::string& problem) {
    expect_error(ErrorKind::bad_data,
                 "policy.json: score: " + problem + "; export the bundle again",
                 [&] { score_rule_from_json(parse_json(text, "test"), 2, "policy.json: score"); });
  };
  const auto rule = [](const std::string& kind, const std::string& margin_weight,
                       const std::string& other_weight, const std::string& offsets) {
    return R"({"kind": )" + kind + R"(, "margin_weight": )" + margin_weight +
           R"(, "other_weight": )" + other_weight + R"(, "offsets": )" + offsets + "}";
  };
  refuse("7", "expected an object");
  refuse("{}", "key 'kind' is missing");
  refuse(R"({"kind": "margin", "slope": 1})", "unknown key 'slope'");
  refuse(rule(R"("depth")", "1", "0", "[0, 0]"),
         R"(kind is "depth", expected margin, top-other or gate)");
  refuse(rule("0", "1", "0", "[0, 0]"), "kind is 0, expected margin, top-other or gate");
  refuse(rule(R"("gate")", "262145", "0", "[0, 0]"),
         "margin_weight is 262145, expected an integer from -262144 to 262144");
  refuse(rule(R"("gate")", "1", "-262145", "[0, 0]"),
         "other_weight is -262145, expected an integer from -262144 to 262144");
  refuse(rule(R"("gate")", "1.0", "0", "[0, 0]"),
         "margin_weight is 1.0, expected an integer from -262144 to 262144");
  refuse(rule(R"("gate")", "18446744073709551615", "0", "[0, 0]"),
         "margin_weight is 18446744073709551615, expected an integer from -262144 to 262144");
  refuse(rule(R"("gate")", "1", "0", "[0]"),
         "offsets is not a list of 2 integers, one a class of the little network");
  refuse(rule(R"("gate")", "1", "0", "7"),
         "offsets is not a list of 2 integers, one a class of the little network");
  refuse(rule(R"("gate")", "1", "0", "[0, 1125899906842625]"),
         "offset 1 is 1125899906842625, expected an integer from -1125899906842624 to "
         "1125899906842624");
  refuse(rule(R"("margin")", "2", "0", "[0, 0]"),
         "weights and offsets are not those of a margin score");
  refuse(rule(R"("top-other")", "0", "1", "[0, 1]"),
         "weights and offsets are not those of a top-other score");
}

}  // namespace
}  // namespace biglittle
