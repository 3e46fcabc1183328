// SPDX-License-Identifier: MIT
#include "calibrate/field_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/csv.h"
#include "core/error.h"
#include "core/text.h"

namespace biglittle {
namespace {

/// A log refused by mistake this seldom is not worth a thought.
constexpr double kHardlyChance = 1e-6;

[[noreturn]] void refuse(std::string_view name, std::int64_t line, std::string_view reason) {
  throw Error(ErrorKind::bad_data, fmt::format("{}:{}: {}", name, line, reason));
}

std::int64_t class_index(std::string_view cell, std::span<const std::string> classes,
                         std::string_view column, std::string_view name, std::int64_t line) {
  const auto found = std::ranges::find(classes, cell);
  if (found != classes.end()) return found - classes.begin();
  const std::string shown = one_line(cell);
  const std::string meant = did_you_mean(shown, classes);
  refuse(
      name, line,
      fmt::format("{} is '{}', expected {}{}", column, shown,
                  classes.size() <= 12
                      ? join_or(std::vector<std::string>(classes.begin(), classes.end()))
                      : fmt::format("one of the {} network's {} classes", column, classes.size()),
                  meant));
}

std::int64_t score_value(std::string_view cell, std::string_view name, std::int64_t line) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (failure != std::errc() || end != cell.data() + cell.size() || cell.empty() ||
      value < kTieScore || value >= kAlwaysEscalate) {
    refuse(name, line,
           fmt::format("score is '{}', expected the integer that the device computed",
                       one_line(cell)));
  }
  return value;
}

/// How many rows the policy answers on the device.
std::int64_t local_rows(const FieldLog& log, const EscalationPolicy& policy) {
  std::int64_t local = 0;
  for (std::int64_t row = 0; row < log.count(); ++row) {
    local += answers_locally(log.scores, row, policy.thresholds);
  }
  return local;
}

}  // namespace

FieldLog read_field_log(const std::filesystem::path& file, const PriorityMap& map,
                        std::span<const std::string> big_classes, ScoreColumn score) {
  CsvColumns wanted{{"little", "big"}, {}};
  (score == ScoreColumn::needed ? wanted.needed : wanted.optional).push_back("score");
  const CsvTable table = read_csv(file, wanted);
  const std::string name = file.string();
  FieldLog log;
  log.lines = table.lines;
  for (std::size_t row = 0; row < log.lines.size(); ++row) {
    const std::int64_t line = log.lines[row];
    log.scores.little_class.push_back(
        class_index(table.columns.at("little")[row], map.names, "little", name, line));
    log.scores.big_class.push_back(
        class_index(table.columns.at("big")[row], big_classes, "big", name, line));
    if (!table.has("score")) continue;
    log.scores.score.push_back(score_value(table.columns.at("score")[row], name, line));
  }
  if (log.lines.empty()) {
    throw Error(ErrorKind::bad_data, fmt::format("{}: a header but no rows", name));
  }
  return log;
}

void require_unselected(const FieldLog& log, const EscalationPolicy& policy,
                        std::string_view name) {
  if (always_escalates(policy)) return;
  const std::int64_t local = local_rows(log, policy);
  const auto n = static_cast<double>(log.count());
  if (local == 0 && std::pow(policy.escalation.high, n) < kHardlyChance) {
    throw Error(ErrorKind::bad_data,
                fmt::format("{}: the bundle's policy escalates every one of the {} inputs, so this "
                            "is a log of escalated inputs and says nothing of local answers; log "
                            "inputs drawn without regard to the score",
                            name, with_thousands(log.count())));
  }
  if (local == log.count() && std::pow(1.0 - policy.escalation.low, n) < kHardlyChance) {
    throw Error(ErrorKind::bad_data,
                fmt::format("{}: the bundle's policy answers every one of the {} inputs on the "
                            "device, so escalated ones were left out; log inputs drawn without "
                            "regard to the score",
                            name, with_thousands(log.count())));
  }
}

void require_local(const FieldLog& log, const EscalationPolicy& policy, const PriorityMap& map,
                   std::string_view name) {
  for (std::int64_t row = 0; row < log.count(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    const auto answer = static_cast<std::size_t>(log.scores.little_class[at]);
    const std::int64_t threshold = policy.thresholds[answer];
    if (threshold == kAlwaysEscalate) {
      refuse(name, log.lines[at],
             fmt::format("little is '{}', which the bundle's policy never answers on the device; "
                         "log audited local answers only",
                         map.names[answer]));
    }
    if (log.scores.score.empty() || answers_locally(log.scores, row, policy.thresholds)) continue;
    refuse(name, log.lines[at],
           fmt::format("score {} of '{}' is below the threshold {}, so this input was escalated; "
                       "log audited local answers only",
                       log.scores.score[at], map.names[answer], threshold));
  }
}

}  // namespace biglittle
