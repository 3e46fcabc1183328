// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "core/options.h"
#include "core/sample_options.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using testing::describer;
using testing::expect_error;
using testing::Sample;

void expect_out_of_range(Sample sample, const std::string& message) {
  expect_error(ErrorKind::config, message, [&] { check_ranges(describer(sample), "demo"); });
}

TEST(CheckRanges, TakesTheEndsOfEveryRange) {
  Sample sample;
  sample.seed = 0;
  sample.scale = -std::numeric_limits<double>::infinity();
  sample.shares = {{"a", 0.0}, {"b", 1.0}};
  sample.costs = {{"a", {{"b", 0.0}}}};
  sample.big.widths = {1, 512};
  EXPECT_NO_THROW(check_ranges(describer(sample), "demo"));
}

TEST(CheckRanges, NamesANumberOutsideItsRange) {
  Sample sample;
  sample.seed = -1;
  expect_out_of_range(sample, "demo.seed is -1, expected an integer of at least 0");
  sample = {};
  sample.scale = std::numeric_limits<double>::quiet_NaN();
  expect_out_of_range(sample, "demo.scale is nan, expected a number");
  sample = {};
  sample.big.widths = {1, 513};
  expect_out_of_range(sample, "demo.big.widths is 513, expected an integer from 1 to 512");
  sample = {};
  sample.shares = {{"Ankle boot", 1.5}};
  expect_out_of_range(sample, "demo.shares.\"Ankle boot\" is 1.5, expected a number from 0 to 1");
  sample = {};
  sample.costs = {{"a", {{"b", -0.5}}}};
  expect_out_of_range(sample, "demo.costs.a.b is -0.5, expected a number from 0 to 1");
  sample = {};
  sample.seed = -1;
  expect_error(ErrorKind::config, "seed is -1, expected an integer of at least 0",
               [&] { check_ranges(describer(sample), ""); });
}

}  // namespace
}  // namespace biglittle
