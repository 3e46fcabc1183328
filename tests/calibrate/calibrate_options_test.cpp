// SPDX-License-Identifier: MIT
#include "calibrate/calibrate_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "calibrate/rows.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using testing::expect_error;

const std::vector<std::string> kClasses = {"shirt", "bag", "boot"};

CalibrateOptions read(const std::string& text) {
  CalibrateOptions options;
  read_toml_text(text, "x.toml", "",
                 [&options](OptionVisitor& visitor) { describe(options, visitor); });
  return options;
}

std::string write(CalibrateOptions options) {
  return write_toml([&options](OptionVisitor& visitor) { describe(options, visitor); });
}

void check(const CalibrateOptions& options) {
  check_options(options, testing::bag_and_boot(), kClasses);
}

void expect_refused(const CalibrateOptions& options, const std::string& message) {
  expect_error(ErrorKind::config, message, [&] { check(options); });
}

void expect_refused(const std::string& text, const std::string& message) {
  expect_refused(read(text), message);
}

PriorityMap all_are_priorities() {
  const std::vector<std::string> all = {"all"};
  return resolve_priorities(all, kClasses);
}

constexpr const char* kEverything = R"(delta = 0.1
net_loss = 0.01
harm = 0.02
selective = 0.03
miss = 0.04
miss_of = { bag = 0.05 }
agreement = 0.06
budget = 0.5
dropped = 0.07
dropped_of = { boot = 0.08 }
score = "auto"
thresholds = "per-class"
other = "answer"
grid = 50
starts = 3
field_prior = { bag = 0.4, boot = 0.1 }
audit_fraction = 0.2
audit_level = 0.001
seed = 9
allow_uncertified = true

[cost]
bound = 0.09
table = { bag = { boot = 0.5, other = 1.0 } }
)";

TEST(CalibrateOptions, AreReadUnderTheirNames) {
  const CalibrateOptions options = read(kEverything);
  EXPECT_EQ(options.delta, 0.1);
  EXPECT_EQ(options.net_loss, 0.01);
  EXPECT_EQ(options.harm, 0.02);
  EXPECT_EQ(options.selective, 0.03);
  EXPECT_EQ(options.miss, 0.04);
  EXPECT_EQ(options.miss_of.at("bag"), 0.05);
  EXPECT_EQ(options.agreement, 0.06);
  EXPECT_EQ(options.budget, 0.5);
  EXPECT_EQ(options.dropped, 0.07);
  EXPECT_EQ(options.dropped_of.at("boot"), 0.08);
  EXPECT_EQ(options.cost.bound, 0.09);
  EXPECT_EQ(options.cost.table.at("bag").at("other"), 1.0);
  EXPECT_EQ(options.score, ScoreChoice::automatic);
  EXPECT_EQ(options.thresholds, ThresholdKind::per_class);
  EXPECT_EQ(options.other, OtherMode::answer);
  EXPECT_EQ(options.grid, 50);
  EXPECT_EQ(options.starts, 3);
  EXPECT_EQ(options.field_prior.at("boot"), 0.1);
  EXPECT_EQ(options.audit_fraction, 0.2);
  EXPECT_EQ(options.audit_level, 0.001);
  EXPECT_EQ(options.seed, 9);
  EXPECT_TRUE(options.allow_uncertified);
}

TEST(CalibrateOptions, AreWrittenAsTheyAreRead) {
  EXPECT_EQ(write(read(kEverything)), kEverything);
}

TEST(CheckOptions, TakesTheDefaultsAndEverythingAtOnce) {
  EXPECT_NO_THROW(check({}));
  EXPECT_NO_THROW(check(read(kEverything)));
}

