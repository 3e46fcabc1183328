// SPDX-License-Identifier: MIT
#pragma once

// The int8 network by the formulas of docs/int8.md in 64-bit integers and exact double products,
// written without a look at the interpreter.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "quant/int8_model.h"

namespace biglittle::testing {

/// x rounded to the nearest whole number, to the even one from halfway.
double naive_round_half_even(double x);

/// requantize() by its definition: the product of two float32 is exact in double, so rounding it to
/// float32 once is what the hardware's multiplication does.
std::int64_t naive_requantize(std::int64_t acc, float multiplier, std::int64_t zero_point);

/// Every node's integers in C, H, W order for sample `row`; the last node's are its accumulators.
std::map<std::string, std::vector<std::int64_t>> run_naive(const Int8Model& model,
                                                           const Samples& samples,
                                                           std::int64_t row);

}  // namespace biglittle::testing
