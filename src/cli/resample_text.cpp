// SPDX-License-Identifier: MIT
#include "cli/resample_text.h"

#include <fmt/format.h>

#include "core/text.h"

namespace biglittle {
namespace {

std::string frequency(const Rate& rate) {
  if (rate.n == 0) return "-";
  return fmt::format("{} ({:.2f} to {:.2f})", format_percent(rate.value), 100.0 * rate.low,
                     100.0 * rate.high);
}

std::string range(const RuleRecord& record) {
  return fmt::format("{:.2f} to {:.2f} %", 100.0 * record.lowest_escalation,
                     100.0 * record.highest_escalation);
}

std::string ratio(const RuleRecord& record) {
  return record.oracle_ratio ? fmt::format("{:.3f}", *record.oracle_ratio) : "-";
}

std::vector<std::vector<std::string>> table_rows(const ResampleReport& report) {
  const RuleRecord& certified = report.certified;
  const RuleRecord& naive = report.naive;
  std::vector<std::vector<std::string>> rows;
  rows.push_back(
      {"draws with local answers allowed", frequency(certified.chosen), frequency(naive.chosen)});
  rows.push_back({"draws whose rule breaks a bound on the pool", frequency(certified.violated),
                  frequency(naive.violated)});
  for (std::size_t risk = 0; report.risks.size() > 1 && risk < report.risks.size(); ++risk) {
    rows.push_back({"  " + report.risks[risk], frequency(certified.violated_by_risk[risk]),
                    frequency(naive.violated_by_risk[risk])});
  }
  rows.push_back({"the same on the samples left over (these vary, too)",
                  frequency(certified.violated_left_over), frequency(naive.violated_left_over)});
  rows.push_back({"median escalation on the pool", format_percent(certified.median_escalation),
                  format_percent(naive.median_escalation)});
  rows.push_back({"range of escalation", range(certified), range(naive)});
  rows.push_back({"median escalation / oracle's", ratio(certified), ratio(naive)});
  return rows;
}

}  // namespace

std::string resample_text(const ResampleReport& report) {
  std::string text = fmt::format(
      "{} draws of {} from the {} samples of calibration and test, {} replacement, seed {}\n\n",
      with_thousands(report.options.draws), with_thousands(report.options.size),
      with_thousands(report.pool), report.options.draw == DrawKind::split ? "without" : "with",
      report.options.seed);
  text += format_table({"on these draws (95 % intervals)", "certified", "measured only"},
                       table_rows(report));
  text += report.oracle_step < 0
              ? std::string("\noracle       no step of the path keeps the bounds on the pool\n")
              : fmt::format(
                    "\noracle       escalates {} of the pool: the most local step that "
                    "keeps the bounds there\n",
                    format_percent(report.oracle_escalation));
  text += fmt::format("path         {} of its {} steps break a bound on the pool{}\n",
                      report.breaking_steps, report.steps,
                      report.breaking_steps > 0
                          ? ""
                          : ": no rule can be caught here; ask for tighter bounds with --set");
  text +=
      fmt::format("delta        {}: {}\n", format_percent(report.delta),
                  violates_too_often(report) ? "broken more often than that, beyond the interval"
                                             : "kept, within the interval");
  return text;
}

}  // namespace biglittle
