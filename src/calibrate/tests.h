// SPDX-License-Identifier: MIT
#pragma once

// Exact tests of one-sided hypotheses "risk > bound" on finite samples, and exact intervals.

#include <cstdint>
#include <optional>
#include <span>

namespace biglittle {

/// P(Binomial(n, rate) <= events): the p-value against "true rate > rate". n = 0 gives 1.
double binomial_p_value(std::int64_t events, std::int64_t n, double rate);

/// Largest rate not rejected at level delta: the one-sided Clopper-Pearson (1934) upper bound.
double clopper_pearson_upper(std::int64_t events, std::int64_t n, double delta);
double clopper_pearson_lower(std::int64_t events, std::int64_t n, double delta);

/// Smallest n for which ceil(rate * n) events pass "rate <= bound" at level delta: how many samples
/// to collect when the observed rate persists. Empty when rate >= bound or more than 10^9 are
/// needed.
std::optional<std::int64_t> binomial_samples_needed(double rate, double bound, double delta);

/// p-value against "mean of D > bound" for D in {-1, 0, 1} given in an order chosen without looking
/// at them: the reciprocal of the largest wealth of a bettor whose stakes depend only on the past
/// (Waudby-Smith & Ramdas 2024, section 4; Ville's inequality makes it valid). Wealth starts at 1
/// and is multiplied by 1 + stake * (bound - D); a fair game or worse for the bettor while the mean
/// of D is at least the bound, so wealth 1/p is reached with probability at most p.
///
/// The stake is the smaller of two, both in [0, 1 / (1 - bound)]:
/// - sqrt(2 ln(1/level) / (n variance)), the paper's stake for a fixed n, with the variance of D
///   estimated from the past;
/// - the constant stake that is best for the largest number of events (D = 1) with which n samples
///   can still reach wealth 1/level. With too few samples for any event it stakes everything, so
///   that zero events pass exactly when the binomial test passes.
/// `level` only tunes the power (it is where p is wanted small); the p-value is valid for every
/// level.
double betting_p_value(std::span<const std::int8_t> differences, double bound, double level = 0.05);

/// A bound that passes at level delta, by bisection of (-1, 1); `asked` is tried first, so that the
/// result is <= asked exactly when asked passes. It is the smallest one to about 1e-7.
double betting_upper_bound(std::span<const std::int8_t> differences, double asked, double delta);

/// Smallest n at which the betting test passes when D = 1 and D = -1 come exactly at their rates.
/// Empty when event_rate - offset_rate >= bound or more than 10^9 are needed.
std::optional<std::int64_t> betting_samples_needed(double event_rate, double offset_rate,
                                                   double bound, double delta);

/// p-value against "mean of X > bound" for n independent X in [0, 1] with this sum: the smaller of
/// Hoeffding's exp(-n h(min(mean, bound), bound)), h the Bernoulli divergence, and Bentkus's
/// e P(Binomial(n, bound) <= ceil(sum)) (Bates, Angelopoulos, Lei, Malik, Jordan,
/// "Distribution-free, risk-controlling prediction sets", 2021, section 3.1; Angelopoulos et al.,
/// "Learn then Test", 2021, proposition 1). n = 0 gives 1.
double hoeffding_bentkus_p_value(double sum, std::int64_t n, double bound);

/// Smallest bound that passes at level delta, by bisection to 1e-12.
double hoeffding_bentkus_upper(double sum, std::int64_t n, double delta);

/// Smallest n at which a mean of `mean` passes; empty when mean >= bound or more than 10^9 are
/// needed.
std::optional<std::int64_t> hoeffding_bentkus_samples_needed(double mean, double bound,
                                                             double delta);

}  // namespace biglittle
