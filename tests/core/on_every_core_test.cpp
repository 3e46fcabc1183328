// SPDX-License-Identifier: MIT
#include "core/on_every_core.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace biglittle {
namespace {

TEST(OnEveryCore, DoesEachPieceOnce) {
  for (const std::int64_t count : {0, 1, 2, 1000}) {
    std::vector<std::atomic<int>> calls(static_cast<std::size_t>(count));
    on_every_core(count, [&](std::int64_t i) { ++calls.at(static_cast<std::size_t>(i)); });
    for (const auto& number : calls) EXPECT_EQ(number, 1);
  }
}

TEST(OnEveryCore, ThrowsWhatAPlainLoopWouldThrowAndBeginsNoMore) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    std::atomic<std::int64_t> begun = 0;
    try {
      on_every_core(100'000, [&](std::int64_t i) {
        ++begun;
        if (i >= 40 && i % 2 == 0) throw std::runtime_error(std::to_string(i));
      });
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "40");
    }
    EXPECT_LT(begun, 100'000);
  }
}

}  // namespace
}  // namespace biglittle
