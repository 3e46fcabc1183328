// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "core/options.h"
#include "core/sample_options.h"

namespace biglittle {
namespace {

using testing::describer;
using testing::Sample;

Sample round_trip(Sample sample) {
  Sample read;
  read_toml_text(write_toml(describer(sample)), "x.toml", "", describer(read));
  return read;
}

// "ema" is declared behind the section "train" and must stand before it to belong to [big].
TEST(WriteToml, WritesFieldsBeforeSectionsInDeclaredOrder) {
  Sample sample;
  sample.priority = {"Sneaker", "Bag"};
  EXPECT_EQ(write_toml(describer(sample)), R"(name = "run"
data = ""
priority = ["Sneaker", "Bag"]
seed = 1
scale = 1.0
shares = {}
costs = {}

[big]
widths = [16, 32]
ema = false

[big.train]
epochs = 10
rate = 0.1
method = "distill"
)");
}

TEST(WriteToml, PrecedesOptionsWithHelpOnRequest) {
  Sample sample;
  EXPECT_EQ(write_toml(describer(sample), TomlComments::help), R"(# Names the run (a string)
name = "run"
# The dataset (a path)
data = ""
# Classes that matter (a list of strings)
priority = []
# Of everything random (an integer of at least 0)
seed = 1
# A factor (a number)
scale = 1.0
# Share of each class (a table, each entry a number from 0 to 1)
shares = {}
# Cost of each mistake (a table of tables, each entry a number from 0 to 1)
costs = {}

# The big network
[big]
# Channels of each stage (a list, each an integer from 1 to 512)
widths = [16, 32]
# Average the weights (true or false)
ema = false

# How it is trained
[big.train]
# Passes over the data (an integer from 1 to 100000)
epochs = 10
# Step size (a number from 0 to 1)
rate = 0.1
# Targets ('retrain' or 'distill')
method = "distill"
)");
}

TEST(WriteToml, BeginsWithTheFirstSectionWhenTheRootHasNoFields) {
  testing::BigSample big;
  const std::string text = write_toml(
      [&big](OptionVisitor& visitor) { visitor.section("big", big, "The big network"); });
  EXPECT_TRUE(text.starts_with("[big]\nwidths")) << text;
}

TEST(WriteToml, RoundTripsWhatIsHardToSpell) {
  Sample sample;
  sample.name = "quote \" backslash \\ tab \t line \n return \r bell \a delete \x7f ä 'x' # no";
  sample.data = "a folder/\"file\".h5";
  sample.priority = {"", "]", "a, b"};
  sample.seed = std::numeric_limits<std::int64_t>::max();
  sample.big.widths = {};
  EXPECT_EQ(round_trip(sample), sample);
}

TEST(WriteToml, RoundTripsDoublesInTheShortestForm) {
  Sample sample;
  for (const auto& [value, text] :
       std::initializer_list<std::pair<double, std::string>>{{0.1, "0.1"},
                                                             {3.0, "3.0"},
                                                             {-0.0, "-0.0"},
                                                             {1e21, "1e+21"},
                                                             {5e-324, "5e-324"},
                                                             {1.0 / 3.0, "0.3333333333333333"},
                                                             {123456789.0, "123456789.0"},
                                                             {-1.5e-7, "-1.5e-07"}}) {
    sample.scale = value;
    EXPECT_NE(write_toml(describer(sample)).find("\nscale = " + text + "\n"), std::string::npos)
        << text << " is missing in\n"
        << write_toml(describer(sample));
    EXPECT_EQ(round_trip(sample).scale, value);
  }
  sample.scale = -std::numeric_limits<double>::infinity();
  EXPECT_EQ(round_trip(sample), sample);
}

TEST(WriteToml, CanBeReadTwiceWithTheSameResult) {
  Sample sample;
  sample.big.train.rate = 0.7;
  const std::string text = write_toml(describer(sample));
  Sample read = round_trip(sample);
  EXPECT_EQ(write_toml(describer(read)), text);
}

// Help is printed from a copy that ends with the call.
TEST(WriteToml, WorksOnATemporaryCopy) {
  const std::string text = write_toml([](OptionVisitor& visitor) {
    Sample copy;
    describe(copy, visitor);
  });
  Sample sample;
  EXPECT_EQ(text, write_toml(describer(sample)));
}

TEST(NameOf, IsTheConfiguredSpelling) {
  EXPECT_EQ(name_of(testing::Method::retrain), "retrain");
  EXPECT_EQ(name_of(testing::Method::distill), "distill");
}

}  // namespace
}  // namespace biglittle
