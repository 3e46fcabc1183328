// SPDX-License-Identifier: MIT
#pragma once

// A dataset of a few dozen bytes, every sample different, and the message of an expected Error.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"
#include "data/dataset.h"

namespace biglittle::testing {

/// Rows of every split of small_dataset, in the order of kSplitNames.
inline constexpr std::array<std::int64_t, 4> kSmallRows = {6, 3, 4, 5};
inline constexpr Shape kSmallShape{2, 1, 3};

/// Three classes, samples 2x1x3 of the bytes n, n + 1, ... + 5 where n is 7 times the sample's
/// number counted through all splits; labels 0, 1, 2, 0, ...
inline Dataset small_dataset() {
  Dataset dataset;
  dataset.classes = {"cat", "dog", "bird"};
  dataset.input_shape = kSmallShape;
  dataset.provenance = "{\"format\": \"made up\"}\n";
  std::int64_t number = 0;
  for (std::size_t split = 0; split < dataset.splits.size(); ++split) {
    std::vector<std::uint8_t> values;
    for (std::int64_t row = 0; row < kSmallRows.at(split); ++row, ++number) {
      for (std::int64_t value = 0; value < kSmallShape.count(); ++value) {
        values.push_back(static_cast<std::uint8_t>(7 * number + value));
      }
      dataset.splits[split].labels.push_back(row % 3);
    }
    dataset.splits[split].samples.shape = kSmallShape;
    dataset.splits[split].samples.values = std::move(values);
  }
  return dataset;
}

/// The same values, divided by 8, as float32.
inline Dataset small_float_dataset() {
  Dataset dataset = small_dataset();
  for (Split& split : dataset.splits) {
    std::vector<float> values;
    for (const std::uint8_t byte : split.samples.bytes()) {
      values.push_back(static_cast<float>(byte) / 8.0F);
    }
    split.samples.values = std::move(values);
  }
  return dataset;
}

struct Thrown {
  ErrorKind kind = ErrorKind::internal;
  std::string message = "nothing was thrown";
};

/// What `act` throws as Error.
template <typename Act>
Thrown error_of(Act&& act) {
  try {
    act();
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  return {};
}

/// Checks kind and the whole message.
template <typename Act>
void expect_error(ErrorKind kind, const std::string& message, Act&& act) {
  const Thrown thrown = error_of(std::forward<Act>(act));
  EXPECT_EQ(thrown.message, message);
  EXPECT_EQ(thrown.kind, kind);
}

}  // namespace biglittle::testing
