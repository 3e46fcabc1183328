// SPDX-License-Identifier: MIT
#include "calibrate/answer_usage.h"

#include <algorithm>
#include <map>

#include "calibrate/risk.h"
#include "core/error.h"

namespace biglittle {
namespace {

/// The bound of one priority class: its own or that of every class.
double bound_of(const std::string& name, double of_every,
                const std::map<std::string, double>& of_some) {
  const auto own = of_some.find(name);
  return own == of_some.end() ? of_every : own->second;
}

/// Takes the risks one by one and keeps the largest usage after each row.
class Usage {
 public:
  Usage(const Scores& tune, const PriorityMap& map, std::span<const std::int64_t> rows)
      : tune_(tune), map_(map), rows_(rows), largest_(rows.size(), 0.0) {
    for (const std::int64_t row : rows) {
      verdicts_.push_back(judge(tune, row, map, OtherMode::answer));
    }
  }

  void add_risks_of_all(const CalibrateOptions& options) {
    const auto all = [this](std::size_t) { return tune_.count(); };
    const auto harms = [this](std::size_t i) {
      return int{verdicts_[i].little_wrong && !verdicts_[i].big_wrong};
    };
    const auto loss = [this](std::size_t i) {
      return int{verdicts_[i].little_wrong} - int{verdicts_[i].big_wrong};
    };
    const auto wrong = [this](std::size_t i) { return int{verdicts_[i].little_wrong}; };
    const auto differs = [this](std::size_t i) { return int{verdicts_[i].differs}; };
    add(options.net_loss, all, loss);
    add(options.harm, all, harms);
    add(options.agreement, all, differs);
    add(
        options.selective, [](std::size_t i) { return static_cast<std::int64_t>(i) + 1; }, wrong);
  }

  void add_risks_of_classes(const CalibrateOptions& options) {
    const std::vector<std::int64_t> big = map_.big_of_priority();
    for (std::int64_t c = 0; c < map_.priorities(); ++c) {
      const auto at = static_cast<std::size_t>(c);
      const std::int64_t of_class = std::ranges::count(tune_.truth, big[at]);
      const auto samples = [of_class](std::size_t) { return of_class; };
      const auto wrong = [&](std::size_t i) {
        return int{truth(i) == big[at] && verdicts_[i].little_wrong};
      };
      add(bound_of(map_.names[at], options.miss, options.miss_of), samples, wrong);
      const auto dropped = [&](std::size_t i) {
        const auto answer = tune_.little_class[static_cast<std::size_t>(rows_[i])];
        return int{truth(i) == big[at] && answer >= map_.priorities()};
      };
      add(bound_of(map_.names[at], options.dropped, options.dropped_of), samples, dropped);
    }
  }

  void add_cost(const CostOptions& cost, std::span<const std::string> big_classes) {
    if (cost.bound <= 0.0) return;
    if (big_classes.size() != map_.little_of_big.size()) {
      throw Error(ErrorKind::internal, "costs were to be counted without the names of all classes");
    }
    std::vector<std::vector<double>> table(big_classes.size(),
                                           std::vector<double>(map_.names.size(), 0.0));
    for (std::size_t b = 0; b < big_classes.size(); ++b) {
      const auto of_truth = cost.table.find(big_classes[b]);
      if (of_truth == cost.table.end()) continue;
      for (std::size_t l = 0; l < map_.names.size(); ++l) {
        const auto cell = of_truth->second.find(map_.names[l]);
        if (cell != of_truth->second.end()) table[b][l] = cell->second;
      }
    }
    add(
        cost.bound, [this](std::size_t) { return tune_.count(); },
        [&](std::size_t i) {
          const auto answer = tune_.little_class[static_cast<std::size_t>(rows_[i])];
          return table[static_cast<std::size_t>(truth(i))][static_cast<std::size_t>(answer)];
        });
  }

  std::vector<double> take() { return std::move(largest_); }

 private:
  std::int64_t truth(std::size_t i) const {
    return tune_.truth[static_cast<std::size_t>(rows_[i])];
  }

  /// `samples` and `events` of the i-th row of the order; events may be negative (net-loss).
  template <typename Samples, typename Events>
  void add(double bound, const Samples& samples, const Events& events) {
    if (bound <= 0.0) return;
    double sum = 0.0;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      sum += events(i);
      const double rate = (std::max(sum, 0.0) + 1.0) / (static_cast<double>(samples(i)) + 1.0);
      largest_[i] = std::max(largest_[i], rate / bound);
    }
  }

  const Scores& tune_;
  const PriorityMap& map_;
  std::span<const std::int64_t> rows_;
  std::vector<Verdict> verdicts_;  ///< [rows]
  std::vector<double> largest_;    ///< [rows]
};

}  // namespace

std::vector<double> usage_along(const Scores& tune, const PriorityMap& map,
                                const CalibrateOptions& options,
                                std::span<const std::string> big_classes,
                                std::span<const std::int64_t> rows) {
  Usage usage(tune, map, rows);
  usage.add_risks_of_all(options);
  usage.add_risks_of_classes(options);
  usage.add_cost(options.cost, big_classes);
  return usage.take();
}

}  // namespace biglittle
