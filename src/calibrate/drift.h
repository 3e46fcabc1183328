// SPDX-License-Identifier: MIT
#pragma once

// Watches the field: of the local answers a fraction is sent up anyway, and a bettor plays against
// "little and big disagree no more often than they did on calibration".

#include <array>
#include <cstdint>
#include <optional>

namespace biglittle {

/// A test martingale (e-process) against "P(differs) <= rate" for independent answers that come one
/// by one: the mean wealth of bettors with fixed stakes, each of whom multiplies by 1 + stake *
/// (differs - rate). Each is a supermartingale under the hypothesis, so the mean is, and the chance
/// that it ever reaches 1 / level is at most `level`, however long and whenever one looks (Ville
/// 1939; Waudby-Smith & Ramdas 2024, sections 3 and 4; mixtures: Shafer et al. 2011).
class DriftTest {
 public:
  /// rate in (0, 1), level in (0, 1); throws Error{internal} for others.
  DriftTest(double rate, double level);

  void add(bool differs);

  std::int64_t seen() const { return seen_; }
  std::int64_t differing() const { return differing_; }
  /// Evidence now and at its largest, as natural logarithms of wealth.
  double log_evidence() const;
  double largest_log_evidence() const { return largest_; }
  /// How many answers had been seen when the evidence first reached 1 / level.
  std::optional<std::int64_t> alarm() const { return alarm_; }

 private:
  // Wealth depends on the counts alone, so nothing is summed up over millions of answers.
  static constexpr int kBettors = 16;
  double log_limit_ = 0.0;
  std::array<double, kBettors> log_if_differs_{};
  std::array<double, kBettors> log_if_agrees_{};
  std::int64_t seen_ = 0;
  std::int64_t differing_ = 0;
  double largest_ = 0.0;
  std::optional<std::int64_t> alarm_;
};

/// How many audited answers it takes, on average, to raise the alarm when the true rate is
/// `rate_now`: ln(1 / level) over the growth of the best constant stake. Empty when rate_now <=
/// rate, or so close that 10^9 would not do.
std::optional<std::int64_t> answers_to_alarm(double rate, double rate_now, double level);

}  // namespace biglittle
