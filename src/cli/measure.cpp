// SPDX-License-Identifier: MIT
#include "cli/measure.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "quant/interpreter.h"

namespace biglittle {
namespace {

std::string interval(double low, double high) {
  return fmt::format("{:.2f} to {:.2f} %", 100.0 * low, 100.0 * high);
}

std::vector<std::string> rate_row(std::string what, const Rate& rate) {
  return {std::move(what), format_percent(rate.value), interval(rate.low, rate.high),
          with_thousands(rate.n)};
}

std::string forecast_line(const Forecast& forecast, OtherMode other, std::string_view mix) {
  const auto number = [&](Fate fate) {
    return fmt::format("{:.0f} {}", forecast.of(fate).value, name_of(fate));
  };
  std::string text = fmt::format("1,000 inputs  {}, ", number(Fate::answered));
  if (other == OtherMode::answer) text += number(Fate::dropped) + ", ";
  return text + fmt::format("{} in {} mix of classes\n", number(Fate::escalated), mix);
}

std::string forecast_lines(const SystemReport& report) {
  std::string text = forecast_line(report.data_forecast, report.other, "the data's");
  if (report.field_forecast) {
    text += forecast_line(*report.field_forecast, report.other, "the field's");
  }
  return text;
}

}  // namespace

std::vector<std::int64_t> predicted_classes(std::span<const float> logits, std::int64_t classes) {
  const auto width = static_cast<std::size_t>(classes);
  std::vector<std::int64_t> answers;
  answers.reserve(logits.size() / width);
  for (std::size_t row = 0; row + width <= logits.size(); row += width) {
    const auto begin = logits.begin() + static_cast<std::ptrdiff_t>(row);
    answers.push_back(std::max_element(begin, begin + classes) - begin);
  }
  return answers;
}

double share_equal(std::span<const std::int64_t> left, std::span<const std::int64_t> right) {
  if (left.empty()) return 0.0;
  std::int64_t equal = 0;
  for (std::size_t index = 0; index < left.size(); ++index) {
    if (left[index] == right[index]) ++equal;
  }
  return static_cast<double>(equal) / static_cast<double>(left.size());
}

const PriorityMap& priority_of(const Checkpoint& little) {
  if (!little.priority) {
    throw Error(ErrorKind::bad_data,
                "the little network has no priority map; make it with 'biglittle derive-little'");
  }
  return *little.priority;
}

Answers answer_split(const NetworkPair& pair, const Split& split) {
  std::vector<std::int32_t> accumulators =
      Interpreter(pair.little_int8).run(split.samples, pair.compute.threads);
  const std::vector<float> big_logits =
      pair.engine.logits(pair.big.network, pair.big.preprocessing, split.samples, pair.compute);
  return make_answers(std::move(accumulators), big_logits, split.labels, priority_of(pair.little));
}

void bind(EscalationPolicy& policy, const NetworkPair& pair, const Dataset& dataset) {
  Certificate& certificate = policy.certificate;
  certificate.tune_digest = dataset.split(SplitName::tune).digest;
  certificate.calibration_digest = dataset.split(SplitName::calibration).digest;
  certificate.little_digest = int8_digest(pair.little_int8);
  certificate.big_digest = network_digest(pair.big.network);
}

std::vector<std::int64_t> little_float_classes(const NetworkPair& pair, const Split& split) {
  const std::vector<float> logits = pair.engine.logits(
      pair.little.network, pair.little.preprocessing, split.samples, pair.compute);
  return predicted_classes(logits, priority_of(pair.little).classes());
}

SystemReport report_answers(const NetworkPair& pair, const RecordedAnswers& answers,
                            const EscalationPolicy& policy) {
  return evaluate_system({answers.test, answers.tune, answers.little_float_class,
                          static_cast<double>(logit_scale(pair.little_int8))},
                         policy, priority_of(pair.little), pair.big.classes);
}

std::string report_text(const SystemReport& report) {
  const bool filters = report.other == OtherMode::answer;
  const std::string none = "";
  std::vector<std::vector<std::string>> rows;
  rows.push_back(rate_row("big", report.big));
  rows.push_back(rate_row("little, float32", report.little_float));
  rows.push_back(rate_row("little, int8", report.little_int8));
  rows.push_back(rate_row("little int8 agrees with float32", report.agreement));
  rows.push_back(rate_row("system", report.system));
  rows.push_back(
      {"big minus system, in points", fmt::format("{:.2f}  ", 100.0 * report.loss.value),
       fmt::format("{:.2f} to {:.2f}  ", 100.0 * report.loss.low, 100.0 * report.loss.high),
       with_thousands(report.n)});
  rows.push_back(rate_row("escalated, all inputs", report.escalated));
  if (report.curve.over_oracle) {
    rows.push_back({"  as a multiple of the oracle's",
                    fmt::format("{:.2f}  ", *report.curve.over_oracle), none, none});
  }
  rows.push_back(rate_row("answered locally, all inputs", report.local));
  if (filters) rows.push_back(rate_row("  of these dropped as other, all inputs", report.dropped));
  rows.push_back(rate_row("answered locally, priority inputs", report.priority_local));
  rows.push_back(rate_row("right among local answers", report.local_correct));
  rows.push_back({"reference: always escalate", format_percent(report.big.value), none, none});
  rows.push_back({filters ? "reference: never escalate" : "reference: never escalate priorities",
                  format_percent(report.always_little), none, none});
  rows.push_back(
      {"reference: random escalation", format_percent(report.random_escalation), none, none});
  return format_table({"on test", "value", "95 % interval", "n"}, rows) + "\n" +
         forecast_lines(report);
}

std::string class_table(const SystemReport& report) {
  const bool filters = report.other == OtherMode::answer;
  std::vector<std::string> header = {"class", "priority", "n", "big", "system", "local"};
  if (filters) header.push_back("dropped");
  std::vector<std::vector<std::string>> rows;
  for (const ClassRow& row : report.classes) {
    rows.push_back({row.name, row.priority ? "yes" : "", with_thousands(row.n),
                    format_percent(row.big_accuracy), format_percent(row.system_accuracy),
                    format_percent(row.local.value)});
    if (filters) rows.back().push_back(format_percent(row.dropped.value));
  }
  return format_table(header, rows);
}

}  // namespace biglittle
