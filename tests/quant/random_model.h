// SPDX-License-Identifier: MIT
#pragma once

// Int8 networks of random shape, ops and numbers, to compare implementations on.

#include <cstdint>

#include "quant/int8_model.h"

namespace biglittle::testing {

struct RandomCase {
  Int8Model model;
  Samples samples;
};

/// The same seed gives the same case. Odd seeds take float32 samples, even ones uint8.
RandomCase random_case(std::uint64_t seed);

}  // namespace biglittle::testing
