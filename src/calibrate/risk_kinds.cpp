// SPDX-License-Identifier: MIT
#include "calibrate/risk_kinds.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <span>
#include <utility>

#include "calibrate/tests.h"
#include "core/random.h"

namespace biglittle {
namespace {

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

class NamedRisk : public Risk {
 public:
  NamedRisk(std::string name, double bound) : name_(std::move(name)), bound_(bound) {}
  const std::string& name() const override { return name_; }
  double bound() const override { return bound_; }

 protected:
  RiskResult begin(std::int64_t step) const {
    RiskResult result;
    result.risk = name_;
    result.bound = bound_;
    result.p_value = p_value(step);
    return result;
  }

 private:
  std::string name_;
  double bound_;
};

/// accuracy(big) - accuracy(system) as the mean of D = local * (little wrong - big wrong).
class NetLoss : public NamedRisk {
 public:
  NetLoss(double bound, const RiskContext& context, const CountedSample& sample)
      : NamedRisk("net-loss", bound), level_(context.level) {
    const Scores& scores = sample.scores;
    std::vector<std::int64_t> rows(static_cast<std::size_t>(scores.count()));
    std::iota(rows.begin(), rows.end(), 0);
    Random(static_cast<std::uint64_t>(context.seed)).shuffle(std::span(rows));
    for (const std::int64_t row : rows) {
      const Verdict verdict = judge(scores, row, context.map, context.other);
      difference_.push_back(static_cast<std::int8_t>(verdict.little_wrong - verdict.big_wrong));
      first_local_.push_back(sample.first(row));
    }
  }

  double p_value(std::int64_t step) const override {
    return betting_p_value(differences(step), bound(), level_);
  }

  RiskResult result(std::int64_t step) const override {
    const std::vector<std::int8_t> d = differences(step);
    RiskResult result = begin(step);
    result.n = std::ssize(d);
    result.events = std::ranges::count(d, 1);
    result.offsets = std::ranges::count(d, -1);
    result.estimate = share(result.events - result.offsets, result.n);
    result.upper_bound = betting_upper_bound(d, bound(), level_);
    result.needed = betting_samples_needed(share(result.events, result.n),
                                           share(result.offsets, result.n), bound(), level_);
    return result;
  }

 private:
  /// D of every sample, in the betting order.
  std::vector<std::int8_t> differences(std::int64_t step) const {
    std::vector<std::int8_t> d(difference_.size());
    for (std::size_t i = 0; i < d.size(); ++i) {
      d[i] = first_local_[i] <= step ? difference_[i] : std::int8_t{0};
    }
    return d;
  }

  double level_;
  std::vector<std::int8_t> difference_;  ///< D if the sample is local, in the betting order
  std::vector<std::int64_t> first_local_;
};

/// A rate of events among samples that are all there (n fixed) or local (n grows with the step).
class EventRate : public NamedRisk {
 public:
  EventRate(std::string name, double bound, double level, StepCounts events, StepCounts samples)
      : NamedRisk(std::move(name), bound),
        level_(level),
        events_(std::move(events)),
        samples_(std::move(samples)) {
    events_.sum_up();
    samples_.sum_up();
  }

  double p_value(std::int64_t step) const override {
    return binomial_p_value(events_.at(step), samples_.at(step), bound());
  }

  RiskResult result(std::int64_t step) const override {
    RiskResult result = begin(step);
    result.n = samples_.at(step);
    result.events = events_.at(step);
    result.estimate = share(result.events, result.n);
    result.upper_bound = clopper_pearson_upper(result.events, result.n, level_);
    result.needed = binomial_samples_needed(result.estimate, bound(), level_);
    return result;
  }

 private:
  double level_;
  StepCounts events_;
  StepCounts samples_;
};

/// E[local * cost(truth, answer)].
class Cost : public NamedRisk {
 public:
  Cost(double bound, double level, const CountedSample& sample, const std::vector<double>& costs)
      : NamedRisk("cost", bound),
        level_(level),
        n_(sample.scores.count()),
        costly_(sample.steps),
        cost_(static_cast<std::size_t>(sample.steps) + 1, 0.0) {
    for (std::int64_t row = 0; row < n_; ++row) {
      const double cost = costs[static_cast<std::size_t>(row)];
      if (cost <= 0.0) continue;
      costly_.enter(sample.first(row));
      cost_[static_cast<std::size_t>(sample.first(row))] += cost;
    }
    costly_.sum_up();
    std::partial_sum(cost_.begin(), cost_.end(), cost_.begin());
  }

  double p_value(std::int64_t step) const override {
    return hoeffding_bentkus_p_value(cost_at(step), n_, bound());
  }

  RiskResult result(std::int64_t step) const override {
    RiskResult result = begin(step);
    result.n = n_;
    result.events = costly_.at(step);
    result.estimate = n_ == 0 ? 0.0 : cost_at(step) / static_cast<double>(n_);
    result.upper_bound = hoeffding_bentkus_upper(cost_at(step), n_, level_);
    result.needed = hoeffding_bentkus_samples_needed(result.estimate, bound(), level_);
    return result;
  }

 private:
  double cost_at(std::int64_t step) const { return cost_[static_cast<std::size_t>(step)]; }

  double level_;
  std::int64_t n_;
  StepCounts costly_;
  std::vector<double> cost_;
};

/// P(escalate): falls along the path.
class Budget : public NamedRisk {
 public:
  Budget(double bound, double level, const CountedSample& sample)
      : NamedRisk("budget", bound), level_(level), n_(sample.scores.count()), local_(sample.steps) {
    for (const std::int64_t first : sample.first_local) local_.enter(first);
    local_.sum_up();
  }

  double p_value(std::int64_t step) const override {
    return binomial_p_value(n_ - local_.at(step), n_, bound());
  }

  RiskResult result(std::int64_t step) const override {
    RiskResult result = begin(step);
    result.n = n_;
    result.events = n_ - local_.at(step);
    result.estimate = share(result.events, n_);
    result.upper_bound = clopper_pearson_upper(result.events, n_, level_);
    result.needed = binomial_samples_needed(result.estimate, bound(), level_);
    return result;
  }

 private:
  double level_;
  std::int64_t n_;
  StepCounts local_;
};

}  // namespace

std::unique_ptr<Risk> net_loss_risk(double bound, const RiskContext& context,
                                    const CountedSample& sample) {
  return std::make_unique<NetLoss>(bound, context, sample);
}

std::unique_ptr<Risk> rate_risk(std::string name, double bound, double level, StepCounts events,
                                StepCounts samples) {
  return std::make_unique<EventRate>(std::move(name), bound, level, std::move(events),
                                     std::move(samples));
}

std::unique_ptr<Risk> cost_risk(double bound, double level, const CountedSample& sample,
                                const std::vector<double>& costs) {
  return std::make_unique<Cost>(bound, level, sample, costs);
}

std::unique_ptr<Risk> budget_risk(double bound, double level, const CountedSample& sample) {
  return std::make_unique<Budget>(bound, level, sample);
}

}  // namespace biglittle
