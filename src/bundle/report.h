// SPDX-License-Identifier: MIT
#pragma once

// The reports of a bundle: report.json for programs, report.html and MODEL_CARD.md for people. They
// are computed from the networks, the policy and the recorded answers alone, so that verify can
// compute them again and compare.

#include <string>

#include "bundle/answers.h"
#include "bundle/c_source.h"
#include "bundle/manifest.h"
#include "bundle/parts.h"

namespace biglittle {

/// What is reported on. References to things that outlive it.
struct ReportInput {
  const std::string& name;  ///< of the bundle
  Parts parts;
  const RecordedAnswers& answers;
  const MeasuredOn& measured_on;
  const DeviceFootprint& footprint;
};

/// "report.json", "report.html" and "MODEL_CARD.md" -> text. Nothing in them comes from the clock
/// or the machine: the same input always gives the same bytes. Throws what evaluate_system throws.
FileSet report_files(const ReportInput& input);

}  // namespace biglittle
