// SPDX-License-Identifier: MIT
#pragma once

// Exact tests of one-sided hypotheses "risk > bound" on finite samples, and exact intervals.

#include <cstdint>
#include <span>

namespace biglittle {

/// P(Binomial(n, rate) <= events): the p-value against "true rate > rate". n = 0 gives 1.
double binomial_p_value(std::int64_t events, std::int64_t n, double rate);

/// Largest rate not rejected at level delta: the one-sided Clopper-Pearson (1934) upper bound.
double clopper_pearson_upper(std::int64_t events, std::int64_t n, double delta);
double clopper_pearson_lower(std::int64_t events, std::int64_t n, double delta);

/// p-value against "mean of D > bound" for D in [-1, 1] given in an order chosen without looking at
/// them: the reciprocal of the largest wealth of a bettor whose stakes depend only on the past
/// (Waudby-Smith & Ramdas 2024, section 4; Ville's inequality makes it valid).
double betting_p_value(std::span<const std::int8_t> differences, double bound);

}  // namespace biglittle
