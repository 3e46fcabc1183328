// SPDX-License-Identifier: MIT
#include "calibrate/world.h"

#include <algorithm>
#include <cmath>

#include "calibrate/rows.h"

namespace biglittle::testing {
namespace {

constexpr std::int64_t kMargins = 1000;
constexpr double kBigErrorRate = 0.002;
constexpr double kShirtShare = 0.4;
constexpr double kBagShare = 0.3;
constexpr double kBootShare = 0.3;
constexpr double kTop = 0.97;  // where the confidently wrong margins begin

}  // namespace

double World::error_rate_at(double margin) const {
  const double x = margin / kMargins;
  switch (shape_) {
    case Shape::well_ordered:
      return 4.0 * error_rate_ * std::pow(1.0 - x, 3.0);
    case Shape::flat:
      return error_rate_;
    case Shape::confidently_wrong_at_top:
      return x > kTop ? error_rate_ / (1.0 - kTop) : 0.0;
  }
  return 0.0;
}

Scores World::draw(std::int64_t n, Random& random) const {
  Scores scores;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto margin = static_cast<std::int64_t>(1 + random.below(kMargins));
    const double u = random.uniform();
    const std::int64_t truth = u < kShirtShare               ? kShirt
                               : u < kShirtShare + kBagShare ? kBag
                                                             : kBoot;
    const bool wrong =
        truth != kBag && random.uniform() < error_rate_at(static_cast<double>(margin));
    const std::int64_t right_answer = truth == kShirt ? kOther
                                      : truth == kBag ? kLittleBag
                                                      : kLittleBoot;
    const bool big_wrong = random.uniform() < kBigErrorRate;
    add(scores, 1,
        {.margin = margin,
         .little = wrong ? kLittleBag : right_answer,
         .big = big_wrong ? (truth + 1) % 3 : truth,
         .truth = truth});
  }
  return scores;
}

double World::net_loss(std::int64_t threshold) const {
  double loss = 0.0;
  for (std::int64_t margin = threshold; margin <= kMargins; ++margin) {
    const double wrong = error_rate_at(static_cast<double>(margin));
    const double lost = (kShirtShare + kBootShare) * wrong * (1.0 - kBigErrorRate);
    const double gained = (kBagShare + kBootShare * (1.0 - wrong)) * kBigErrorRate;
    loss += (lost - gained) / kMargins;
  }
  return loss;
}

double World::miss(std::int64_t threshold) const {
  double missed = 0.0;
  for (std::int64_t margin = threshold; margin <= kMargins; ++margin) {
    missed += error_rate_at(static_cast<double>(margin)) / kMargins;
  }
  return missed;
}

double World::excess(std::int64_t threshold, const CalibrateOptions& options) const {
  double excess = -1.0;
  if (options.net_loss > 0.0) excess = std::max(excess, net_loss(threshold) - options.net_loss);
  if (options.miss > 0.0) excess = std::max(excess, miss(threshold) - options.miss);
  return excess;
}

std::int64_t naive_threshold(const Scores& tune, const Scores& calibration,
                             const CalibrateOptions& options) {
  const PriorityMap map = bag_and_boot();
  const std::vector<std::int64_t> big = map.big_of_priority();
  std::int64_t chosen = kAlwaysEscalate;
  for (const std::int64_t threshold : threshold_grid(tune, map, options.grid)) {
    double loss = 0.0;
    double missed[3] = {0.0, 0.0, 0.0};
    double of_class[3] = {0.0, 0.0, 0.0};
    for (std::size_t i = 0; i < calibration.margin.size(); ++i) {
      const auto truth = static_cast<std::size_t>(calibration.truth[i]);
      of_class[truth] += 1.0;
      if (calibration.little_class[i] == kOther || calibration.margin[i] < threshold) continue;
      const std::int64_t answer = big[static_cast<std::size_t>(calibration.little_class[i])];
      const bool wrong = answer != calibration.truth[i];
      loss += wrong - (calibration.big_class[i] != calibration.truth[i]);
      missed[truth] += wrong;
    }
    const bool keeps_loss =
        options.net_loss == 0.0 || loss <= options.net_loss * double(calibration.count());
    const bool keeps_miss =
        options.miss == 0.0 || (missed[kBag] <= options.miss * of_class[kBag] &&
                                missed[kBoot] <= options.miss * of_class[kBoot]);
    if (keeps_loss && keeps_miss) chosen = threshold;
  }
  return chosen;
}

Violations simulate(const World& world, std::int64_t n, std::int64_t draws,
                    const CalibrateOptions& options) {
  const PriorityMap map = bag_and_boot();
  Random random(2024, static_cast<std::uint64_t>(n));
  Violations sum;
  for (std::int64_t i = 0; i < draws; ++i) {
    const Scores tune = world.draw(n, random);
    const Scores calibration = world.draw(n, random);
    const EscalationPolicy policy = calibrate(tune, calibration, map, options);
    sum.accepted += policy.certificate.certified;
    sum.certified += world.excess(policy.threshold, options) > 0.0;
    sum.naive += world.excess(naive_threshold(tune, calibration, options), options) > 0.0;
  }
  const auto count = static_cast<double>(draws);
  return {sum.certified / count, sum.naive / count, sum.accepted / count};
}

double highest_plausible(double delta, std::int64_t draws) {
  return delta + 3.0 * std::sqrt(delta * (1.0 - delta) / static_cast<double>(draws));
}

}  // namespace biglittle::testing
