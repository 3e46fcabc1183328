// SPDX-License-Identifier: MIT
#include "calibrate/answer_order.h"

#include <algorithm>

#include "calibrate/logistic_regression.h"

namespace biglittle {
namespace {

// As in the gate: a normal prior of unit variance on coefficients of standardized scores.
constexpr double kRidge = 1.0;

/// Rows whose answer is an untied priority class.
std::vector<std::int64_t> priority_rows(const Scores& tune, const PriorityMap& map) {
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < tune.count(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    if (tune.little_class[at] < map.priorities() && tune.score[at] > kTieScore) rows.push_back(row);
  }
  return rows;
}

Spread spread_of_scores(const Scores& tune, const std::vector<std::int64_t>& rows) {
  std::vector<double> scores;
  for (const std::int64_t row : rows) {
    scores.push_back(static_cast<double>(tune.score[static_cast<std::size_t>(row)]));
  }
  return spread_of(scores);
}

/// Coefficients of "the answer is wrong": common intercept and slope, then the deviations of each
/// priority class's intercept, then of its slope.
std::vector<double> fit_risks(const Scores& tune, const PriorityMap& map,
                              const std::vector<std::int64_t>& rows, const std::vector<bool>& wrong,
                              const Spread& spread) {
  LogisticData data;
  data.columns = 2 + 2 * map.priorities();
  data.width = 4;
  data.event = wrong;
  for (const std::int64_t row : rows) {
    const auto at = static_cast<std::size_t>(row);
    const auto answer = static_cast<std::int32_t>(tune.little_class[at]);
    const double z = (static_cast<double>(tune.score[at]) - spread.mean) / spread.deviation;
    const auto classes = static_cast<std::int32_t>(map.priorities());
    data.column.insert(data.column.end(), {0, 1, 2 + answer, 2 + classes + answer});
    data.value.insert(data.value.end(), {1.0, z, 1.0, z});
  }
  std::vector<double> ridge(static_cast<std::size_t>(data.columns), kRidge);
  ridge.front() = 0.0;
  return fit_logistic(data, ridge);
}

}  // namespace

std::int64_t RiskLine::threshold_at(double level, std::int64_t lowest) const {
  std::int64_t low = lowest;
  std::int64_t high = kAlwaysEscalate;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (at(middle) <= level) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

std::vector<RiskLine> risk_lines(const Scores& tune, const PriorityMap& map, ThresholdKind kind) {
  std::vector<RiskLine> lines(static_cast<std::size_t>(map.classes()));
  if (kind == ThresholdKind::one) return lines;
  const std::vector<std::int64_t> rows = priority_rows(tune, map);
  std::vector<bool> wrong;
  for (const std::int64_t row : rows) {
    const auto at = static_cast<std::size_t>(row);
    const std::int64_t truth = map.little_of_big[static_cast<std::size_t>(tune.truth[at])];
    wrong.push_back(truth != tune.little_class[at]);
  }
  const std::int64_t events = std::ranges::count(wrong, true);
  const Spread spread = spread_of_scores(tune, rows);
  // Without both outcomes, or with one score for all, no class can be told from another.
  if (events == 0 || events == std::ssize(wrong) || spread.deviation == 0.0) return lines;

  const std::vector<double> fitted = fit_risks(tune, map, rows, wrong, spread);
  const double common_slope = fitted[1];
  if (common_slope >= 0.0) return lines;
  const auto priorities = static_cast<std::size_t>(map.priorities());
  for (std::size_t c = 0; c < priorities; ++c) {
    const double own_slope = common_slope + fitted[2 + priorities + c];
    RiskLine& line = lines[c];
    line.slope = (own_slope < 0.0 ? own_slope : common_slope) / spread.deviation;
    line.intercept = fitted[0] + fitted[2 + c] - line.slope * spread.mean;
  }
  return lines;
}

}  // namespace biglittle
