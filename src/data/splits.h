// SPDX-License-Identifier: MIT
#pragma once

// Which rows of a training part become train, tune and calibration: seeded, class by class, copies
// of one sample never apart.

#include <cstdint>
#include <span>
#include <vector>

namespace biglittle {

/// Of the labelled rows, each ascending; together they are all rows, each once.
struct SplitRows {
  std::vector<std::int64_t> train;
  std::vector<std::int64_t> tune;
  std::vector<std::int64_t> calibration;
};

struct SplitFractions {
  double tune = 0.1;
  double calibration = 0.1;
};

/// How many rows of each class a fraction takes: in total round(fraction * rows), per class
/// floor(fraction * count), and one more for the largest remainders (the lower class on a tie).
std::vector<std::int64_t> class_quotas(std::span<const std::int64_t> class_counts, double fraction);

/// Distributes groups of rows, each wholly into one split. Groups come in a seeded order and go to
/// tune while its quota of their class has room, then to calibration, then to train. The quotas are
/// met exactly as long as each class has enough groups of one row. `labels` are in [0, classes).
SplitRows split_rows(std::span<const std::int64_t> labels, std::int64_t classes,
                     std::vector<std::vector<std::int64_t>> groups, const SplitFractions& fractions,
                     std::uint64_t seed);

}  // namespace biglittle
