// SPDX-License-Identifier: MIT
#include "bundle/measurements.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace biglittle {
namespace {

[[noreturn]] void refuse(std::string_view name, std::string_view reason) {
  throw Error(ErrorKind::bad_data, fmt::format("{}: {}", name, reason));
}

const SplitRecord& split_of(const MeasuredOn& measured_on, SplitName split) {
  return measured_on.splits[static_cast<std::size_t>(split)];
}

}  // namespace

void check_counts(const RecordedAnswers& answers, const MeasuredOn& measured_on,
                  std::string_view name) {
  const auto check = [&](SplitName split, const Answers& recorded) {
    const std::int64_t samples = split_of(measured_on, split).samples;
    if (recorded.count() == samples) return;
    refuse(name, fmt::format("has answers to {} {} samples but the split has {}", recorded.count(),
                             kSplitNames[static_cast<std::size_t>(split)], samples));
  };
  check(SplitName::tune, answers.tune);
  check(SplitName::calibration, answers.calibration);
  check(SplitName::test, answers.test);
}

void check_certified_data(const Certificate& certificate, const RecordedAnswers& answers,
                          const MeasuredOn& measured_on, std::string_view name) {
  if (certificate.tune_digest != split_of(measured_on, SplitName::tune).digest) {
    refuse(name, "the policy's thresholds were fixed on another tune split; export again");
  }
  if (answers.log) {
    if (certificate.calibration_digest != log_digest(*answers.log) ||
        certificate.n != answers.log->count()) {
      refuse(name, "the policy was certified on another log; recalibrate again");
    }
    return;
  }
  const SplitRecord& calibration = split_of(measured_on, SplitName::calibration);
  if (certificate.calibration_digest != calibration.digest ||
      certificate.n != calibration.samples) {
    refuse(name, "the policy was certified on another calibration split; export again");
  }
}

void check_first_answers(const TestVectors& vectors, const RecordedAnswers& answers,
                         std::string_view name) {
  const Answers& calibration = answers.calibration;
  const std::size_t rows = vectors.labels.size();
  if (vectors.count() > calibration.count()) {
    refuse(name, fmt::format("{} test vectors are more than the {} calibration samples", rows,
                             calibration.count()));
  }
  const std::size_t classes = vectors.accumulators.size() / rows;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t first = row * classes;
    const bool same =
        vectors.labels[row] == calibration.truth[row] &&
        std::equal(vectors.accumulators.begin() + static_cast<std::ptrdiff_t>(first),
                   vectors.accumulators.begin() + static_cast<std::ptrdiff_t>(first + classes),
                   calibration.accumulators.begin() + static_cast<std::ptrdiff_t>(first));
    if (same) continue;
    refuse(name, fmt::format("test vector {} does not give the answer recorded for calibration "
                             "sample {}",
                             row, row));
  }
}

}  // namespace biglittle
