// SPDX-License-Identifier: MIT
#include "calibrate/threshold_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <numeric>

#include "calibrate/answer_order.h"
#include "calibrate/answer_usage.h"
#include "core/error.h"

namespace biglittle {
namespace {

enum class AnswerGroup { priority, other };

/// The untied answers of one group, safest first.
struct Queue {
  std::vector<std::int64_t> rows;  ///< of tune
  std::vector<double> risk;        ///< [rows] never falls
  /// How many rows are in after each set that enters together, having one risk. [depths]
  std::vector<std::int64_t> entered;
  /// Of the asked bounds at each depth; never falls. [depths]
  std::vector<double> usage;
  std::int64_t lowest = 1;  ///< threshold of the group's last step

  std::int64_t depths() const { return std::ssize(entered); }
};

std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }

Queue queue_of(const Scores& tune, const std::vector<RiskLine>& lines, const PriorityMap& map,
               const ScoreRule& rule, AnswerGroup group) {
  std::vector<std::pair<double, std::int64_t>> order;
  std::int64_t lowest_score = kAlwaysEscalate;
  for (std::int64_t row = 0; row < tune.count(); ++row) {
    const std::int64_t answer = tune.little_class[at(row)];
    const std::int64_t score = tune.score[at(row)];
    const bool is_other = map.has_other && answer == map.priorities();
    if (is_other != (group == AnswerGroup::other) || score <= kTieScore) continue;
    lowest_score = std::min(lowest_score, score);
    order.emplace_back(lines[at(answer)].at(score), row);
  }
  std::ranges::sort(order);

  Queue queue;
  for (const auto& [risk, row] : order) {
    if (!queue.risk.empty() && risk > queue.risk.back()) {
      queue.entered.push_back(std::ssize(queue.rows));
    }
    queue.risk.push_back(risk);
    queue.rows.push_back(row);
  }
  if (!queue.rows.empty()) queue.entered.push_back(std::ssize(queue.rows));
  queue.lowest = rule.kind == ScoreKind::gate ? lowest_score : 1;
  return queue;
}

void measure_usage(Queue& queue, const std::vector<double>& after_each_row) {
  double lowest_to_come = std::numeric_limits<double>::infinity();
  queue.usage.resize(queue.entered.size());
  for (std::int64_t depth = queue.depths() - 1; depth >= 0; --depth) {
    lowest_to_come = std::min(lowest_to_come, after_each_row[at(queue.entered[at(depth)] - 1)]);
    queue.usage[at(depth)] = lowest_to_come;
  }
}

/// How deep both queues are let in.
struct Admission {
  std::int64_t priority = 0;
  std::int64_t other = 0;
  std::int64_t rows = 0;  ///< of both
};

/// Every admission from the first set of rows to all of them.
std::vector<Admission> merge(const Queue& priority, const Queue& other) {
  std::vector<Admission> admissions;
  Admission now;
  while (now.priority < priority.depths() || now.other < other.depths()) {
    const bool takes_priority = now.other == other.depths() ||
                                (now.priority < priority.depths() &&
                                 (priority.usage.empty() ||
                                  priority.usage[at(now.priority)] <= other.usage[at(now.other)]));
    ++(takes_priority ? now.priority : now.other);
    now.rows = (now.priority == 0 ? 0 : priority.entered[at(now.priority - 1)]) +
               (now.other == 0 ? 0 : other.entered[at(now.other - 1)]);
    admissions.push_back(now);
  }
  return admissions;
}

/// At most `size` admissions, each of about equally many rows more; the last admits all.
std::vector<Admission> spread(const std::vector<Admission>& admissions, std::int64_t size) {
  std::vector<Admission> chosen;
  if (admissions.empty()) return chosen;
  const std::int64_t count = admissions.back().rows;
  for (std::int64_t step = 1; step < size; ++step) {
    const std::int64_t wanted = (step * count + size - 1) / size;  // about step / size of them
    chosen.push_back(*std::ranges::lower_bound(admissions, wanted, {}, &Admission::rows));
  }
  return chosen;
}

/// The threshold that lets in the answers of a class down to this depth.
std::int64_t threshold_of(const Queue& queue, std::int64_t depth, const RiskLine& line) {
  if (depth == 0) return kAlwaysEscalate;
  return line.threshold_at(queue.risk[at(queue.entered[at(depth - 1)] - 1)], queue.lowest);
}

/// The share of the tune samples that each step answers locally, where a sample of class c weighs
/// weight[c] and all together at most `whole`.
std::vector<double> weighed_shares(const Scores& tune, const ThresholdPath& path,
                                   std::span<const double> weight, double whole) {
  std::vector<double> entering(at(path.count() + 1), 0.0);
  const std::vector<std::int64_t> first = first_local_step(tune, path);
  for (std::size_t row = 0; row < first.size(); ++row) {
    entering[at(first[row])] += weight[at(tune.truth[row])];
  }
  std::vector<double> shares;
  double local = 0.0;
  for (std::int64_t step = 0; step < path.count(); ++step) {
    local += entering[at(step)];
    shares.push_back(std::min(local / whole, 1.0));  // rounding may leave it above
  }
  return shares;
}

void require_other(const PriorityMap& map) {
  if (map.has_other) return;
  throw Error(ErrorKind::config,
              "calibrate: other is 'answer' but every class is a priority, so none is 'other'; set "
              "other = \"escalate\"");
}

}  // namespace

