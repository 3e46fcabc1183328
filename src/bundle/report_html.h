// SPDX-License-Identifier: MIT
#pragma once

// report.html: the bundle's numbers for people, one file without scripts that loads nothing, for a
// phone, a desk and paper.

#include <string>

#include "bundle/report.h"
#include "calibrate/evaluate.h"

namespace biglittle {

/// The whole page: HTML that is also well-formed XML.
std::string report_html(const ReportInput& input, const SystemReport& test);

}  // namespace biglittle
