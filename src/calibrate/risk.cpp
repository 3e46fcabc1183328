// SPDX-License-Identifier: MIT
#include "calibrate/risk.h"

#include <fmt/format.h>

#include <utility>

#include "calibrate/risk_kinds.h"
#include "core/error.h"

namespace biglittle {
namespace {

/// Builds the risks one by one.
class RiskList {
 public:
  RiskList(const CalibrateOptions& options, const RiskContext& context,
           const CountedSample& overall, const CountedSample& by_class)
      : options_(options), context_(context), overall_(overall), by_class_(by_class) {}

  std::vector<std::unique_ptr<Risk>> take() {
    if (options_.net_loss > 0.0) {
      require_labels("net_loss");
      risks_.push_back(net_loss_risk(options_.net_loss, context_, overall_));
    }
    add_harm();
    add_selective();
    add_of_classes("miss", options_.miss, options_.miss_of, WrongAnswer::any);
    add_of_classes("dropped", options_.dropped, options_.dropped_of, WrongAnswer::other);
    add_agreement();
    add_cost();
    add_budget();
    return std::move(risks_);
  }

 private:
  enum class WrongAnswer { any, other };

  void require_labels(std::string_view option) const {
    if (!overall_.scores.truth.empty()) return;
    throw Error(ErrorKind::bad_data,
                fmt::format("calibration: {} needs the true classes, which are not known here; ask "
                            "for agreement",
                            option));
  }

  Verdict verdict(std::int64_t row) const {
    return judge(overall_.scores, row, context_.map, context_.other);
  }

  void add_rate(std::string name, double bound, StepCounts events, StepCounts samples) {
    risks_.push_back(
        rate_risk(std::move(name), bound, context_.level, std::move(events), std::move(samples)));
  }

  /// A risk over all inputs: the events among them that are local.
  template <typename IsEvent>
  void add_overall(std::string name, double bound, const IsEvent& is_event) {
    StepCounts events = overall_.no_counts();
    StepCounts samples = overall_.no_counts();
    for (std::int64_t row = 0; row < overall_.scores.count(); ++row) {
      if (is_event(row)) events.enter(overall_.first(row));
      samples.enter(0);  // every sample counts at every step
    }
    add_rate(std::move(name), bound, std::move(events), std::move(samples));
  }

  void add_harm() {
    if (options_.harm <= 0.0) return;
    require_labels("harm");
    add_overall("harm", options_.harm, [&](std::int64_t row) {
      const Verdict found = verdict(row);
      return found.little_wrong && !found.big_wrong;
    });
  }

  void add_agreement() {
    if (options_.agreement <= 0.0) return;
    const std::vector<std::int64_t>& little_of_big = context_.map.little_of_big;
    add_overall("agreement", options_.agreement, [&](std::int64_t row) {
      const auto at = static_cast<std::size_t>(row);
      const auto big = static_cast<std::size_t>(overall_.scores.big_class[at]);
      return little_of_big[big] != overall_.scores.little_class[at];
    });
  }

  void add_selective() {
    if (options_.selective <= 0.0) return;
    require_labels("selective");
    StepCounts wrong = overall_.no_counts();
    StepCounts local = overall_.no_counts();
    for (std::int64_t row = 0; row < overall_.scores.count(); ++row) {
      if (verdict(row).little_wrong) wrong.enter(overall_.first(row));
      local.enter(overall_.first(row));
    }
    add_rate("selective", options_.selective, std::move(wrong), std::move(local));
  }

  void add_of_classes(std::string_view what, double of_every,
                      const std::map<std::string, double>& of_some, WrongAnswer wrong) {
    for (std::int64_t c = 0; c < context_.map.priorities(); ++c) {
      const std::string& name = context_.map.names[static_cast<std::size_t>(c)];
      const auto own = of_some.find(name);
      const double bound = own == of_some.end() ? of_every : own->second;
      if (bound > 0.0) add_of_class(fmt::format("{}:{}", what, name), bound, c, wrong);
    }
  }

  void add_of_class(std::string name, double bound, std::int64_t priority, WrongAnswer wrong) {
    require_labels(name);
    const Scores& scores = by_class_.scores;
    const std::int64_t big = context_.map.big_of_priority()[static_cast<std::size_t>(priority)];
    StepCounts events = by_class_.no_counts();
    StepCounts samples = by_class_.no_counts();
    std::int64_t n = 0;
    for (std::int64_t row = 0; row < scores.count(); ++row) {
      const auto at = static_cast<std::size_t>(row);
      if (scores.truth[at] != big) continue;
      ++n;
      samples.enter(0);
      const std::int64_t answer = scores.little_class[at];
      const bool is_event =
          wrong == WrongAnswer::any ? answer != priority : answer >= context_.map.priorities();
      if (is_event) events.enter(by_class_.first(row));
    }
    if (n == 0) {
      throw Error(ErrorKind::bad_data,
                  fmt::format("calibration: no sample of priority class '{}', so {} cannot be "
                              "certified; add samples of it or do not ask for it",
                              context_.map.names[static_cast<std::size_t>(priority)], name));
    }
    add_rate(std::move(name), bound, std::move(events), std::move(samples));
  }

  void add_cost() {
    if (options_.cost.bound <= 0.0) return;
    require_labels("cost");
    const Scores& scores = overall_.scores;
    std::vector<double> costs;
    for (std::int64_t row = 0; row < scores.count(); ++row) {
      const auto at = static_cast<std::size_t>(row);
      costs.push_back(cost_of(scores.truth[at], scores.little_class[at]));
    }
    risks_.push_back(cost_risk(options_.cost.bound, context_.level, overall_, costs));
  }

  double cost_of(std::int64_t truth, std::int64_t answer) const {
    const auto row =
        options_.cost.table.find(context_.big_classes[static_cast<std::size_t>(truth)]);
    if (row == options_.cost.table.end()) return 0.0;
    const auto cell = row->second.find(context_.map.names[static_cast<std::size_t>(answer)]);
    return cell == row->second.end() ? 0.0 : cell->second;
  }

  void add_budget() {
    if (options_.budget <= 0.0) return;
    risks_.push_back(budget_risk(options_.budget, context_.level, overall_));
  }

  const CalibrateOptions& options_;
  const RiskContext& context_;
  const CountedSample& overall_;
  const CountedSample& by_class_;
  std::vector<std::unique_ptr<Risk>> risks_;
};

}  // namespace

Verdict judge(const Scores& scores, std::int64_t row, const PriorityMap& map, OtherMode other) {
  const auto at = static_cast<std::size_t>(row);
  const auto truth = static_cast<std::size_t>(scores.truth[at]);
  const auto big = static_cast<std::size_t>(scores.big_class[at]);
  const std::int64_t little = scores.little_class[at];
  Verdict verdict;
  // A priority class stands for one big class, so being right there is being right over both.
  verdict.little_wrong = map.little_of_big[truth] != little;
  verdict.big_wrong = other == OtherMode::answer
                          ? map.little_of_big[big] != map.little_of_big[truth]
                          : big != truth;
  verdict.differs = map.little_of_big[big] != little;
  return verdict;
}

std::vector<std::unique_ptr<Risk>> asked_risks(const CalibrateOptions& options,
                                               const RiskContext& context, const Scores& overall,
                                               const Scores& by_class, const ThresholdPath& path) {
  const CountedSample all(overall, path);
  if (&overall == &by_class) return RiskList(options, context, all, all).take();
  return RiskList(options, context, all, CountedSample(by_class, path)).take();
}

}  // namespace biglittle
