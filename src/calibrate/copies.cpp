// SPDX-License-Identifier: MIT
#include "calibrate/copies.h"

#include <fmt/format.h>

#include <string_view>
#include <unordered_set>

#include "core/error.h"
#include "core/text.h"
#include "data/content.h"

namespace biglittle {

void require_few_copies(const Samples& calibration, std::string_view name) {
  std::unordered_set<std::string_view> contents;
  for (std::int64_t row = 0; row < calibration.count(); ++row) {
    contents.insert(content_of(calibration, row));
  }
  const std::int64_t copies = calibration.count() - static_cast<std::int64_t>(contents.size());
  if (static_cast<double>(copies) <= kMostCopies * static_cast<double>(calibration.count())) return;
  throw Error(
      ErrorKind::bad_data,
      fmt::format("{}: split calibration: {} of {} samples are copies of others, expected at "
                  "most {:.0f} %; a copy is no new evidence, remove them",
                  name, with_thousands(copies), with_thousands(calibration.count()),
                  100.0 * kMostCopies));
}

}  // namespace biglittle
