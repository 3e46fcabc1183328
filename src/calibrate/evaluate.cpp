// SPDX-License-Identifier: MIT
#include "calibrate/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/error.h"

namespace biglittle {
namespace {

std::int64_t count_true(const std::vector<bool>& values) {
  return std::ranges::count(values, true);
}

double share(double part, std::int64_t whole) {
  return whole == 0 ? 0.0 : part / static_cast<double>(whole);
}

/// What happened to every sample, as statements that are true or not.
struct Outcomes {
  std::vector<bool> big_right;
  std::vector<bool> names_priority;  ///< the int8 network's answer is a priority class
  std::vector<bool> little_right;    ///< the int8 network's answer, over little classes
  std::vector<bool> device_right;    ///< names_priority and that big class is the truth
  std::vector<bool> local;
  std::vector<bool> system_right;
  std::vector<bool> true_priority;
};

Outcomes judge(const Scores& test, const EscalationPolicy& policy, const PriorityMap& map) {
  Outcomes outcomes;
  for (std::int64_t row = 0; row < test.count(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    const std::int64_t truth = map.little_of_big[static_cast<std::size_t>(test.truth[at])];
    const bool names_priority = test.little_class[at] < map.priorities();
    const bool little_right = test.little_class[at] == truth;
    const bool big_right = test.big_class[at] == test.truth[at];
    const bool local = answers_locally(test, row, policy.threshold, map);
    outcomes.big_right.push_back(big_right);
    outcomes.names_priority.push_back(names_priority);
    outcomes.little_right.push_back(little_right);
    // A priority class stands for one big class, so being right there is being right over both.
    outcomes.device_right.push_back(names_priority && little_right);
    outcomes.local.push_back(local);
    outcomes.system_right.push_back(local ? little_right : big_right);
    outcomes.true_priority.push_back(truth < map.priorities());
  }
  return outcomes;
}

std::vector<bool> both(const std::vector<bool>& a, const std::vector<bool>& b) {
  std::vector<bool> result(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) result[i] = a[i] && b[i];
  return result;
}

double always_little(const Outcomes& outcomes) {
  double right = 0.0;
  for (std::size_t i = 0; i < outcomes.local.size(); ++i) {
    right += outcomes.names_priority[i] ? outcomes.device_right[i] : outcomes.big_right[i];
  }
  return share(right, std::ssize(outcomes.local));
}

/// Each input with a priority answer stays local with the probability that gives the same local
/// rate.
double random_escalation(const Outcomes& outcomes) {
  const double stays =
      share(static_cast<double>(count_true(outcomes.local)), count_true(outcomes.names_priority));
  double right = 0.0;
  for (std::size_t i = 0; i < outcomes.local.size(); ++i) {
    const double probability = outcomes.names_priority[i] ? stays : 0.0;
    right += probability * outcomes.device_right[i] + (1.0 - probability) * outcomes.big_right[i];
  }
  return share(right, std::ssize(outcomes.local));
}

std::vector<ClassRow> class_rows(const Scores& test, const Outcomes& outcomes,
                                 const PriorityMap& map, const std::vector<std::string>& classes) {
  std::vector<ClassRow> rows(classes.size());
  for (std::size_t i = 0; i < outcomes.local.size(); ++i) {
    ClassRow& row = rows[static_cast<std::size_t>(test.truth[i])];
    ++row.n;
    row.big_accuracy += outcomes.big_right[i];
    row.system_accuracy += outcomes.system_right[i];
    row.local_share += outcomes.local[i];
  }
  for (std::size_t c = 0; c < rows.size(); ++c) {
    rows[c].name = classes[c];
    rows[c].priority = map.little_of_big[c] < map.priorities();
    for (double* sum : {&rows[c].big_accuracy, &rows[c].system_accuracy, &rows[c].local_share}) {
      *sum = share(*sum, rows[c].n);
    }
  }
  return rows;
}

void require_fitting(const Scores& test, const std::vector<std::int64_t>& little_float_class,
                     const PriorityMap& map, const std::vector<std::string>& classes) {
  require_consistent(test, map, "test");
  if (std::ssize(little_float_class) != test.count()) {
    throw Error(ErrorKind::bad_data,
                fmt::format("test: {} answers of the float little network but {} "
                            "samples",
                            little_float_class.size(), test.count()));
  }
  if (classes.size() != map.little_of_big.size()) {
    throw Error(ErrorKind::bad_data, fmt::format("test: {} class names but the priority map has {}",
                                                 classes.size(), map.little_of_big.size()));
  }
}

Json to_json(const ClassRow& row) {
  return {{"name", row.name},
          {"priority", row.priority},
          {"n", row.n},
          {"big_accuracy", row.big_accuracy},
          {"system_accuracy", row.system_accuracy},
          {"local_share", row.local_share}};
}

}  // namespace

SystemReport evaluate_system(const Scores& test,
                             const std::vector<std::int64_t>& little_float_class,
                             const EscalationPolicy& policy, const PriorityMap& map,
                             const std::vector<std::string>& classes) {
  require_fitting(test, little_float_class, map, classes);
  const Outcomes outcomes = judge(test, policy, map);
  std::vector<bool> float_right;
  std::vector<bool> agree;
  for (std::size_t i = 0; i < little_float_class.size(); ++i) {
    const auto truth = static_cast<std::size_t>(test.truth[i]);
    float_right.push_back(little_float_class[i] == map.little_of_big[truth]);
    agree.push_back(little_float_class[i] == test.little_class[i]);
  }
  const std::int64_t n = test.count();
  const std::int64_t local = count_true(outcomes.local);

  SystemReport report;
  report.n = n;
  report.big = make_rate(count_true(outcomes.big_right), n);
  report.little_float = make_rate(count_true(float_right), n);
  report.little_int8 = make_rate(count_true(outcomes.little_right), n);
  report.agreement = make_rate(count_true(agree), n);
  report.system = make_rate(count_true(outcomes.system_right), n);
  report.loss = paired_difference(outcomes.big_right, outcomes.system_right);
  report.local = make_rate(local, n);
  report.priority_local = make_rate(count_true(both(outcomes.local, outcomes.true_priority)),
                                    count_true(outcomes.true_priority));
  report.local_correct = make_rate(count_true(both(outcomes.local, outcomes.device_right)), local);
  report.always_little = always_little(outcomes);
  report.random_escalation = random_escalation(outcomes);
  report.classes = class_rows(test, outcomes, map, classes);
  return report;
}

Json to_json(const SystemReport& report) {
  Json classes = Json::array();
  for (const ClassRow& row : report.classes) classes.push_back(to_json(row));
  const Json loss = {
      {"value", report.loss.value}, {"low", report.loss.low}, {"high", report.loss.high}};
  return {{"n", report.n},
          {"big", to_json(report.big)},
          {"little_float", to_json(report.little_float)},
          {"little_int8", to_json(report.little_int8)},
          {"agreement", to_json(report.agreement)},
          {"system", to_json(report.system)},
          {"loss", loss},
          {"local", to_json(report.local)},
          {"priority_local", to_json(report.priority_local)},
          {"local_correct", to_json(report.local_correct)},
          {"always_little", report.always_little},
          {"random_escalation", report.random_escalation},
          {"classes", classes}};
}

}  // namespace biglittle
