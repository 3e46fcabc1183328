// SPDX-License-Identifier: MIT
#pragma once

// A small JSON file beside a stage's outputs: what they were made from. A stage is up to date while
// its inputs, its settings, the program version and its outputs are what the stamp says.

#include <optional>

#include "cli/stages.h"

namespace biglittle {

/// The result that `stage` gave when it made its outputs, or nothing when it has to be done
/// (again): never done, or inputs, settings, program version or outputs differ from the stamp.
std::optional<StageResult> up_to_date_result(Stage stage, const Project& project);

/// States that `stage` has just made its outputs.
void write_stamp(Stage stage, const Project& project, const StageResult& result);

}  // namespace biglittle
