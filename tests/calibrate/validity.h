// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <string>

#include "calibrate/trials.h"

namespace biglittle::testing {

/// How GoogleTest calls a trial: letters, digits and underscores.
inline std::string test_name(const ::testing::TestParamInfo<Trial>& info) {
  std::string name = info.param.name + " in " + std::string(name_of(info.param.shape));
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

/// Certificates may break their promise in delta of the draws; the rule without statistics does in
/// many more, or the draws would show nothing.
inline void expect_valid(const Trial& trial, std::int64_t n, std::int64_t draws) {
  const Violations found = simulate(trial, n, draws);
  EXPECT_LE(found.certified, highest_plausible(trial.options.delta, draws)) << "n = " << n;
  EXPECT_GT(found.naive, 0.2) << "n = " << n;
}

}  // namespace biglittle::testing
