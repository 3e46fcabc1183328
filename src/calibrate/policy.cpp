// SPDX-License-Identifier: MIT
#include "calibrate/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "calibrate/tests.h"
#include "core/error.h"

namespace biglittle {

void describe(CalibrateOptions& options, OptionVisitor& visitor) {
  visitor.field("delta", options.delta, RealRange{1e-6, 0.5},
                "the certificate may fail for this share of calibration draws");
  visitor.field("net_loss", options.net_loss, RealRange{0.0, 0.5},
                "certify accuracy(big) - accuracy(system) <= this; 0: not asked");
  visitor.field("miss", options.miss, RealRange{0.0, 0.5},
                "certify, for every priority class, that at most this share of its inputs gets a "
                "wrong answer on the device; 0: not asked");
  visitor.field("grid", options.grid, IntRange{1, 100000},
                "at most this many thresholds are tried, fixed on tune");
  visitor.field("seed", options.seed, IntRange{0}, "seed of the sample order in the net-loss test");
  visitor.field("allow_uncertified", options.allow_uncertified,
                "write a policy that escalates everything when nothing can be certified");
}

Rate make_rate(std::int64_t count, std::int64_t n) {
  constexpr double kEachSide = 0.025;
  Rate rate;
  rate.count = count;
  rate.n = n;
  rate.value = n == 0 ? 0.0 : static_cast<double>(count) / static_cast<double>(n);
  rate.low = clopper_pearson_lower(count, n, kEachSide);
  rate.high = clopper_pearson_upper(count, n, kEachSide);
  return rate;
}

std::vector<std::int64_t> threshold_grid(const Scores& tune, const PriorityMap& map,
                                         std::int64_t size) {
  std::vector<std::int64_t> margins;
  for (std::int64_t row = 0; row < tune.count(); ++row) {
    if (!answers_locally(tune, row, 1, map)) continue;
    // A margin beyond every threshold counts as the largest threshold that can be set.
    margins.push_back(std::min(tune.margin[static_cast<std::size_t>(row)], kAlwaysEscalate - 1));
  }
  std::ranges::sort(margins, std::greater{});
  std::vector<std::int64_t> grid;
  const std::int64_t count = std::ssize(margins);
  for (std::int64_t step = 1; step < size && count > 0; ++step) {
    const std::int64_t local = (step * count + size - 1) / size;  // about step / size of them
    grid.push_back(margins[static_cast<std::size_t>(local - 1)]);
  }
  grid.push_back(1);
  const auto repeated = std::ranges::unique(grid);
  grid.erase(repeated.begin(), repeated.end());
  return grid;
}

}  // namespace biglittle
