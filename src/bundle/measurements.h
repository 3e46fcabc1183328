// SPDX-License-Identifier: MIT
#pragma once

// Whether the recorded answers are of the data that the manifest names, and the certificate and the
// test vectors of these answers.

#include <string_view>

#include "bundle/answers.h"
#include "bundle/manifest.h"
#include "bundle/vectors.h"
#include "calibrate/policy.h"

namespace biglittle {

/// Throws Error{bad_data} that begins with `name` unless there are as many answers as the splits
/// have samples.
void check_counts(const RecordedAnswers& answers, const MeasuredOn& measured_on,
                  std::string_view name);

/// Throws Error{bad_data} that begins with `name` unless the certificate was fixed on the tune
/// split and computed from the log, or where there is none from the calibration split.
void check_certified_data(const Certificate& certificate, const RecordedAnswers& answers,
                          const MeasuredOn& measured_on, std::string_view name);

/// Throws Error{bad_data} that begins with `name` unless the vectors are the first calibration
/// samples: they have these labels and gave these accumulators.
void check_first_answers(const TestVectors& vectors, const RecordedAnswers& answers,
                         std::string_view name);

}  // namespace biglittle
