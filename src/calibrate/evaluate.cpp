// SPDX-License-Identifier: MIT
#include "calibrate/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/error.h"

namespace biglittle {
namespace {

std::size_t as_size(std::int64_t value) { return static_cast<std::size_t>(value); }

std::int64_t count_true(const std::vector<bool>& values) {
  return std::ranges::count(values, true);
}

Rate rate_of(const std::vector<bool>& values) {
  return make_rate(count_true(values), std::ssize(values));
}

/// How often `values` holds among the samples with `given`.
Rate rate_given(const std::vector<bool>& values, const std::vector<bool>& given) {
  std::int64_t both = 0;
  for (std::size_t i = 0; i < values.size(); ++i) both += values[i] && given[i];
  return make_rate(both, count_true(given));
}

double share(double part, std::int64_t whole) {
  return whole == 0 ? 0.0 : part / static_cast<double>(whole);
}

/// What happened to every sample, as statements that are true or not.
struct Outcomes {
  std::vector<bool> big_right;
  std::vector<bool> device_right;  ///< what the device would answer is right
  std::vector<bool> may_answer;    ///< the device may answer, whatever its score
  std::vector<bool> local;
  std::vector<bool> dropped;
  std::vector<bool> system_right;
  std::vector<bool> true_priority;
};

Outcomes outcomes_of(const Scores& test, std::span<const Fate> fates,
                     const EscalationPolicy& policy, const PriorityMap& map) {
  Outcomes outcomes;
  for (std::int64_t row = 0; row < test.count(); ++row) {
    const std::size_t at = as_size(row);
    const Verdict verdict = judge(test, row, map, policy.other);
    const bool local = fates[at] != Fate::escalated;
    outcomes.big_right.push_back(!verdict.big_wrong);
    outcomes.device_right.push_back(!verdict.little_wrong);
    outcomes.may_answer.push_back(policy.other == OtherMode::answer ||
                                  test.little_class[at] < map.priorities());
    outcomes.local.push_back(local);
    outcomes.dropped.push_back(fates[at] == Fate::dropped);
    outcomes.system_right.push_back(!(local ? verdict.little_wrong : verdict.big_wrong));
    outcomes.true_priority.push_back(map.little_of_big[as_size(test.truth[at])] < map.priorities());
  }
  return outcomes;
}

double always_little(const Outcomes& outcomes) {
  double right = 0.0;
  for (std::size_t i = 0; i < outcomes.local.size(); ++i) {
    right += outcomes.may_answer[i] ? outcomes.device_right[i] : outcomes.big_right[i];
  }
  return share(right, std::ssize(outcomes.local));
}

/// Each input the device may answer stays local with the probability that gives the same local
/// rate.
double random_escalation(const Outcomes& outcomes) {
  const double stays =
      share(static_cast<double>(count_true(outcomes.local)), count_true(outcomes.may_answer));
  double right = 0.0;
  for (std::size_t i = 0; i < outcomes.local.size(); ++i) {
    const double probability = outcomes.may_answer[i] ? stays : 0.0;
    right += probability * outcomes.device_right[i] + (1.0 - probability) * outcomes.big_right[i];
  }
  return share(right, std::ssize(outcomes.local));
}

std::vector<ClassRow> class_rows(const Scores& test, const Outcomes& outcomes,
                                 const PriorityMap& map, const std::vector<std::string>& classes) {
  std::vector<ClassRow> rows(classes.size());
  for (std::size_t i = 0; i < outcomes.local.size(); ++i) {
    ClassRow& row = rows[as_size(test.truth[i])];
    ++row.n;
    row.big_accuracy += outcomes.big_right[i];
    row.system_accuracy += outcomes.system_right[i];
    row.local.count += outcomes.local[i];
    row.dropped.count += outcomes.dropped[i];
  }
  for (std::size_t c = 0; c < rows.size(); ++c) {
    ClassRow& row = rows[c];
    row.name = classes[c];
    row.priority = map.little_of_big[c] < map.priorities();
    row.big_accuracy = share(row.big_accuracy, row.n);
    row.system_accuracy = share(row.system_accuracy, row.n);
    row.local = make_rate(row.local.count, row.n);
    row.dropped = make_rate(row.dropped.count, row.n);
  }
  return rows;
}

Confusion confusion_of(const Scores& test, std::span<const Fate> fates, const PriorityMap& map) {
  const std::size_t classes = map.names.size();
  Confusion confusion{map.names, std::vector(classes, std::vector<std::int64_t>(classes + 1, 0))};
  for (std::size_t row = 0; row < fates.size(); ++row) {
    const std::size_t truth = as_size(map.little_of_big[as_size(test.truth[row])]);
    const std::size_t answer =
        fates[row] == Fate::escalated ? classes : as_size(test.little_class[row]);
    ++confusion.counts[truth][answer];
  }
  return confusion;
}

void require_fitting(const Scores& test, const Evaluation& data, const PriorityMap& map,
                     const std::vector<std::string>& classes) {
  require_consistent(test, map, "test");
  if (std::ssize(data.little_float_class) != test.count()) {
    throw Error(ErrorKind::bad_data,
                fmt::format("test: {} answers of the float little network but {} samples",
                            data.little_float_class.size(), test.count()));
  }
  if (classes.size() != map.little_of_big.size()) {
    throw Error(ErrorKind::bad_data, fmt::format("test: {} class names but the priority map has {}",
                                                 classes.size(), map.little_of_big.size()));
  }
}

/// The little network alone, float and int8, over little classes.
void add_little(SystemReport& report, const Scores& test, const Evaluation& data,
                const PriorityMap& map) {
  std::vector<bool> float_right;
  std::vector<bool> int8_right;
  std::vector<bool> agree;
  for (std::size_t i = 0; i < test.truth.size(); ++i) {
    const std::int64_t truth = map.little_of_big[as_size(test.truth[i])];
    float_right.push_back(data.little_float_class[i] == truth);
    int8_right.push_back(test.little_class[i] == truth);
    agree.push_back(data.little_float_class[i] == test.little_class[i]);
  }
  report.little_float = rate_of(float_right);
  report.little_int8 = rate_of(int8_right);
  report.agreement = rate_of(agree);
  report.int8_loss = paired_difference(float_right, int8_right);
}

void add_system(SystemReport& report, const Outcomes& outcomes) {
  std::vector<bool> escalated = outcomes.local;
  escalated.flip();
  report.big = rate_of(outcomes.big_right);
  report.system = rate_of(outcomes.system_right);
  report.loss = paired_difference(outcomes.big_right, outcomes.system_right);
  report.local = rate_of(outcomes.local);
  report.escalated = rate_of(escalated);
  report.dropped = rate_of(outcomes.dropped);
  report.priority_local = rate_given(outcomes.local, outcomes.true_priority);
  report.priority_dropped = rate_given(outcomes.dropped, outcomes.true_priority);
  report.local_correct = rate_given(outcomes.device_right, outcomes.local);
  report.always_little = always_little(outcomes);
  report.random_escalation = random_escalation(outcomes);
}

}  // namespace

SystemReport evaluate_system(const Evaluation& data, const EscalationPolicy& policy,
                             const PriorityMap& map, const std::vector<std::string>& classes) {
  const Scores test = make_scores(data.test, policy.rule, map);
  require_fitting(test, data, map, classes);
  const std::vector<Fate> fates = fates_of(test, policy, map);
  const Outcomes outcomes = outcomes_of(test, fates, policy, map);
  const std::vector<double>& field = policy.certificate.field_shares;

  SystemReport report;
  report.n = test.count();
  report.other = policy.other;
  add_little(report, test, data, map);
  add_system(report, outcomes);
  report.classes = class_rows(test, outcomes, map, classes);
  report.confusion = confusion_of(test, fates, map);
  report.curve = deferral_curve(test, policy, map);
  report.temperature = temperature_report(data.tune, data.test, map, data.logit_scale);
  report.data_forecast = forecast(test, fates, class_shares(test, classes.size()), classes);
  if (!field.empty()) report.field_forecast = forecast(test, fates, field, classes);
  report.merits = policy.merits;
  return report;
}

}  // namespace biglittle
