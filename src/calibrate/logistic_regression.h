// SPDX-License-Identifier: MIT
#pragma once

// Ridge-penalized logistic regression for a handful of coefficients and many samples. It learns
// scores and thresholds on tune; no guarantee rests on it.

#include <cstdint>
#include <span>
#include <vector>

namespace biglittle {

/// Samples whose features are mostly zero: each row names its few others.
struct LogisticData {
  std::int64_t columns = 0;          ///< coefficients
  std::int64_t width = 0;            ///< features a row states
  std::vector<std::int32_t> column;  ///< [N, width], no column twice in a row
  std::vector<double> value;         ///< [N, width]
  std::vector<bool> event;           ///< [N]

  std::int64_t rows() const { return static_cast<std::int64_t>(event.size()); }
};

/// The coefficients b [columns] that minimize
///   sum_i log(1 + exp(eta_i)) - event_i eta_i + sum_j ridge_j b_j^2 / 2,   eta = features b,
/// by iteratively re-weighted least squares, that is Newton's method (McCullagh & Nelder 1989,
/// section 2.5; with a ridge: le Cessie & van Houwelingen 1992), a step being halved while it does
/// not lower the sum. `ridge` >= 0; a column without a penalty must see both outcomes.
/// Deterministic.
std::vector<double> fit_logistic(const LogisticData& data, std::span<const double> ridge);

/// By which a feature is brought to mean 0 and variance 1.
struct Spread {
  double mean = 0.0;
  double deviation = 0.0;  ///< exactly 0 where all values are the same, or there are none
};
Spread spread_of(std::span<const double> values);

}  // namespace biglittle
