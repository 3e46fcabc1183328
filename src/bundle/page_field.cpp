// SPDX-License-Identifier: MIT
// The sections about use: what 1,000 inputs lead to, the audit, and where every number comes from.

#include <fmt/format.h>

#include "bundle/markup.h"
#include "bundle/report_charts.h"
#include "bundle/report_page.h"
#include "calibrate/drift.h"
#include "core/text.h"
#include "core/version.h"

namespace biglittle {
namespace {

std::string expected_cell(const Expected& expected) {
  // A tenth of an input only where there are few.
  const int decimals = expected.high < 100.0 ? 1 : 0;
  return fmt::format("{:.{}f}<small>{:.{}f} to {:.{}f}</small>", expected.value, decimals,
                     expected.low, decimals, expected.high, decimals);
}

std::string forecast_bar(const std::array<Expected, 3>& fate, double inputs) {
  if (inputs <= 0.0) return "";
  static constexpr std::array<std::string_view, 3> roles = {"device", "dropped", "big"};
  std::array<Part, 3> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) parts[i] = {fate[i].value / inputs, roles[i]};
  return parts_bar(parts);
}

std::vector<Column> forecast_columns(const ReportPage& page) {
  std::vector<Column> columns = {{"class", Column::Kind::text},
                                 {"", Column::Kind::drawing},
                                 {"inputs", Column::Kind::minor_number},
                                 {"answered", Column::Kind::number, "device"}};
  if (page.filters()) columns.push_back({"dropped", Column::Kind::number, "dropped"});
  columns.push_back({"escalated", Column::Kind::number, "big"});
  return columns;
}

TableRow forecast_row(const ReportPage& page, const std::string& name, double inputs,
                      const std::array<Expected, 3>& fate, std::string style) {
  TableRow row{{name, forecast_bar(fate, inputs), fmt::format("{:.0f}", inputs)}, std::move(style)};
  for (const Fate kind : kFates) {
    if (kind == Fate::dropped && !page.filters()) continue;
    row.cells.push_back(expected_cell(fate[static_cast<std::size_t>(kind)]));
  }
  return row;
}

std::string forecast_table(const ReportPage& page, const Forecast& forecast,
                           std::string_view caption) {
  std::vector<TableRow> rows;
  rows.push_back(forecast_row(page, "all", 1000.0, forecast.total, "priority"));
  for (const bool priority : {true, false}) {
    for (std::size_t c = 0; c < forecast.classes.size(); ++c) {
      if (page.test.classes[c].priority != priority) continue;
      const ForecastRow& row = forecast.classes[c];
      rows.push_back(forecast_row(page, escape_markup(row.name), row.inputs, row.fate, ""));
    }
  }
  return html_table(caption, forecast_columns(page), rows);
}

/// How soon an alarm would sound if the networks came to differ more often.
std::string alarm_table(const AuditRule& audit) {
  std::vector<TableRow> rows;
  for (const double factor : {2.0, 3.0, 5.0}) {
    const double rate = factor * audit.disagreement;
    if (rate >= 1.0) continue;
    const std::optional<std::int64_t> answers =
        answers_to_alarm(audit.disagreement, rate, audit.level);
    if (!answers) continue;
    const double local = static_cast<double>(*answers) / audit.fraction;
    rows.push_back({{format_percent(rate), with_thousands(*answers),
                     with_thousands(static_cast<std::int64_t>(local))},
                    ""});
  }
  if (rows.empty()) return "";
  return html_table(
      "How soon the alarm sounds, on average",
      {{"networks differ on", Column::Kind::text}, {"audited answers"}, {"answers on the device"}},
      rows);
}

void add_digest(std::vector<TableRow>& rows, const std::string& what, const std::string& note,
                const std::string& digest) {
  if (digest.empty()) return;
  rows.push_back({{what, note, fmt::format("<code>{}</code>", escape_markup(digest))}, ""});
}

}  // namespace

std::string forecast_section(const ReportPage& page) {
  const SystemReport& test = page.test;
  std::string body;
  if (test.field_forecast) {
    body += forecast_table(page, *test.field_forecast, "In the field's mix of classes");
  }
  body += forecast_table(page, test.data_forecast, "In the data's mix of classes");
  body += paragraph(
      "Expected numbers for a mix of classes taken as known, with 95 % intervals: exact ones "
      "(Clopper and Pearson) for each class, added in squares for the total (Zou, Huang and Zhang "
      "2009). Audited answers are not counted as escalated.");
  return page_section("forecast", "What 1,000 inputs lead to", body,
                      split_source(page, SplitName::test));
}

std::string audit_section(const ReportPage& page) {
  const AuditRule& audit = page.policy().audit;
  if (always_escalates(page.policy()) || audit.fraction <= 0.0) {
    return page_section("audit", "Watching for drift",
                        paragraph("No local answer is audited under this policy."), "");
  }
  const double answered = 1000.0 * page.test.local.value;
  const std::string body =
      paragraph(fmt::format(
          "{} of the local answers are sent up anyway, about {:.1f} of 1,000 inputs. On "
          "calibration "
          "little and big differ on at most {} of the local answers (Clopper and Pearson, {:.6g} "
          "%). A bettor plays against that; the alarm of 'biglittle audit' sounds when its "
          "evidence "
          "reaches {:.4g} to 1, and is ever false with probability at most {}. An alarm means: the "
          "certificate no longer speaks about these inputs.",
          format_percent(audit.fraction), answered * audit.fraction,
          format_percent(audit.disagreement), 100.0 * (1.0 - page.policy().certificate.delta),
          1.0 / audit.level, format_percent(audit.level))) +
      alarm_table(audit);
  const std::string source =
      page.input.answers.log
          ? "the field log " + short_hash(page.policy().certificate.calibration_digest)
          : split_source(page, SplitName::calibration);
  return page_section("audit", "Watching for drift", body, source);
}

std::string provenance_section(const ReportPage& page) {
  static constexpr std::array<std::string_view, 4> uses = {
      "fitted the weights", "fixed epochs, ranges, the path and the temperature",
      "read once, by the certificate", "read only by this report"};
  const MeasuredOn& measured = page.input.measured_on;
  const Certificate& certificate = page.policy().certificate;
  std::vector<TableRow> rows;
  add_digest(rows, "dataset", "all four splits", measured.dataset_digest);
  for (std::size_t i = 0; i < measured.splits.size(); ++i) {
    add_digest(rows, fmt::format("{} split", kSplitNames[i]),
               fmt::format("{} samples, {}", with_thousands(measured.splits[i].samples), uses[i]),
               measured.splits[i].digest);
  }
  if (page.input.answers.log) {
    add_digest(rows, "field log",
               fmt::format("{} answers, certified this policy", with_thousands(certificate.n)),
               certificate.calibration_digest);
  }
  add_digest(rows, "big network", "float32", certificate.big_digest);
  add_digest(rows, "little network", "float32", page.input.parts.little_int8.source_digest);
  add_digest(rows, "little network", "int8, bound to the policy", certificate.little_digest);
  const std::string body = html_table("SHA-256 of what this page was measured on",
                                      {{"what", Column::Kind::text},
                                       {"role", Column::Kind::text},
                                       {"SHA-256", Column::Kind::text}},
                                      rows) +
                           paragraph(fmt::format("Written by biglittle {}. The same numbers are in "
                                                 "report.json; 'biglittle verify' computes "
                                                 "both again from answers.safetensors.",
                                                 program_version()));
  return page_section("provenance", "Where every number comes from", body, "");
}

}  // namespace biglittle
