// SPDX-License-Identifier: MIT
#pragma once

// Logs from the field: what the little network answered to an input, with which score, and what the
// big network said of the same input. No true class is known there.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calibrate/policy.h"
#include "calibrate/scores.h"

namespace biglittle {

/// The rows of a log in the order of the file.
struct FieldLog {
  Scores scores;                    ///< `truth` is empty; `score`, too, where the log has none
  std::vector<std::int64_t> lines;  ///< [rows] in the file

  std::int64_t count() const { return static_cast<std::int64_t>(lines.size()); }
};

enum class ScoreColumn { needed, optional };

/// Reads columns little and big (class names) and score (an integer) of a CSV file; other columns
/// are left out. Throws what read_csv throws and Error{bad_data} with the line for a class that the
/// network does not know (with the closest one) and a score that the device cannot have given.
FieldLog read_field_log(const std::filesystem::path& file, const PriorityMap& map,
                        std::span<const std::string> big_classes, ScoreColumn score);

/// Throws Error{bad_data} that begins with `name` for a log that was drawn by the score: all of its
/// rows are answered by `policy`, or none, though that would come by chance less often than once in
/// a million logs of this size, by the escalation rate on calibration.
void require_unselected(const FieldLog& log, const EscalationPolicy& policy, std::string_view name);

/// Throws Error{bad_data}, with the line, for a row that `policy` does not answer on the device.
void require_local(const FieldLog& log, const EscalationPolicy& policy, const PriorityMap& map,
                   std::string_view name);

}  // namespace biglittle
