// SPDX-License-Identifier: MIT
#include "data/splits.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/random.h"

namespace biglittle {
namespace {

std::vector<std::int64_t> count_classes(std::span<const std::int64_t> labels,
                                        const std::vector<std::vector<std::int64_t>>& groups,
                                        std::int64_t classes) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes), 0);
  for (const auto& group : groups) {
    for (const std::int64_t row : group) {
      ++counts[static_cast<std::size_t>(labels[static_cast<std::size_t>(row)])];
    }
  }
  return counts;
}

/// Takes the group's rows off the quotas of their classes, wholly or not at all.
bool take(std::span<const std::int64_t> labels, std::span<const std::int64_t> group,
          std::vector<std::int64_t>& quotas) {
  for (std::size_t taken = 0; taken < group.size(); ++taken) {
    const auto label = labels[static_cast<std::size_t>(group[taken])];
    if (quotas[static_cast<std::size_t>(label)]-- > 0) continue;
    for (const std::int64_t row : group.first(taken + 1)) {
      ++quotas[static_cast<std::size_t>(labels[static_cast<std::size_t>(row)])];
    }
    return false;
  }
  return true;
}

}  // namespace

std::vector<std::int64_t> class_quotas(std::span<const std::int64_t> class_counts,
                                       double fraction) {
  const std::int64_t rows =
      std::accumulate(class_counts.begin(), class_counts.end(), std::int64_t{0});
  std::vector<std::int64_t> quotas;
  std::vector<double> remainders;
  std::int64_t missing = std::llround(fraction * static_cast<double>(rows));
  for (const std::int64_t count : class_counts) {
    const double exact = fraction * static_cast<double>(count);
    quotas.push_back(static_cast<std::int64_t>(std::floor(exact)));
    remainders.push_back(exact - std::floor(exact));
    missing -= quotas.back();
  }
  std::vector<std::size_t> order(quotas.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
    return remainders[left] > remainders[right];
  });
  for (const std::size_t index : order) {
    if (missing-- <= 0) break;
    ++quotas[index];
  }
  return quotas;
}

SplitRows split_rows(std::span<const std::int64_t> labels, std::int64_t classes,
                     std::vector<std::vector<std::int64_t>> groups, const SplitFractions& fractions,
                     std::uint64_t seed) {
  const std::vector<std::int64_t> counts = count_classes(labels, groups, classes);
  std::vector<std::int64_t> tune_left = class_quotas(counts, fractions.tune);
  std::vector<std::int64_t> calibration_left = class_quotas(counts, fractions.calibration);
  Random(seed).shuffle(std::span(groups));
  SplitRows rows;
  for (const auto& group : groups) {
    std::vector<std::int64_t>& chosen = take(labels, group, tune_left)          ? rows.tune
                                        : take(labels, group, calibration_left) ? rows.calibration
                                                                                : rows.train;
    chosen.insert(chosen.end(), group.begin(), group.end());
  }
  for (auto* list : {&rows.train, &rows.tune, &rows.calibration}) {
    std::sort(list->begin(), list->end());
  }
  return rows;
}

}  // namespace biglittle
