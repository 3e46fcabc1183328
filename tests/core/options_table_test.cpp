// SPDX-License-Identifier: MIT
// Tables of numbers under names that the user chooses.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/options.h"
#include "core/sample_options.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using testing::describer;
using ::testing::ElementsAre;
using testing::expect_error;
using ::testing::IsEmpty;
using ::testing::Pair;
using testing::Sample;

Sample read(const std::string& text) {
  Sample sample;
  read_toml_text(text, "x.toml", "", describer(sample));
  return sample;
}

void expect_refused(const std::string& text, const std::string& message) {
  expect_error(ErrorKind::config, message, [&] { read(text); });
}

void assign(Sample& sample, const std::string& assignment) {
  apply_assignment(assignment, describer(sample));
}

void expect_assignment_refused(const std::string& assignment, const std::string& message) {
  Sample sample;
  expect_error(ErrorKind::config, message, [&] { assign(sample, assignment); });
}

Sample round_trip(Sample sample) {
  Sample again;
  read_toml_text(write_toml(describer(sample)), "x.toml", "", describer(again));
  return again;
}

TEST(ReadToml, TakesTablesOfNumbersInEveryForm) {
  const auto shares = ElementsAre(Pair("Ankle boot", 0.25), Pair("Bag", 1.0));
  EXPECT_THAT(read("shares = { Bag = 1, \"Ankle boot\" = 0.25 }").shares, shares);
  EXPECT_THAT(read("[shares]\nBag = 1\n'Ankle boot' = 0.25").shares, shares);
  EXPECT_THAT(read("shares.Bag = 1\nshares.\"Ankle boot\" = 0.25").shares, shares);
  EXPECT_THAT(read("shares = {}").shares, IsEmpty());
}

TEST(ReadToml, TakesTablesOfTablesInEveryForm) {
  const auto costs = ElementsAre(Pair("Bag", ElementsAre(Pair("other", 1.0))),
                                 Pair("Coat", ElementsAre(Pair("Bag", 0.5), Pair("other", 0.0))));
  EXPECT_THAT(read("costs = { Bag = { other = 1.0 }, Coat = { Bag = 0.5, other = 0 } }").costs,
              costs);
  EXPECT_THAT(read("[costs.Bag]\nother = 1.0\n[costs.Coat]\nBag = 0.5\nother = 0").costs, costs);
  EXPECT_THAT(read("[costs]\nBag.other = 1.0\nCoat = { Bag = 0.5, other = 0 }").costs, costs);
  EXPECT_THAT(read("costs.Bag = {}").costs, ElementsAre(Pair("Bag", IsEmpty())));
}

TEST(ReadToml, AnInlineTableStatesTheWholeAndADottedKeyOneEntry) {
  Sample sample;
  sample.shares = {{"a", 0.1}, {"b", 0.2}};
  sample.costs = {{"a", {{"x", 0.1}, {"y", 0.2}}}, {"b", {{"x", 0.3}}}};
  const auto set = [&sample](const std::string& text) {
    read_toml_text(text, "x.toml", "", describer(sample));
  };
  set("shares.b = 0.3\ncosts.a.y = 0.4\ncosts.b = { z = 0.5 }");
  EXPECT_THAT(sample.shares, ElementsAre(Pair("a", 0.1), Pair("b", 0.3)));
  EXPECT_THAT(sample.costs, ElementsAre(Pair("a", ElementsAre(Pair("x", 0.1), Pair("y", 0.4))),
                                        Pair("b", ElementsAre(Pair("z", 0.5)))));
  set("shares = { c = 1.0 }\ncosts = {}");
  EXPECT_THAT(sample.shares, ElementsAre(Pair("c", 1.0)));
  EXPECT_THAT(sample.costs, IsEmpty());
}

