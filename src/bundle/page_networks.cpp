// SPDX-License-Identifier: MIT
// The sections about the networks themselves: calibration of probabilities, int8 against float,
// costs, scores.

#include <fmt/format.h>

#include <algorithm>

#include "bundle/markup.h"
#include "bundle/report_charts.h"
#include "bundle/report_page.h"
#include "core/text.h"

namespace biglittle {
namespace {

/// "206" or "3.4": how many times as much.
std::string times(std::int64_t big, std::int64_t little) {
  if (little <= 0) return "&#8211;";
  const double ratio = static_cast<double>(big) / static_cast<double>(little);
  return fmt::format("{:.{}f} &#215;", ratio, ratio < 10.0 ? 1 : 0);
}

/// Two bars of one scale.
std::string compare_bars(std::int64_t big, std::int64_t little) {
  const auto most = static_cast<double>(std::max<std::int64_t>({big, little, 1}));
  const Part big_part{static_cast<double>(big) / most, "big"};
  const Part little_part{static_cast<double>(little) / most, "device"};
  return parts_bar(std::span(&big_part, 1)) + parts_bar(std::span(&little_part, 1));
}

TableRow cost_row(std::string what, std::int64_t big, std::int64_t little,
                  std::string (*text)(std::int64_t)) {
  return {{std::move(what), compare_bars(big, little), text(big), text(little), times(big, little)},
          ""};
}

}  // namespace

std::string reliability_section(const ReportPage& page) {
  const TemperatureReport& report = page.test.temperature;
  const std::string body =
      paragraph(fmt::format(
          "Where a bar reaches its line, the int8 network is right as often as it says. One "
          "temperature, {:.3f}, fitted on the {} samples of tune, divides its logits in the "
          "second drawing (Guo et al. 2017). The escalation rule does not use these probabilities.",
          report.temperature, with_thousands(report.fitted_on))) +
      "<div class=\"pair\">\n<figure>\n" +
      reliability_chart(report.before, "Reliability as the network is", "reliability-before") +
      "<figcaption>As it is</figcaption>\n</figure>\n<figure>\n" +
      reliability_chart(report.after, "Reliability after temperature scaling",
                        "reliability-after") +
      "<figcaption>After temperature scaling</figcaption>\n</figure>\n</div>\n" +
      html_table("Before and after",
                 {{"", Column::Kind::text}, {"as it is"}, {"after temperature"}},
                 {{{"expected calibration error", format_percent(report.before.expected_error),
                    format_percent(report.after.expected_error)},
                   ""},
                  {{"log loss, nats", fmt::format("{:.4f}", report.before.log_loss),
                    fmt::format("{:.4f}", report.after.log_loss)},
                   ""}});
  return page_section("reliability", "Do its probabilities mean what they say", body,
                      split_source(page, SplitName::test) + "; the temperature on " +
                          split_source(page, SplitName::tune));
}

std::string int8_section(const ReportPage& page) {
  const SystemReport& test = page.test;
  const std::string body =
      html_table("Accuracy over little classes", {{"little network", Column::Kind::text}, {"rate"}},
                 {{{"float32", rate_cell(test.little_float)}, ""},
                  {{"int8, which ships", rate_cell(test.little_int8)}, "priority"},
                  {{"both answer alike", rate_cell(test.agreement)}, ""}}) +
      paragraph(difference_text(test.int8_loss, "Lost by int8", "Gained by int8") + ".");
  return page_section("int8", "int8 against float", body,
                      split_source(page, SplitName::test) + ", with little " +
                          short_hash(page.input.parts.little_int8.source_digest));
}

std::string cost_section(const ReportPage& page) {
  const Cost big = answer_cost(page.input.parts.big);
  const Cost little = answer_cost(page.input.parts.little);
  std::string body = html_table(
      "Of one sample",
      {{"", Column::Kind::text},
       {"", Column::Kind::drawing},
       {"big", Column::Kind::number, "big"},
       {"little", Column::Kind::number, "device"},
       {"ratio"}},
      {cost_row("MACs", big.macs, little.macs, with_thousands),
       cost_row("weight bytes", big.parameters * 4, little.int8_weight_bytes, format_bytes),
       cost_row("parameters", big.parameters, little.parameters, with_thousands)});
  body +=
      paragraph(fmt::format("MACs are multiply-accumulates. Big's weights are float32, little's "
                            "int8. The device code holds {} "
                            "of constants and {} of working memory.",
                            format_bytes(page.input.footprint.constant_bytes),
                            format_bytes(page.input.footprint.arena_bytes)));
  const Certificate& certificate = page.policy().certificate;
  return page_section("cost", "Bytes and multiplications", body,
                      fmt::format("big {} and little int8 {}", short_hash(certificate.big_digest),
                                  short_hash(certificate.little_digest)));
}

std::string scores_section(const ReportPage& page) {
  if (page.test.merits.empty()) return "";
  std::vector<TableRow> rows;
  for (const ScoreMerit& merit : page.test.merits) {
    const bool used = merit.kind == page.policy().rule.kind;
    rows.push_back({{fmt::format("{}{}", name_of(merit.kind), used ? ", which ships" : ""),
                     fmt::format("{:.4f}", merit.area)},
                    used ? "priority" : ""});
  }
  const std::string body =
      paragraph(
          "The area under the deferral curve is the mean accuracy of the system over all "
          "numbers of local answers, taken in the order of the score; more is better.") +
      html_table("Scores by the area under the deferral curve",
                 {{"score", Column::Kind::text}, {"area"}}, rows);
  return page_section("scores", "Which score orders answers best", body,
                      split_source(page, SplitName::tune));
}

}  // namespace biglittle
