// SPDX-License-Identifier: MIT
#pragma once

// The sections of report.html, each a whole <section> with the hash of what it was measured on.

#include <string>
#include <string_view>
#include <vector>

#include "bundle/report.h"
#include "calibrate/evaluate.h"

namespace biglittle {

/// What the page is written from. References to things that outlive it.
struct ReportPage {
  const ReportInput& input;
  const SystemReport& test;

  const EscalationPolicy& policy() const { return input.parts.policy; }
  const PriorityMap& priorities() const { return *input.parts.little.priority; }
  bool filters() const { return test.other == OtherMode::answer; }
};

/// A heading and what follows it. `title` is text, `body` and `source` markup; `source` says what
/// the numbers were measured on and may be empty.
std::string page_section(std::string_view id, std::string_view title, const std::string& body,
                         const std::string& source);

/// "<p>text</p>"; `text` is text.
std::string paragraph(std::string_view text);

/// "<code>1a2b3c4d5e6f</code>", the beginning of a SHA-256, leading to the whole of it.
std::string short_hash(std::string_view digest);

/// "test split 1a2b3c4d5e6f, 10,000 samples".
std::string split_source(const ReportPage& page, SplitName split);

/// "Lost by int8: 0.07 points (95 % interval -0.02 to 0.16, paired)", or the words for a gain.
std::string difference_text(const PairedDifference& loss, std::string_view lost,
                            std::string_view gained);

/// "94.20 %" with its interval below in small letters.
std::string rate_cell(const Rate& rate);

std::string curve_section(const ReportPage& page);
std::string classes_section(const ReportPage& page);
std::string confusion_section(const ReportPage& page);
std::string reliability_section(const ReportPage& page);
std::string int8_section(const ReportPage& page);
std::string cost_section(const ReportPage& page);
std::string scores_section(const ReportPage& page);
std::string forecast_section(const ReportPage& page);
std::string audit_section(const ReportPage& page);
std::string provenance_section(const ReportPage& page);

/// The style sheet; it loads nothing.
std::string_view page_style();

}  // namespace biglittle
