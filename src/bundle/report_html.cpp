// SPDX-License-Identifier: MIT
#include "bundle/report_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "bundle/markup.h"
#include "bundle/report_page.h"
#include "calibrate/search.h"
#include "core/text.h"
#include "core/version.h"

namespace biglittle {
namespace {

std::string head(const ReportPage& page) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
      "<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
      "<title>{}: escalation report</title>\n<style>\n{}</style>\n</head>\n",
      escape_markup(page.input.name), page_style());
}

/// The certificate in one sentence, or why there is none.
std::string headline(const ReportPage& page) {
  const Certificate& certificate = page.policy().certificate;
  constexpr std::size_t kLongSentence = 420;  // as many promises make it; larger type would shout
  const std::string sentence = explain(page.policy());
  const std::string_view verdict = certificate.certified ? "Certified" : "Not certified";
  return fmt::format(
      "<header>\n<p class=\"kicker\">biglittle {} &#183; escalation report</p>\n<h1>{}</h1>\n"
      "<p class=\"verdict {}\">{}</p>\n<p class=\"lead{}\">{}.</p>\n<p class=\"source\">Calibrated "
      "on "
      "{}; little int8 network {}, big network {}.</p>\n</header>\n",
      program_version(), escape_markup(page.input.name), certificate.certified ? "yes" : "no",
      verdict, sentence.size() > kLongSentence ? " long" : "", escape_markup(sentence),
      page.input.answers.log
          ? fmt::format("a field log {}, {} answers", short_hash(certificate.calibration_digest),
                        with_thousands(certificate.n))
          : split_source(page, SplitName::calibration),
      short_hash(certificate.little_digest), short_hash(certificate.big_digest));
}

std::string figure(std::string_view what, const Rate& rate, std::string_view role) {
  return fmt::format(
      "<div class=\"{}\"><dt>{}</dt><dd class=\"value\">{}</dd><dd class=\"interval\">{:.1f} to "
      "{:.1f} %</dd></div>\n",
      role, what, format_percent(rate.value), 100.0 * rate.low, 100.0 * rate.high);
}

std::string figures(const ReportPage& page) {
  const SystemReport& test = page.test;
  return "<section class=\"figures\" aria-label=\"The four numbers\">\n<dl>\n" +
         figure("accuracy of the system", test.system, "system") +
         figure("accuracy of big alone", test.big, "big") +
         figure(page.filters() ? "of priority inputs kept on the device"
                               : "of priority inputs answered on the device",
                test.priority_local, "device") +
         figure("of all inputs escalated", test.escalated, "big") +
         fmt::format(
             "</dl>\n<p class=\"source\">Measured on {}. Intervals are exact at 95 %.{}</p>"
             "\n</section>\n",
             split_source(page, SplitName::test),
             page.filters() ? " Accuracies are over priority classes and other, for big too." : "");
}

/// A rate of a risk, with more than two decimals where two would hide it.
std::string amount(const RiskResult& risk, double value) {
  if (risk.risk == "cost") return fmt::format("{:.4g}", value);
  const double percent = 100.0 * value;
  const bool small = percent != 0.0 && std::abs(percent) < 0.1;
  return small ? fmt::format("{:.2g} %", percent) : fmt::format("{:.2f} %", percent);
}

/// What a risk limits, in few words.
std::string risk_words(const std::string& risk) {
  static const std::map<std::string, std::string> words = {
      {"net-loss", "accuracy lost against big"},
      {"harm", "inputs spoilt that big gets right"},
      {"selective", "wrong among local answers"},
      {"agreement", "local answers that differ from big's"},
      {"cost", "cost an input"},
      {"budget", "inputs escalated"}};
  const auto known = words.find(risk);
  if (known != words.end()) return known->second;
  const std::size_t colon = risk.find(':');
  if (colon == std::string::npos) return risk;
  const std::string of = risk.substr(colon + 1);
  return risk.starts_with("miss") ? of + " answered wrongly" : of + " dropped as other";
}

/// Risk by risk: what was asked, measured and could have been asked.
std::string certificate_section(const ReportPage& page) {
  const Certificate& certificate = page.policy().certificate;
  std::vector<TableRow> rows;
  for (const RiskResult& risk : certificate.risks) {
    rows.push_back(
        {{escape_markup(risk_words(risk.risk)), amount(risk, risk.bound),
          amount(risk, risk.estimate), amount(risk, std::ceil(risk.upper_bound * 1e5 - 1e-6) / 1e5),
          with_thousands(risk.n), fmt::format("{:.2g}", risk.p_value)},
         ""});
  }
  const std::string where = certificate.certified
                                ? "at the chosen thresholds"
                                : "at the first thresholds tried, where it did not pass";
  const std::string body =
      paragraph(fmt::format("The numbers are at level {:g}, {}. The smallest bound is what "
                            "these samples would "
                            "have allowed to promise there.",
                            reported_level(certificate), where)) +
      html_table("Promise by promise",
                 {{"promise", Column::Kind::text},
                  {"asked: at most"},
                  {"measured"},
                  {"smallest bound"},
                  {"samples", Column::Kind::minor_number},
                  {"p-value", Column::Kind::minor_number}},
                 rows);
  return page_section("certificate", "What is promised", body, "");
}

std::string limits_section() {
  return page_section(
      "limits", "What this does not promise",
      "<ul>\n"
      "<li>Nothing about inputs unlike the calibration samples: another camera, another season or "
      "another mix of classes needs a new calibration.</li>\n"
      "<li>Nothing about a single input; it bounds a rate over many.</li>\n"
      "<li>Nothing about how right big is: losses are counted against big's own answers.</li>\n"
      "<li>The results above are of one test split and one training run.</li>\n</ul>\n",
      "");
}

}  // namespace

std::string report_html(const ReportInput& input, const SystemReport& test) {
  const ReportPage page{input, test};
  return head(page) + "<body>\n<main>\n" + headline(page) + figures(page) + curve_section(page) +
         certificate_section(page) + classes_section(page) + confusion_section(page) +
         reliability_section(page) + "<div class=\"pair uneven\">\n" + int8_section(page) +
         cost_section(page) + "</div>\n" + scores_section(page) + forecast_section(page) +
         audit_section(page) + limits_section() + provenance_section(page) +
         "</main>\n</body>\n</html>\n";
}

}  // namespace biglittle
