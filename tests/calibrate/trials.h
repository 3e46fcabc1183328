// SPDX-License-Identifier: MIT
#pragma once

// The trials of the certificate: every risk, alone and combined, in every shape of world, with the
// mistakes so frequent that the bound lies inside what thresholds can reach. Shared by the tests,
// which draw little, and by the soak, which draws much.

#include <cstdint>
#include <iosfwd>
#include <string_view>
#include <vector>

#include "calibrate/trial.h"

namespace biglittle::testing {

/// Sizes of the calibration sample that validity is shown for.
inline constexpr std::int64_t kSampleSizes[] = {500, 2000, 10000};

std::string_view name_of(Shape shape);

/// One for each risk, combination, kind of threshold and mode, in each shape; a combination of
/// shapes where classes differ. All of them must be valid.
std::vector<Trial> certificate_trials();

/// Trials about a field whose mix is not the data's, which the search is not told: not valid.
std::vector<Trial> untold_field_trials();

/// `selective` alone, bound 5 %. Where scores order mistakes the bound is reached half-way; else
/// everything could stay local at half of it.
Trial coverage_trial(Shape shape);

/// For GoogleTest, which would print the bytes.
void PrintTo(const Trial& trial, std::ostream* out);

}  // namespace biglittle::testing