ThresholdPath threshold_path(const Scores& tune, const PriorityMap& map, const ScoreRule& rule,
                             const CalibrateOptions& options,
                             std::span<const std::string> big_classes) {
  require_consistent(tune, map, "tune");
  const std::vector<RiskLine> lines = risk_lines(tune, map, options.thresholds);
  Queue priority = queue_of(tune, lines, map, rule, AnswerGroup::priority);
  Queue other;
  other.lowest = kAlwaysEscalate;
  if (options.other == OtherMode::answer) {
    require_other(map);
    other = queue_of(tune, lines, map, rule, AnswerGroup::other);
    measure_usage(priority, usage_along(tune, map, options, big_classes, priority.rows));
    measure_usage(other, usage_along(tune, map, options, big_classes, other.rows));
  }

  ThresholdPath path;
  std::vector<std::int64_t> thresholds(at(map.classes()), kAlwaysEscalate);
  for (const Admission& admission : spread(merge(priority, other), options.grid)) {
    for (std::int64_t c = 0; c < map.classes(); ++c) {
      const bool is_other = map.has_other && c == map.priorities();
      thresholds[at(c)] = is_other ? threshold_of(other, admission.other, lines[at(c)])
                                   : threshold_of(priority, admission.priority, lines[at(c)]);
    }
    path.steps.push_back(thresholds);
  }
  for (std::int64_t c = 0; c < map.classes(); ++c) {
    thresholds[at(c)] = map.has_other && c == map.priorities() ? other.lowest : priority.lowest;
  }
  path.steps.push_back(thresholds);
  const auto repeated = std::ranges::unique(path.steps);
  path.steps.erase(repeated.begin(), repeated.end());
  const std::vector<double> same(map.little_of_big.size(), 1.0);
  path.local_share = weighed_shares(tune, path, same, static_cast<double>(tune.count()));
  return path;
}

std::vector<double> local_shares(const Scores& tune, const ThresholdPath& path,
                                 std::span<const double> field_shares) {
  std::vector<double> weight(field_shares.begin(), field_shares.end());
  std::vector<double> counts(field_shares.size(), 0.0);
  for (const std::int64_t truth : tune.truth) counts[at(truth)] += 1.0;
  for (std::size_t c = 0; c < weight.size(); ++c) weight[c] /= std::max(counts[c], 1.0);
  return weighed_shares(tune, path, weight, 1.0);
}

std::vector<std::int64_t> first_local_step(const Scores& scores, const ThresholdPath& path) {
  // [classes][steps], so that the thresholds that are searched lie beside each other.
  std::vector<std::vector<std::int64_t>> of_class(path.steps.empty() ? 0
                                                                     : path.steps.front().size());
  for (const std::vector<std::int64_t>& step : path.steps) {
    for (std::size_t c = 0; c < of_class.size(); ++c) of_class[c].push_back(step[c]);
  }
  std::vector<std::int64_t> first(at(scores.count()), path.count());
  for (std::size_t row = 0; row < first.size(); ++row) {
    const std::int64_t score = std::min(scores.score[row], kAlwaysEscalate - 1);
    if (of_class.empty()) break;
    const std::vector<std::int64_t>& thresholds = of_class[at(scores.little_class[row])];
    const auto reached = std::ranges::partition_point(
        thresholds, [score](std::int64_t threshold) { return threshold > score; });
    first[row] = reached - thresholds.begin();
  }
  return first;
}

void require_path(const ThresholdPath& path, std::int64_t classes, std::string_view name) {
  const auto refuse = [&](const std::string& problem) {
    throw Error(ErrorKind::bad_data, fmt::format("{}: {}; export the bundle again", name, problem));
  };
  if (path.steps.empty()) refuse("the path has no step, expected at least one");
  if (path.local_share.size() != path.steps.size()) {
    refuse(fmt::format("the path has {} steps but {} local shares", path.steps.size(),
                       path.local_share.size()));
  }
  double share = 0.0;
  for (std::size_t step = 0; step < path.steps.size(); ++step) {
    const std::vector<std::int64_t>& thresholds = path.steps[step];
    if (std::ssize(thresholds) != classes) {
      refuse(
          fmt::format("step {} has {} thresholds, expected {}", step, thresholds.size(), classes));
    }
    for (const std::int64_t threshold : thresholds) {
      if (threshold > kTieScore && threshold <= kAlwaysEscalate) continue;
      refuse(fmt::format("step {} has the threshold {}, expected {} to {}", step, threshold,
                         kTieScore + 1, kAlwaysEscalate));
    }
    if (step > 0 &&
        !std::ranges::equal(path.steps[step - 1], thresholds, std::ranges::greater_equal{})) {
      refuse(fmt::format("a threshold rises at step {}, expected lower or equal ones", step));
    }
    if (step > 0 && path.steps[step - 1] == thresholds) {
      refuse(fmt::format("no threshold falls at step {}, expected at least one to", step));
    }
    const double next = path.local_share[step];
    if (!(next >= share && next <= 1.0)) {
      refuse(fmt::format("local share {} is {}, expected {} to 1", step, next, share));
    }
    share = next;
  }
}

}  // namespace biglittle
