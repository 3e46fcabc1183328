// SPDX-License-Identifier: MIT
// The fixed-sequence search for the threshold and the tests it asks at each one.

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "calibrate/policy.h"
#include "calibrate/tests.h"
#include "core/error.h"
#include "core/random.h"

namespace biglittle {
namespace {

constexpr std::string_view kNetLoss = "net-loss";
constexpr std::string_view kMissPrefix = "miss:";

void require_options(const CalibrateOptions& options) {
  if (options.net_loss == 0.0 && options.miss == 0.0) {
    throw Error(ErrorKind::config,
                "calibrate: no risk is asked; set net_loss or miss to the rate that is bearable");
  }
  const auto require = [](std::string_view name, double value, double low, double high) {
    if (value >= low && value < high) return;
    throw Error(ErrorKind::config,
                fmt::format("calibrate: {} is {}, expected at least {} and below {}", name, value,
                            low, high));
  };
  require("delta", options.delta, 1e-9, 1.0);
  require("net_loss", options.net_loss, 0.0, 1.0);
  require("miss", options.miss, 0.0, 1.0);
  if (options.grid < 1) {
    throw Error(ErrorKind::config,
                fmt::format("calibrate: grid is {}, expected at least 1", options.grid));
  }
}

/// The rows in an order drawn from `seed` alone.
std::vector<std::int64_t> shuffled_rows(std::int64_t count, std::int64_t seed) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  Random(static_cast<std::uint64_t>(seed)).shuffle(std::span(rows));
  return rows;
}

/// One risk that is asked: its p-value at a threshold, and everything about it there.
class Risk {
 public:
  virtual ~Risk() = default;
  virtual double p_value(std::int64_t threshold) const = 0;
  virtual RiskResult result(std::int64_t threshold) const = 0;
};

/// accuracy(big) - accuracy(system) as the mean of D = local * (little wrong - big wrong).
class NetLoss : public Risk {
 public:
  NetLoss(const Scores& scores, const PriorityMap& map, const CalibrateOptions& options)
      : bound_(options.net_loss), delta_(options.delta) {
    const std::vector<std::int64_t> big_of_priority = map.big_of_priority();
    for (const std::int64_t row : shuffled_rows(scores.count(), options.seed)) {
      const auto at = static_cast<std::size_t>(row);
      const bool names_priority = answers_locally(scores, row, 1, map);
      const auto little = static_cast<std::size_t>(scores.little_class[at]);
      const bool little_wrong = names_priority && big_of_priority[little] != scores.truth[at];
      const bool big_wrong = scores.big_class[at] != scores.truth[at];
      margin_.push_back(names_priority ? scores.margin[at] : 0);
      difference_.push_back(
          static_cast<std::int8_t>(names_priority ? little_wrong - big_wrong : 0));
    }
  }

  double p_value(std::int64_t threshold) const override {
    return betting_p_value(differences(threshold), bound_, delta_);
  }

  RiskResult result(std::int64_t threshold) const override {
    const std::vector<std::int8_t> d = differences(threshold);
    RiskResult result;
    result.risk = kNetLoss;
    result.bound = bound_;
    result.n = static_cast<std::int64_t>(d.size());
    result.events = std::ranges::count(d, 1);
    result.offsets = std::ranges::count(d, -1);
    const auto n = static_cast<double>(result.n);
    result.estimate = static_cast<double>(result.events - result.offsets) / n;
    result.p_value = betting_p_value(d, bound_, delta_);
    result.upper_bound = betting_upper_bound(d, bound_, delta_);
    result.needed = betting_samples_needed(static_cast<double>(result.events) / n,
                                           static_cast<double>(result.offsets) / n, bound_, delta_);
    return result;
  }

 private:
  /// D of every sample in the betting order.
  std::vector<std::int8_t> differences(std::int64_t threshold) const {
    std::vector<std::int8_t> d(difference_.size());
    for (std::size_t i = 0; i < d.size(); ++i) {
      d[i] = margin_[i] >= threshold ? difference_[i] : std::int8_t{0};
    }
    return d;
  }

