// SPDX-License-Identifier: MIT
#pragma once

// MODEL_CARD.md: what the bundle is for, what it was made and measured on, how good it is, what is
// certified, what it costs and what it does not promise. In the spirit of Mitchell et al., "Model
// Cards for Model Reporting" (FAT* 2019).

#include <string>

#include "bundle/report.h"
#include "calibrate/evaluate.h"

namespace biglittle {

/// Markdown; every number in it comes from `input`, nothing from the clock or the machine.
std::string model_card(const ReportInput& input, const SystemReport& test);

}  // namespace biglittle