TEST(ReadToml, RefusesTablesOfSomethingElse) {
  const std::string rate = ", expected a number from 0 to 1";
  expect_refused("shares = 1",
                 "x.toml:1:10: shares is 1, expected a table, each entry a number from 0 to 1");
  expect_refused("[shares]\nBag = 'a'", "x.toml:2:7: shares.Bag is 'a'" + rate);
  expect_refused("shares = { 'Ankle boot' = true }",
                 "x.toml:1:27: shares.\"Ankle boot\" is true" + rate);
  expect_refused("shares.Bag.Coat = 1", "x.toml:1:8: shares.Bag is a section" + rate);
  expect_refused("costs = []",
                 "x.toml:1:9: costs is a list, expected a table of tables, each entry a number "
                 "from 0 to 1");
  expect_refused("costs.Bag = 1",
                 "x.toml:1:13: costs.Bag is 1, expected a table, each entry a number from 0 to 1");
  expect_refused("costs.Bag.\"a\\nb\" = 'x'", "x.toml:1:20: costs.Bag.\"a\\nb\" is 'x'" + rate);
}

TEST(ReadToml, RefusesTableEntriesOutsideTheirRangeOnBothSides) {
  EXPECT_THAT(read("shares = { a = 0, b = 1 }").shares,
              ElementsAre(Pair("a", 0.0), Pair("b", 1.0)));
  const std::string rate = ", expected a number from 0 to 1";
  expect_refused("shares = { a = -0.01 }", "x.toml:1:16: shares.a is -0.01" + rate);
  expect_refused("shares = { a = 1.01 }", "x.toml:1:16: shares.a is 1.01" + rate);
  expect_refused("shares = { a = nan }", "x.toml:1:16: shares.a is nan" + rate);
  expect_refused("[costs.a]\nb = 2", "x.toml:2:5: costs.a.b is 2" + rate);
}

TEST(ApplyAssignment, SetsOneEntryOfATableOrAllOfIt) {
  Sample sample;
  assign(sample, "shares.Sneaker=0.4");
  assign(sample, "shares.\"Ankle boot\"=0.1");
  assign(sample, "costs.Bag.other=1");
  assign(sample, "costs.Bag.Coat=0.5");
  EXPECT_THAT(sample.shares, ElementsAre(Pair("Ankle boot", 0.1), Pair("Sneaker", 0.4)));
  EXPECT_THAT(sample.costs,
              ElementsAre(Pair("Bag", ElementsAre(Pair("Coat", 0.5), Pair("other", 1.0)))));
  assign(sample, "shares={Bag=0.2}");
  assign(sample, "costs.Bag={Coat=0.3}");
  EXPECT_THAT(sample.shares, ElementsAre(Pair("Bag", 0.2)));
  EXPECT_THAT(sample.costs, ElementsAre(Pair("Bag", ElementsAre(Pair("Coat", 0.3)))));
  assign(sample, "shares={}");
  EXPECT_THAT(sample.shares, IsEmpty());
}

TEST(ApplyAssignment, NamesItselfInMessagesAboutTables) {
  expect_assignment_refused("shares.Bag=2",
                            "--set shares.Bag=2: shares.Bag is 2, expected a number from 0 to 1");
  expect_assignment_refused("share.Bag=1",
                            "--set share.Bag=1: unknown key 'share', did you mean 'shares'?");
}

TEST(WriteToml, WritesTablesInTheOrderOfTheirKeysAndQuotesWhatIsNotBare) {
  Sample sample;
  sample.shares = {{"b-1_X", 0.25}, {"a b", 1.0}, {"9", 0.5}};
  sample.costs = {{"T-shirt/top", {{"Bag", 1.0}, {"other", 0.1}}}, {"Bag", {}}};
  const std::string text = write_toml(describer(sample));
  EXPECT_NE(text.find("\nshares = { 9 = 0.5, \"a b\" = 1.0, b-1_X = 0.25 }\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("\ncosts = { Bag = {}, \"T-shirt/top\" = { Bag = 1.0, other = 0.1 } }\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(round_trip(sample), sample);
}

TEST(WriteToml, RoundTripsKeysThatAreHardToSpell) {
  Sample sample;
  for (const std::string key :
       {"", " ", "a.b", "a\"b", "\\", "line\nbreak", "\x7f", "ä", "=", "#"}) {
    sample.shares[key] = 0.5;
    sample.costs[key] = {{key, 1.0 / 3.0}};
  }
  EXPECT_EQ(round_trip(sample), sample);
}

}  // namespace
}  // namespace biglittle
