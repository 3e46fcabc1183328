// SPDX-License-Identifier: MIT
#include "calibrate/copies.h"

#include <gtest/gtest.h>

#include <vector>

#include "testing/expect_error.h"

namespace biglittle {
namespace {

/// `distinct` different samples of two bytes, then `copies` of the first.
Samples samples_with(std::int64_t distinct, std::int64_t copies) {
  std::vector<std::uint8_t> bytes;
  for (std::int64_t i = 0; i < distinct + copies; ++i) {
    const std::int64_t value = i < distinct ? i : 0;
    bytes.push_back(static_cast<std::uint8_t>(value % 256));
    bytes.push_back(static_cast<std::uint8_t>(value / 256));
  }
  Samples samples;
  samples.shape = {1, 1, 2};
  samples.values = std::move(bytes);
  return samples;
}

TEST(RequireFewCopies, PermitsOneInAHundred) {
  EXPECT_NO_THROW(require_few_copies(samples_with(1000, 0), "x.h5"));
  EXPECT_NO_THROW(require_few_copies(samples_with(990, 10), "x.h5"));
}

TEST(RequireFewCopies, RefusesMore) {
  testing::expect_error(
      ErrorKind::bad_data,
      "x.h5: split calibration: 11 of 1,000 samples are copies of others, expected at most 1 %; a "
      "copy is no new evidence, remove them",
      [] { require_few_copies(samples_with(989, 11), "x.h5"); });
}

}  // namespace
}  // namespace biglittle
