// SPDX-License-Identifier: MIT
#pragma once

// A confidence band for a whole curve of accuracies: it holds every point at once, so that a reader
// may look along the curve and pick.

#include <cstdint>
#include <span>
#include <vector>

namespace biglittle {

/// One sample along a path of steps: at steps before `first_local_step` the system is right where
/// `before` is, from it on where `after` is.
struct SampleAlongPath {
  std::int64_t first_local_step = 0;
  bool before = false;
  bool after = false;
};

/// Limits at step -1 and at every step of the path: [steps + 1].
struct Band {
  double critical = 0.0;
  std::vector<double> low;
  std::vector<double> high;
};

struct BandOptions {
  double level = 0.95;
  std::int64_t resamples = 1000;
  std::uint64_t seed = 1;
};

/// Plug-in sup-t band by the bootstrap (Montiel Olea & Plagborg-Moller, "Simultaneous confidence
/// bands: theory, implementation, and an application to SVARs", 2019, algorithm 2 with the
/// bootstrap's draws): samples are drawn with replacement, the critical value c is the quantile at
/// `level` of max over steps of |accuracy* - accuracy| / standard error, and the band at each step
/// is the score interval (Wilson 1927) with c standard errors, which unlike accuracy +- c standard
/// errors stays inside [0, 1] and does not close at 0 and 1. c is not below the 1.96 of a single
/// step (at level 0.95). A sample changes the accuracy at one step at most, so a draw costs one
/// count a sample and one sum a step. Deterministic. Throws Error{internal} for no samples.
Band simultaneous_band(std::span<const SampleAlongPath> samples, std::int64_t steps,
                       const BandOptions& options);

}  // namespace biglittle
