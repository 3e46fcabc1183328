// SPDX-License-Identifier: MIT
#pragma once

// report.json: the numbers of a bundle for programs, the same that MODEL_CARD.md states for people.

#include "bundle/bundle.h"
#include "bundle/c_source.h"

namespace biglittle {

inline constexpr int kReportVersion = 1;

/// Name, data, results on test, policy with its certificate, and costs of both networks.
Json report_json(const ExportInput& input, const DeviceFootprint& footprint);

/// Reads a report and checks that it is one and that its name and data are the manifest's. Throws
/// Error{missing_input} or Error{bad_data}.
Json read_report(const std::filesystem::path& file, const Manifest& manifest);

}  // namespace biglittle