TEST(AsksRisk, CountsEachRiskButNoBudget) {
  const auto asks = [](const std::string& text) {
    return asks_risk(read("net_loss = 0\n" + text));
  };
  EXPECT_TRUE(asks_risk({}));  // net_loss by default
  EXPECT_FALSE(asks(""));
  EXPECT_FALSE(asks("budget = 0.5"));
  EXPECT_FALSE(asks("miss_of = { bag = 0 }"));
  for (const std::string text :
       {"harm = 0.1", "selective = 0.1", "miss = 0.1", "miss_of = { bag = 0.1 }", "agreement = 0.1",
        "dropped = 0.1", "dropped_of = { bag = 0.1 }", "cost = { bound = 0.1 }"}) {
    EXPECT_TRUE(asks(text)) << text;
  }
}

TEST(CheckOptions, RefusesToCertifyNothing) {
  expect_refused("net_loss = 0\nbudget = 0.5",
                 "calibrate: no risk is asked; set one of net_loss, harm, selective, miss, "
                 "agreement, dropped or cost.bound above 0");
}

TEST(CheckOptions, RefusesNumbersOutsideTheirRange) {
  CalibrateOptions options;
  options.delta = 0.6;
  expect_refused(options, "calibrate.delta is 0.6, expected a number from 1e-06 to 0.5");
  options = {};
  options.net_loss = std::numeric_limits<double>::quiet_NaN();
  expect_refused(options, "calibrate.net_loss is nan, expected a number from 0 to 1");
  options = {};
  options.miss_of = {{"bag", -0.1}};
  expect_refused(options, "calibrate.miss_of.bag is -0.1, expected a number from 0 to 1");
  options = {};
  options.cost.table = {{"bag", {{"other", 2.0}}}};
  expect_refused(options, "calibrate.cost.table.bag.other is 2, expected a number from 0 to 1");
  options = {};
  options.starts = -1;
  expect_refused(options, "calibrate.starts is -1, expected an integer from 0 to 1000");
}

TEST(CheckOptions, RefusesNamesThatAreNoClassWithTheClosest) {
  expect_refused("miss_of = { bags = 0.1 }",
                 "calibrate.miss_of names 'bags', which is no priority class, expected bag or "
                 "boot, did you mean 'bag'?");
  expect_refused("miss_of = { shirt = 0.1 }",
                 "calibrate.miss_of names 'shirt', which is no priority class, expected bag or "
                 "boot");
  expect_refused("other = 'answer'\ndropped = 0.1\ndropped_of = { other = 0.1 }",
                 "calibrate.dropped_of names 'other', which is no priority class, expected bag or "
                 "boot");
  expect_refused("field_prior = { shirts = 0.1 }",
                 "calibrate.field_prior names 'shirts', which is no class, expected shirt, bag or "
                 "boot, did you mean 'shirt'?");
  expect_refused("cost = { bound = 0.1, table = { other = { bag = 1 } } }",
                 "calibrate.cost.table names 'other', which is no class, expected shirt, bag or "
                 "boot");
  expect_refused("cost = { bound = 0.1, table = { bag = { shirt = 1 } } }",
                 "calibrate.cost.table.bag names 'shirt', which is no answer of the little "
                 "network, expected bag, boot or other");
}

TEST(CheckOptions, RefusesDroppedWhereNothingIsDropped) {
  const std::string message =
      "calibrate.dropped is asked, but nothing is dropped while other is 'escalate'; set "
      "calibrate.other = \"answer\" or leave out dropped and dropped_of";
  expect_refused("dropped = 0.1", message);
  expect_refused("dropped_of = { bag = 0.1 }", message);
  EXPECT_NO_THROW(check(read("dropped_of = { bag = 0 }")));
}

TEST(CheckOptions, WantsABoundOnDroppedForEveryPriorityClassInFilterMode) {
  const std::string message =
      "calibrate.other is 'answer', but no bound says how many 'boot' may be dropped; set "
      "calibrate.dropped or calibrate.dropped_of above 0";
  expect_refused("other = 'answer'\ndropped_of = { bag = 0.1 }", message);
  expect_refused("other = 'answer'\ndropped = 0.1\ndropped_of = { boot = 0 }", message);
  EXPECT_NO_THROW(check(read("other = 'answer'\ndropped = 0.1")));
  EXPECT_NO_THROW(check(read("other = 'answer'\ndropped_of = { bag = 0.1, boot = 0.2 }")));
}

