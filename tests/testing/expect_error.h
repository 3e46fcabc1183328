// SPDX-License-Identifier: MIT
#pragma once

// Checks that something throws an Error of one kind with one exact line.

#include <gtest/gtest.h>

#include <string>

#include "core/error.h"

namespace biglittle::testing {

template <typename Action>
void expect_error(ErrorKind kind, const std::string& message, Action&& action) {
  try {
    action();
    ADD_FAILURE() << "expected the error: " << message;
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), message);
    EXPECT_EQ(error.kind(), kind);
  }
}

}  // namespace biglittle::testing
