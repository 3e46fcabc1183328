// SPDX-License-Identifier: MIT
#pragma once

// report.json: the numbers of a bundle for programs, the same that report.html and MODEL_CARD.md
// state for people.

#include <filesystem>

#include "bundle/manifest.h"
#include "bundle/report.h"
#include "calibrate/evaluate.h"
#include "core/json.h"

namespace biglittle {

inline constexpr int kReportVersion = 2;

/// Name, data, results on test, policy with its certificate, and costs of both networks. Every
/// block has "measured_on" with the SHA-256 of the splits and networks behind it. Rates and other
/// measured fractions are written to nine significant digits, so that another machine's mathematics
/// library gives the same text.
Json report_json(const ReportInput& input, const SystemReport& test);

/// Reads a report and checks that it is one and that its name and data are the manifest's. Throws
/// Error{missing_input} or Error{bad_data}.
Json read_report(const std::filesystem::path& file, const Manifest& manifest);

}  // namespace biglittle