TEST(CheckOptions, RefusesWhatNeedsAnOtherWhereThereIsNone) {
  const auto refused = [](const std::string& text, const std::string& message) {
    expect_error(ErrorKind::config, message,
                 [&] { check_options(read(text), all_are_priorities(), kClasses); });
  };
  refused("other = 'answer'\ndropped = 0.1",
          "calibrate.other is 'answer', but every class is a priority class; use 'escalate'");
  refused("score = 'top-other'",
          "calibrate.score is 'top-other', but every class is a priority class; use 'margin' or "
          "'gate'");
  EXPECT_NO_THROW(check_options(read("score = 'auto'"), all_are_priorities(), kClasses));
}

TEST(CheckOptions, RefusesCostsThatSayNothing) {
  const std::string nothing =
      "calibrate.cost.bound is 0.1, but no answer costs anything; state costs in "
      "calibrate.cost.table";
  expect_refused("cost = { bound = 0.1 }", nothing);
  expect_refused("cost = { bound = 0.1, table = { bag = { boot = 0 } } }", nothing);
  EXPECT_NO_THROW(check(read("cost = { table = { bag = { boot = 1 } } }")));
}

TEST(CheckOptions, RefusesCostsOfRightAnswers) {
  expect_refused("cost = { bound = 0.1, table = { bag = { bag = 0.5 } } }",
                 "calibrate.cost.table.bag.bag is 0.5, but that answer is right, expected 0");
  expect_refused("cost = { bound = 0.1, table = { shirt = { other = 1 } } }",
                 "calibrate.cost.table.shirt.other is 1, but that answer is right, expected 0");
  EXPECT_NO_THROW(check(read("cost = { bound = 0.1, table = { bag = { bag = 0, boot = 0.1 } } }")));
}

TEST(CheckOptions, RefusesFieldPriorsThatAreNoShares) {
  expect_refused("field_prior = { shirt = 0.75, bag = 0.5 }",
                 "calibrate.field_prior sums to 1.25, expected at most 1");
  expect_refused("field_prior = { shirt = 0.25, bag = 0.25, boot = 0.25 }",
                 "calibrate.field_prior names every class but sums to 0.75, expected 1");
  EXPECT_NO_THROW(check(read("field_prior = { shirt = 0.75, bag = 0.25 }")));
  EXPECT_NO_THROW(check(read("field_prior = { shirt = 0.7, bag = 0.1, boot = 0.2 }")));
}

TEST(FieldShares, GivesWhatIsLeftToTheOthersAsInTune) {
  const std::vector<std::int64_t> counts = {300, 50, 100};
  const auto shares = [&](const std::string& prior) {
    return field_shares(read("field_prior = " + prior), kClasses, counts);
  };
  EXPECT_THAT(shares("{ bag = 0.2 }"),
              ElementsAre(DoubleNear(0.6, 1e-15), DoubleNear(0.2, 1e-15), DoubleNear(0.2, 1e-15)));
  EXPECT_THAT(shares("{ bag = 0.75, shirt = 0.25 }"), ElementsAre(0.25, 0.75, 0.0));
  EXPECT_THAT(shares("{ bag = 0 }"),
              ElementsAre(DoubleNear(0.75, 1e-15), 0.0, DoubleNear(0.25, 1e-15)));
  EXPECT_THAT(shares("{ shirt = 0.7, bag = 0.1, boot = 0.2 }"),
              ElementsAre(DoubleNear(0.7, 1e-15), DoubleNear(0.1, 1e-15), DoubleNear(0.2, 1e-15)));
}

TEST(FieldShares, RefusesARestThatNoClassCanTake) {
  const std::vector<std::int64_t> counts = {300, 0, 0};
  expect_error(ErrorKind::bad_data,
               "calibrate.field_prior leaves 0.25 to the classes it does not name, but tune has no "
               "sample of them; name every class",
               [&] { field_shares(read("field_prior = { shirt = 0.75 }"), kClasses, counts); });
}

}  // namespace
}  // namespace biglittle
