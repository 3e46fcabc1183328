// SPDX-License-Identifier: MIT
#pragma once

// answers.safetensors: what both networks answered to every sample of tune, calibration and test.
// With it the certificate and the report can be computed again from the bundle alone, without the
// dataset and without running the big network.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calibrate/scores.h"

namespace biglittle {

struct RecordedAnswers {
  Answers tune;                                  ///< shaped the policy's path
  Answers calibration;                           ///< certified it, unless there is a log
  Answers test;                                  ///< is reported on
  std::vector<std::int64_t> little_float_class;  ///< the float little network's, on test
  /// Of a recalibrated bundle: the field log that certified its policy; `truth` is empty.
  std::optional<Scores> log;
};

/// What the certificate was computed from: the log, or the scores of calibration by `rule`. Throws
/// what make_scores throws.
Scores certifying_scores(const RecordedAnswers& answers, const ScoreRule& rule,
                         const PriorityMap& map);

/// SHA-256 of a log's rows: the calibration_digest of a certificate that was computed from it.
std::string log_digest(const Scores& log);

/// Throws Error{bad_data} that begins with `name` unless every split has at least one row, vectors
/// have their split's length, classes exist in the map, accumulators are within kAccumulatorLimit,
/// and the log's scores are such that a device can give.
void require_consistent(const RecordedAnswers& answers, const PriorityMap& map,
                        std::string_view name);

/// The same answers always give the same bytes. The answers are consistent.
void write_answers(const std::filesystem::path& file, const RecordedAnswers& answers);

/// Reads a file that may be hostile: format, version, types, shapes, and what require_consistent
/// checks. Throws Error{missing_input} or Error{bad_data}.
RecordedAnswers read_answers(const std::filesystem::path& file, const PriorityMap& map);

}  // namespace biglittle
