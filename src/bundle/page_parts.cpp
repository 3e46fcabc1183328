// SPDX-License-Identifier: MIT
// What every section of the page is made of.

#include <fmt/format.h>

#include "bundle/markup.h"
#include "bundle/report_page.h"
#include "core/text.h"

namespace biglittle {

std::string page_section(std::string_view id, std::string_view title, const std::string& body,
                         const std::string& source) {
  const std::string measured =
      source.empty() ? "" : fmt::format("<p class=\"source\">Measured on {}.</p>\n", source);
  return fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n{}{}</section>\n", id, escape_markup(title),
                     body, measured);
}

std::string paragraph(std::string_view text) { return "<p>" + escape_markup(text) + "</p>\n"; }

std::string short_hash(std::string_view digest) {
  constexpr std::size_t kShown = 12;
  return fmt::format("<a href=\"#provenance\"><code>{}</code></a>",
                     escape_markup(digest.substr(0, kShown)));
}

std::string split_source(const ReportPage& page, SplitName split) {
  const SplitRecord& record = page.input.measured_on.splits[static_cast<std::size_t>(split)];
  return fmt::format("the {} split {}, {} samples", kSplitNames[static_cast<std::size_t>(split)],
                     short_hash(record.digest), with_thousands(record.samples));
}

std::string difference_text(const PairedDifference& loss, std::string_view lost,
                            std::string_view gained) {
  const bool gain = loss.value < 0.0;
  return fmt::format("{}: {:.2f} points (95 % interval {:.2f} to {:.2f}, paired)",
                     gain ? gained : lost, 100.0 * (gain ? -loss.value : loss.value),
                     100.0 * (gain ? -loss.high : loss.low),
                     100.0 * (gain ? -loss.low : loss.high));
}

std::string rate_cell(const Rate& rate) {
  if (rate.n == 0) return "&#8211;";
  return fmt::format("{}<small>{:.1f} to {:.1f}</small>", format_percent(rate.value),
                     100.0 * rate.low, 100.0 * rate.high);
}

}  // namespace biglittle
