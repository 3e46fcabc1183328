// SPDX-License-Identifier: MIT
#pragma once

// A made-up world whose true risks are known for every choice of thresholds, to count how often a
// certificate is wrong. Its risks are defined here once more, apart from risk.h, on the joint
// distribution of truth and both answers.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "calibrate/calibrate_options.h"
#include "calibrate/rows.h"
#include "calibrate/scores.h"
#include "core/random.h"

namespace biglittle::testing {

inline constexpr std::int64_t kCoat = 3;  ///< a fourth big class; like shirt it is no priority
inline constexpr std::size_t kBigClasses = 4;
inline constexpr std::size_t kLittleClasses = 3;

/// Of shirt, bag, boot and coat, of which bag and boot are priority.
PriorityMap world_map();
const std::vector<std::string>& world_classes();

/// How often little's mistakes come at which score.
enum class Shape {
  well_ordered,             ///< rarer at higher scores
  flat,                     ///< the score says nothing
  confidently_wrong_at_top  ///< only at the highest 8 % of scores
};

/// Little gives `answer` to inputs of class `truth`, at `rate` over all scores.
struct Mistake {
  std::int64_t truth;   ///< big class
  std::int64_t answer;  ///< little class, not the right one
  Shape shape;
  double rate;
};

using Shares = std::array<double, kBigClasses>;

/// Local inputs by truth, little's answer and big's answer, as shares of all inputs.
struct LocalInputs {
  Shares of_class{};  ///< share of each class among all inputs, local or not
  std::array<std::array<Shares, kLittleClasses>, kBigClasses> local{};  ///< [truth][answer][big]
};

/// The share that is answered on the device.
double local_share(const LocalInputs& inputs);

/// The largest excess of a risk over its bound, among those asked; above 0 something is broken.
double excess(const LocalInputs& inputs, const CalibrateOptions& options);

/// Scores are uniform on 1 to kHighestScore, and 1 % of the answers are tied. Big errs on 0.2 % of
/// the inputs that little has right and on 10 % of the others.
class World {
 public:
  static constexpr std::int64_t kHighestScore = 1000;

  World(const Shares& of_class, const std::vector<Mistake>& mistakes);

  Scores draw(std::int64_t n, Random& random) const;

  /// The truth at `thresholds` [little classes], where classes come in the mix `of_class`.
  LocalInputs truth(std::span<const std::int64_t> thresholds, const Shares& of_class) const;
  const Shares& of_class() const { return of_class_; }

 private:
  using Chances = std::array<double, kLittleClasses>;

  std::int64_t draw_class(Random& random) const;

  Shares of_class_;
  std::vector<std::array<Chances, kBigClasses>> answer_;  ///< [score][truth][answer]
  /// P(answer, big's answer, untied, score >= s | truth): [s][answer][truth][big]
  std::vector<std::array<std::array<Shares, kBigClasses>, kLittleClasses>> above_;
};

}  // namespace biglittle::testing