  double bound_;
  double delta_;
  std::vector<std::int64_t> margin_;     ///< in betting order; 0 where no priority class is named
  std::vector<std::int8_t> difference_;  ///< D if the sample is answered locally
};

/// P(local, answer is not c | class c) of one priority class c.
class Miss : public Risk {
 public:
  Miss(const Scores& scores, const PriorityMap& map, std::int64_t priority,
       const CalibrateOptions& options)
      : name_(map.names[static_cast<std::size_t>(priority)]),
        bound_(options.miss),
        delta_(options.delta) {
    const std::int64_t big = map.big_of_priority()[static_cast<std::size_t>(priority)];
    for (std::int64_t row = 0; row < scores.count(); ++row) {
      const auto at = static_cast<std::size_t>(row);
      if (scores.truth[at] != big) continue;
      ++n_;
      if (scores.little_class[at] != priority && answers_locally(scores, row, 1, map)) {
        wrong_margins_.push_back(scores.margin[at]);
      }
    }
    if (n_ > 0) return;
    throw Error(
        ErrorKind::bad_data,
        fmt::format("calibration: no sample of priority class '{}', so its miss rate cannot "
                    "be certified; add samples of it or set miss = 0",
                    name_));
  }

  double p_value(std::int64_t threshold) const override {
    return binomial_p_value(events(threshold), n_, bound_);
  }

  RiskResult result(std::int64_t threshold) const override {
    RiskResult result;
    result.risk = fmt::format("{}{}", kMissPrefix, name_);
    result.bound = bound_;
    result.n = n_;
    result.events = events(threshold);
    result.estimate = static_cast<double>(result.events) / static_cast<double>(n_);
    result.p_value = p_value(threshold);
    result.upper_bound = clopper_pearson_upper(result.events, n_, delta_);
    result.needed = binomial_samples_needed(result.estimate, bound_, delta_);
    return result;
  }

 private:
  std::int64_t events(std::int64_t threshold) const {
    return std::ranges::count_if(wrong_margins_,
                                 [&](std::int64_t margin) { return margin >= threshold; });
  }

  std::string name_;
  double bound_;
  double delta_;
  std::int64_t n_ = 0;
  std::vector<std::int64_t> wrong_margins_;
};

std::vector<std::unique_ptr<Risk>> asked_risks(const Scores& calibration, const PriorityMap& map,
                                               const CalibrateOptions& options) {
  std::vector<std::unique_ptr<Risk>> risks;
  if (options.net_loss > 0.0) {
    risks.push_back(std::make_unique<NetLoss>(calibration, map, options));
  }
  for (std::int64_t c = 0; options.miss > 0.0 && c < map.priorities(); ++c) {
    risks.push_back(std::make_unique<Miss>(calibration, map, c, options));
  }
  return risks;
}

/// True when the largest p-value over the risks is at most delta.
bool accepted(const std::vector<std::unique_ptr<Risk>>& risks, std::int64_t threshold,
              double delta) {
  return std::ranges::all_of(risks,
                             [&](const auto& risk) { return risk->p_value(threshold) <= delta; });
}

void measure_rates(EscalationPolicy& policy, const Scores& scores, const PriorityMap& map) {
  std::int64_t local = 0;
  std::int64_t priority = 0;
  std::int64_t local_priority = 0;
  for (std::int64_t row = 0; row < scores.count(); ++row) {
    const bool is_local = answers_locally(scores, row, policy.threshold, map);
    const auto truth = static_cast<std::size_t>(scores.truth[static_cast<std::size_t>(row)]);
    const bool is_priority = map.little_of_big[truth] < map.priorities();
    local += is_local;
    priority += is_priority;
    local_priority += is_local && is_priority;
  }
  policy.escalation = make_rate(scores.count() - local, scores.count());
  policy.priority_local = make_rate(local_priority, priority);
}

}  // namespace

EscalationPolicy calibrate(const Scores& tune, const Scores& calibration, const PriorityMap& map,
                           const CalibrateOptions& options) {
  require_options(options);
  require_consistent(tune, map, "tune");
  require_consistent(calibration, map, "calibration");
  const auto risks = asked_risks(calibration, map, options);
  const std::vector<std::int64_t> grid = threshold_grid(tune, map, options.grid);

  EscalationPolicy policy;
  Certificate& certificate = policy.certificate;
  for (const std::int64_t threshold : grid) {
    ++certificate.tested;
    if (!accepted(risks, threshold, options.delta)) break;
    policy.threshold = threshold;
    certificate.certified = true;
  }
  const std::int64_t reported = certificate.certified ? policy.threshold : grid.front();
  for (const auto& risk : risks) certificate.risks.push_back(risk->result(reported));
  certificate.delta = options.delta;
  certificate.n = calibration.count();
  certificate.seed = options.seed;
  certificate.grid_size = std::ssize(grid);
  measure_rates(policy, calibration, map);
  return policy;
}

}  // namespace biglittle
