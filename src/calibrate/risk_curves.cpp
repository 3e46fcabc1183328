// SPDX-License-Identifier: MIT
#include "calibrate/risk_curves.h"

#include <fmt/format.h>

#include <numeric>

#include "calibrate/risk.h"

namespace biglittle {
namespace {

/// Sums of thousands of products differ from the exact ones by less; rates by more.
constexpr double kRounding = 1e-9;

/// Sums over the samples that are local at each step from those that enter there.
void accumulate_steps(std::vector<double>& entering) {
  std::partial_sum(entering.begin(), entering.end(), entering.begin());
}

}  // namespace

RiskCurves::RiskCurves(const Scores& scores, const ThresholdPath& path, const PriorityMap& map,
                       std::span<const std::string> big_classes, const CalibrateOptions& options,
                       std::span<const double> field_shares)
    : first_step_(first_local_step(scores, path)),
      truth_(scores.truth),
      field_shares_(field_shares.begin(), field_shares.end()),
      steps_(path.count()) {
  add_overall(scores, map, options);
  add_by_class(scores, map, options);
  if (options.agreement > 0.0) {
    add("agreement", options.agreement, [&](std::int64_t row) {
      return judge(scores, row, map, options.other).differs ? 1.0 : 0.0;
    });
  }
  if (options.cost.bound > 0.0) add_cost(scores, map, big_classes, options.cost);
  if (options.budget > 0.0) {
    add("budget", options.budget, [](std::int64_t) { return -1.0; }).base = 1.0;
  }
}

template <typename Event>
RiskCurves::Statement& RiskCurves::add(std::string name, double bound, Event&& event) {
  Statement statement;
  statement.name = std::move(name);
  statement.bound = bound;
  const auto n = static_cast<std::int64_t>(first_step_.size());
  for (std::int64_t row = 0; row < n; ++row) statement.event.push_back(event(row));
  statement.counted.assign(first_step_.size(), 1);
  statements_.push_back(std::move(statement));
  return statements_.back();
}

void RiskCurves::add_overall(const Scores& scores, const PriorityMap& map,
                             const CalibrateOptions& options) {
  const auto verdict = [&](std::int64_t row) { return judge(scores, row, map, options.other); };
  if (options.net_loss > 0.0) {
    add("net-loss", options.net_loss, [&](std::int64_t row) {
      const Verdict found = verdict(row);
      return static_cast<double>(found.little_wrong) - static_cast<double>(found.big_wrong);
    });
  }
  if (options.harm > 0.0) {
    add("harm", options.harm, [&](std::int64_t row) {
      const Verdict found = verdict(row);
      return found.little_wrong && !found.big_wrong ? 1.0 : 0.0;
    });
  }
  if (options.selective > 0.0) {
    add("selective", options.selective, [&](std::int64_t row) {
      return verdict(row).little_wrong ? 1.0 : 0.0;
    }).over = Statement::Over::local;
  }
}

void RiskCurves::add_by_class(const Scores& scores, const PriorityMap& map,
                              const CalibrateOptions& options) {
  const std::vector<std::int64_t> big_of_priority = map.big_of_priority();
  const auto add_all = [&](std::string_view what, double of_every,
                           const std::map<std::string, double>& of_some, auto&& is_event) {
    for (std::int64_t c = 0; c < map.priorities(); ++c) {
      const std::string& name = map.names[static_cast<std::size_t>(c)];
      const auto own = of_some.find(name);
      const double bound = own == of_some.end() ? of_every : own->second;
      if (bound <= 0.0) continue;
      Statement& statement = add(fmt::format("{}:{}", what, name), bound, [&](std::int64_t row) {
        return is_event(scores.little_class[static_cast<std::size_t>(row)], c) ? 1.0 : 0.0;
      });
      const std::int64_t big = big_of_priority[static_cast<std::size_t>(c)];
      for (std::size_t row = 0; row < truth_.size(); ++row) {
        statement.counted[row] = truth_[row] == big;
      }
    }
  };
  add_all("miss", options.miss, options.miss_of,
          [](std::int64_t answer, std::int64_t c) { return answer != c; });
  add_all("dropped", options.dropped, options.dropped_of,
          [&](std::int64_t answer, std::int64_t) { return answer >= map.priorities(); });
}

void RiskCurves::add_cost(const Scores& scores, const PriorityMap& map,
                          std::span<const std::string> big_classes, const CostOptions& cost) {
  add("cost", cost.bound, [&](std::int64_t row) {
    const auto at = static_cast<std::size_t>(row);
    const auto of_truth = cost.table.find(big_classes[static_cast<std::size_t>(scores.truth[at])]);
    if (of_truth == cost.table.end()) return 0.0;
    const auto of_answer =
        of_truth->second.find(map.names[static_cast<std::size_t>(scores.little_class[at])]);
    return of_answer == of_truth->second.end() ? 0.0 : of_answer->second;
  });
}

std::vector<double> RiskCurves::weights(std::span<const std::int64_t> rows) const {
  if (field_shares_.empty()) return std::vector<double>(rows.size(), 1.0);
  std::vector<double> of_class(field_shares_.size(), 0.0);
  for (const std::int64_t row : rows) {
    of_class[static_cast<std::size_t>(truth_[static_cast<std::size_t>(row)])] += 1.0;
  }
  for (std::size_t c = 0; c < of_class.size(); ++c) {
    if (of_class[c] > 0.0) of_class[c] = field_shares_[c] / of_class[c];
  }
  std::vector<double> weight;
  for (const std::int64_t row : rows) {
    weight.push_back(of_class[static_cast<std::size_t>(truth_[static_cast<std::size_t>(row)])]);
  }
  return weight;
}

RiskCurves::Curves RiskCurves::count(std::span<const std::int64_t> rows) const {
  const std::vector<double> weight = weights(rows);
  const auto size = static_cast<std::size_t>(steps_) + 1;  // the last: never local
  Curves curves;
  const auto step_of = [&](std::size_t i) {
    return static_cast<std::size_t>(first_step_[static_cast<std::size_t>(rows[i])]);
  };
  for (const Statement& statement : statements_) {
    std::vector<double> events(size, 0.0);
    std::vector<double> local(size, 0.0);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto row = static_cast<std::size_t>(rows[i]);
      if (statement.counted[row] == 0) continue;
      events[step_of(i)] += weight[i] * statement.event[row];
      local[step_of(i)] += weight[i];
    }
    accumulate_steps(events);
    accumulate_steps(local);
    std::vector<double> risk;
    for (std::size_t step = 0; step + 1 < size; ++step) {
      const double whole = statement.over == Statement::Over::all ? local.back() : local[step];
      risk.push_back(statement.base + (whole > 0.0 ? events[step] / whole : 0.0));
    }
    curves.risk.push_back(std::move(risk));
  }
  std::vector<double> local(size, 0.0);
  for (std::size_t i = 0; i < rows.size(); ++i) local[step_of(i)] += weight[i];
  accumulate_steps(local);
  for (std::size_t step = 0; step + 1 < size; ++step) {
    curves.escalation.push_back(1.0 - local[step] / local.back());
  }
  return curves;
}

bool RiskCurves::violates(const Curves& curves, std::int64_t risk, std::int64_t step) const {
  return curves.risk[static_cast<std::size_t>(risk)][static_cast<std::size_t>(step)] >
         bound(risk) + kRounding;
}

bool RiskCurves::violates_any(const Curves& curves, std::int64_t step) const {
  for (std::int64_t risk = 0; risk < risks(); ++risk) {
    if (violates(curves, risk, step)) return true;
  }
  return false;
}

std::int64_t RiskCurves::last_kept_step(const Curves& curves) const {
  for (std::int64_t step = steps_ - 1; step >= 0; --step) {
    if (!violates_any(curves, step)) return step;
  }
  return -1;
}

}  // namespace biglittle
