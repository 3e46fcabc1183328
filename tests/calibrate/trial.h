// SPDX-License-Identifier: MIT
#pragma once

// One question put to a certificate in a made-up world, and how often the answer is wrong over many
// draws.

#include <cstdint>
#include <string>
#include <vector>

#include "calibrate/policy.h"
#include "calibrate/world.h"

namespace biglittle::testing {

/// A certificate asked for in a world.
struct Trial {
  std::string name;
  Shape shape = Shape::well_ordered;
  World world;
  CalibrateOptions options;
  Shares field{};              ///< the mix of classes the statements are about
  bool corrects_field = true;  ///< false: the search is not told that `field` is not the data's mix
};

/// What is drawn to decide on: n tune and n calibration samples, and the path that tune gives.
struct TrialDraw {
  SearchPlan plan;
  Scores calibration;
};
TrialDraw draw(const Trial& trial, std::int64_t n, std::int64_t index);

/// The rule without statistics: the last step of the path whose measured risks keep the bounds; -1
/// for none.
std::int64_t naive_step(const Trial& trial, const TrialDraw& drawn);

/// What came of one draw; nothing chosen breaks no promise.
struct Outcome {
  bool certified = false;
  bool certified_violates = false;
  bool naive_violates = false;
  double local_share = 0.0;  ///< true share answered on the device under the certificate
};
Outcome decide(const Trial& trial, const TrialDraw& drawn);

/// Over many draws, as shares.
struct Violations {
  double certified = 0.0;  ///< certificates given whose true risk is above a bound
  double naive = 0.0;
  double given = 0.0;        ///< draws in which something was certified
  double local_share = 0.0;  ///< mean over all draws
};
/// Draws 0 to draws - 1, on every core; the same figures on any number of them.
Violations simulate(const Trial& trial, std::int64_t n, std::int64_t draws);

/// delta and three standard errors of a share of `draws`.
double highest_plausible(double delta, std::int64_t draws);

}  // namespace biglittle::testing
