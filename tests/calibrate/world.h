// SPDX-License-Identifier: MIT
#pragma once

// A made-up world whose true risks are known for every threshold, to count how often a certificate
// is wrong.

#include <cstdint>

#include "calibrate/policy.h"
#include "calibrate/scores.h"
#include "core/random.h"

namespace biglittle::testing {

/// How the little network's wrong priority answers depend on its margin.
enum class Shape {
  well_ordered,             ///< rarer at larger margins
  flat,                     ///< the margin says nothing
  confidently_wrong_at_top  ///< nearly all at the largest 3 % of margins
};

/// Margins are uniform on 1 to 1000. A wrong answer is always another priority class: bag for shirt
/// and boot, boot for bag. Big is wrong on 0.2 % of the samples, whatever little says.
class World {
 public:
  /// `error_rate`: how often little calls a shirt or a boot a bag, over all margins.
  World(Shape shape, double error_rate) : shape_(shape), error_rate_(error_rate) {}

  Scores draw(std::int64_t n, Random& random) const;

  /// accuracy(big) - accuracy(system) at this threshold.
  double net_loss(std::int64_t threshold) const;
  /// P(local, answer is not boot | boot); bag's is 0.
  double miss(std::int64_t threshold) const;
  /// The larger excess over the bounds that are asked; above 0 a certificate would be wrong.
  double excess(std::int64_t threshold, const CalibrateOptions& options) const;

 private:
  double error_rate_at(double margin) const;

  Shape shape_;
  double error_rate_;
};

/// The rule without statistics: the smallest threshold of the grid whose measured risks keep the
/// bounds.
std::int64_t naive_threshold(const Scores& tune, const Scores& calibration,
                             const CalibrateOptions& options);

struct Violations {
  double certified = 0.0;  ///< share of draws with a true risk above its bound
  double naive = 0.0;
  double accepted = 0.0;  ///< share of draws in which something was certified
};

/// Calibrates on `draws` fresh draws of n tune and n calibration samples.
Violations simulate(const World& world, std::int64_t n, std::int64_t draws,
                    const CalibrateOptions& options);

/// delta and three standard errors of a share of `draws`.
double highest_plausible(double delta, std::int64_t draws);

}  // namespace biglittle::testing
