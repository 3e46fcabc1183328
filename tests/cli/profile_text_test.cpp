// SPDX-License-Identifier: MIT
#include "cli/profile_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace biglittle::testing {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Lt;
using ::testing::Not;

/// 10 steps of 100 samples on two threads in two seconds: 500 samples a second, 200 ms a step.
TrainingProfile profile() {
  TrainingProfile profile;
  profile.steps = 10;
  profile.batch_size = 100;
  profile.threads = 2;
  profile.precision = Precision::fp32;
  profile.seconds = 2.0;
  profile.parts = {{"loss", 0.5}, {"pooling", 0.0}, {"convolution forward", 3.0}, {"other", 0.5}};
  profile.step_operations = 6e9;  // 60e9 in all: 30 GFLOP/s
  profile.peak_gflops = 120.0;
  return profile;
}

TEST(ProfileText, ListsPartsTheCostliestFirstForOneThread) {
  const std::string text = profile_text(profile());
  EXPECT_THAT(text, HasSubstr("10 steps of 100 samples, fp32, 2 threads"));
  EXPECT_THAT(text, ContainsRegex("convolution forward +150.00 +75.0 %"));
  EXPECT_THAT(text, ContainsRegex("loss +25.00 +12.5 %"));
  EXPECT_THAT(text, ContainsRegex("step +200.00 +100.0 %"));
  EXPECT_THAT(text.find("convolution forward"), Lt(text.find("loss")));
  EXPECT_THAT(text, Not(HasSubstr("pooling"))) << "took no time";
}

TEST(ProfileText, ComparesWithThePeak) {
  const std::string text = profile_text(profile());
  EXPECT_THAT(text, HasSubstr("500 samples/s"));
  EXPECT_THAT(text, HasSubstr("30 GFLOP/s, 25.0 % of the 120"));
}

TEST(ProfileText, TellsProgramsTheSame) {
  const Json json = to_json(profile());
  EXPECT_DOUBLE_EQ(json["samples_per_second"].get<double>(), 500.0);
  EXPECT_DOUBLE_EQ(json["gflops"].get<double>(), 30.0);
  EXPECT_EQ(json["precision"], "fp32");
  EXPECT_EQ(json["parts"]["convolution forward"], 3.0);
}

}  // namespace
}  // namespace biglittle::testing
