// SPDX-License-Identifier: MIT
// The sections about who answers what: the deferral curve, shares per class, the confusion of
// answers.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "bundle/markup.h"
#include "bundle/report_charts.h"
#include "bundle/report_page.h"
#include "core/text.h"

namespace biglittle {
namespace {

/// Wider confusion tables than this cannot be read; larger ones are summed up.
constexpr std::size_t kMostConfusionClasses = 12;

std::optional<double> net_loss_bound(const Certificate& certificate) {
  for (const RiskResult& risk : certificate.risks) {
    if (risk.risk == "net-loss") return risk.bound;
  }
  return std::nullopt;
}

std::string oracle_text(const DeferralCurve& curve) {
  if (curve.oracle_step < 0) return "On test no step keeps every asked bound.";
  std::string text = fmt::format(
      "The oracle, the best step of the same path when the test answers are known, escalates {}",
      format_percent(curve.at(curve.oracle_step).escalation));
  if (curve.over_oracle) {
    text += fmt::format("; the policy escalates {:.2f} times as much", *curve.over_oracle);
  }
  return text + ".";
}

std::string comparison_text(const SystemReport& test) {
  std::string text =
      difference_text(test.loss, "Lost against big alone", "Gained over big alone") + ".";
  if (test.local_correct.n == 0) return text;
  return text + fmt::format(" Right among what the device answered: {}.",
                            format_percent(test.local_correct.value));
}

std::string reference_rows(const DeferralCurve& curve, double random) {
  std::vector<TableRow> rows;
  const auto add = [&](std::string what, double escalation, double accuracy) {
    rows.push_back({{std::move(what), format_percent(escalation), format_percent(accuracy)}, ""});
  };
  const CurvePoint& chosen = curve.at(curve.chosen_step);
  add(curve.chosen_step < 0 ? "this policy" : "certified policy", chosen.escalation,
      chosen.accuracy);
  if (curve.oracle_step >= 0) {
    const CurvePoint& oracle = curve.at(curve.oracle_step);
    add("oracle", oracle.escalation, oracle.accuracy);
  }
  add("as much, at random", chosen.escalation, random);
  add("always big", curve.always_big.escalation, curve.always_big.accuracy);
  add("always little", curve.always_little.escalation, curve.always_little.accuracy);
  return html_table("Against the references",
                    {{"policy", Column::Kind::text}, {"escalated"}, {"accuracy"}}, rows);
}

std::vector<Column> class_columns(const ReportPage& page) {
  std::vector<Column> columns = {{"class", Column::Kind::text}, {"", Column::Kind::drawing}};
  if (page.filters()) {
    columns.push_back({"on the device"});
    columns.push_back({"of it dropped", Column::Kind::number, "dropped"});
  } else {
    columns.push_back({"on the device", Column::Kind::number, "device"});
  }
  columns.push_back({"system", page.filters() ? Column::Kind::minor_number : Column::Kind::number});
  columns.push_back({"big", Column::Kind::minor_number});
  columns.push_back({"inputs", Column::Kind::minor_number});
  return columns;
}

TableRow class_line(const ReportPage& page, const ClassRow& row) {
  const Part answered{row.local.value - row.dropped.value, row.priority ? "device" : "wrong"};
  const std::array<Part, 2> parts = {answered, Part{row.dropped.value, "dropped"}};
  TableRow line{{escape_markup(row.name), share_bar(row.local, parts), rate_cell(row.local)},
                row.priority ? "priority" : ""};
  if (page.filters()) line.cells.push_back(rate_cell(row.dropped));
  line.cells.push_back(format_percent(row.system_accuracy));
  line.cells.push_back(format_percent(row.big_accuracy));
  line.cells.push_back(with_thousands(row.n));
  return line;
}

std::string tinted(std::int64_t count, std::int64_t of_row, std::string_view role) {
  const double share = of_row == 0 ? 0.0 : static_cast<double>(count) / static_cast<double>(of_row);
  return fmt::format("<span class=\"tint {}\" style=\"--share:{:.3f}\">{}</span>", role, share,
                     with_thousands(count));
}

std::int64_t total(const std::vector<std::int64_t>& counts) {
  std::int64_t sum = 0;
  for (const std::int64_t count : counts) sum += count;
  return sum;
}

/// One column for each answer.
std::string whole_confusion(const ReportPage& page) {
  const Confusion& confusion = page.test.confusion;
  const std::size_t classes = confusion.names.size();
  const bool hides_other = page.priorities().has_other && !page.filters();
  const std::size_t answers = hides_other ? classes - 1 : classes;
  std::vector<Column> columns = {{"true class", Column::Kind::text}};
  for (std::size_t c = 0; c < answers; ++c) {
    columns.push_back({confusion.names[c] + (c + 1 == classes && page.filters() ? ", kept" : "")});
  }
  columns.push_back({"escalated", Column::Kind::number, "big"});
  columns.push_back({"inputs", Column::Kind::minor_number});
  std::vector<TableRow> rows;
  for (std::size_t truth = 0; truth < classes; ++truth) {
    const std::vector<std::int64_t>& counts = confusion.counts[truth];
    const std::int64_t sum = total(counts);
    TableRow row{{escape_markup(confusion.names[truth])}, ""};
    for (std::size_t c = 0; c < answers; ++c) {
      row.cells.push_back(tinted(counts[c], sum, c == truth ? "device" : "wrong"));
    }
    row.cells.push_back(tinted(counts[classes], sum, "big"));
    row.cells.push_back(with_thousands(sum));
    rows.push_back(std::move(row));
  }
  return html_table("Inputs by true class and by what the system answered on the device", columns,
                    rows);
}

/// Right, wrong and escalated, for many classes.
std::string short_confusion(const ReportPage& page) {
  const Confusion& confusion = page.test.confusion;
  const std::size_t classes = confusion.names.size();
  std::vector<TableRow> rows;
  for (std::size_t truth = 0; truth < classes; ++truth) {
    const std::vector<std::int64_t>& counts = confusion.counts[truth];
    const std::int64_t sum = total(counts);
    rows.push_back({{escape_markup(confusion.names[truth]), tinted(counts[truth], sum, "device"),
                     tinted(sum - counts[truth] - counts[classes], sum, "wrong"),
                     tinted(counts[classes], sum, "big"), with_thousands(sum)},
                    ""});
  }
  return html_table("Inputs by true class and by what became of them",
                    {{"true class", Column::Kind::text},
                     {"right on the device"},
                     {"wrong on the device"},
                     {"escalated", Column::Kind::number, "big"},
                     {"inputs", Column::Kind::minor_number}},
                    rows);
}

}  // namespace

std::string curve_section(const ReportPage& page) {
  const DeferralCurve& curve = page.test.curve;
  const std::optional<double> bound = net_loss_bound(page.policy().certificate);
  const std::string body =
      paragraph(oracle_text(curve)) + "<figure>\n" +
      deferral_chart(curve, bound, ChartWidth::wide, "curve-wide") +
      deferral_chart(curve, bound, ChartWidth::narrow, "curve-narrow") +
      fmt::format(
          "<figcaption>Every step of the path that was fixed on tune. The band holds all of them "
          "at "
          "once with {:.0f} % confidence: {:.2f} standard errors to each side, by a sup-t "
          "bootstrap "
          "of {} draws (Montiel Olea and Plagborg-M&#248;ller 2019).</figcaption>\n</figure>\n",
          100.0 * curve.band_level, curve.band_critical, with_thousands(curve.band_resamples)) +
      reference_rows(curve, page.test.random_escalation) + paragraph(comparison_text(page.test));
  return page_section("curve", "Accuracy against escalation", body,
                      split_source(page, SplitName::test));
}

std::string classes_section(const ReportPage& page) {
  std::vector<const ClassRow*> order;
  for (const ClassRow& row : page.test.classes) order.push_back(&row);
  std::ranges::stable_partition(order, [](const ClassRow* row) { return row->priority; });
  std::vector<TableRow> rows;
  for (const ClassRow* row : order) rows.push_back(class_line(page, *row));
  const std::string body =
      paragraph(
          fmt::format("Of the {} priority inputs {} stay on the device. Priority classes come "
                      "first; the thin line is the exact 95 % interval.",
                      with_thousands(page.test.priority_local.n),
                      format_percent(page.test.priority_local.value))) +
      html_table("Share kept on the device, and accuracy, by true class", class_columns(page),
                 rows);
  return page_section("classes", "Who stays on the device", body,
                      split_source(page, SplitName::test));
}

std::string confusion_section(const ReportPage& page) {
  const bool whole = page.test.confusion.names.size() <= kMostConfusionClasses;
  return page_section("confusion", "What was answered",
                      whole ? whole_confusion(page) : short_confusion(page),
                      split_source(page, SplitName::test));
}

}  // namespace biglittle
