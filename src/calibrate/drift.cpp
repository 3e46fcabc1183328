// SPDX-License-Identifier: MIT
#include "calibrate/drift.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/error.h"

namespace biglittle {
namespace {

constexpr double kMostAnswers = 1e9;

void require_inside(std::string_view what, double value) {
  if (value > 0.0 && value < 1.0) return;  // false for NaN
  throw Error(ErrorKind::internal,
              fmt::format("drift test: {} is {}, expected above 0 and below 1", what, value));
}

/// Of 1 / rate. The best constant stake for a true rate q is (q - rate) / (1 - rate) of it (Kelly
/// 1956), and for small drifts it grows by share^2 (1 - rate) / (2 rate) an answer. The smallest
/// share is best for the drift that a million answers just show; smaller drifts are found later
/// than by the best stake, if at all. The largest leaves a tenth of the wealth after an answer that
/// agrees; even where all answers differ it takes hardly more of them than the whole would.
struct ShareRange {
  double low;
  double high;
};

ShareRange stake_shares(double rate, double log_goal) {
  constexpr double kHorizon = 1e6;
  constexpr double kHigh = 0.9;
  const double low = std::sqrt(2.0 * rate * log_goal / (kHorizon * (1.0 - rate)));
  return {std::min(low, kHigh / 2.0), kHigh};
}

/// What the best constant stake earns an answer, as a logarithm: the Kullback-Leibler divergence of
/// Bernoulli(rate_now) from Bernoulli(rate).
double best_growth(double rate, double rate_now) {
  const double agrees =
      rate_now < 1.0 ? (1.0 - rate_now) * (std::log1p(-rate_now) - std::log1p(-rate)) : 0.0;
  return rate_now * std::log(rate_now / rate) + agrees;
}

}  // namespace

DriftTest::DriftTest(double rate, double level) {
  require_inside("rate", rate);
  require_inside("level", level);
  log_limit_ = -std::log(level);
  // Between neighbours on the logarithmic grid the best stake is at most a factor 1.5 away for
  // rates above 1e-6, and 1.3 above 1 %, where the nearer one still earns over 90 % of it.
  const auto [low, high] = stake_shares(rate, log_limit_ + std::log(kBettors));
  for (int bettor = 0; bettor < kBettors; ++bettor) {
    const double share = low * std::pow(high / low, bettor / (kBettors - 1.0));
    const auto at = static_cast<std::size_t>(bettor);
    log_if_differs_[at] = std::log1p(share / rate * (1.0 - rate));
    log_if_agrees_[at] = std::log1p(-share);
  }
}

void DriftTest::add(bool differs) {
  ++seen_;
  if (differs) ++differing_;
  const double evidence = log_evidence();
  largest_ = std::max(largest_, evidence);
  if (!alarm_ && evidence >= log_limit_) alarm_ = seen_;
}

double DriftTest::log_evidence() const {
  const auto differing = static_cast<double>(differing_);
  const auto agreeing = static_cast<double>(seen_ - differing_);
  std::array<double, kBettors> log_wealth{};
  for (std::size_t bettor = 0; bettor < log_wealth.size(); ++bettor) {
    log_wealth[bettor] = differing * log_if_differs_[bettor] + agreeing * log_if_agrees_[bettor];
  }
  // Wealth itself overflows: the largest is taken out before the mean.
  const double richest = *std::ranges::max_element(log_wealth);
  double sum = 0.0;
  for (const double wealth : log_wealth) sum += std::exp(wealth - richest);
  return richest + std::log(sum / kBettors);
}

std::optional<std::int64_t> answers_to_alarm(double rate, double rate_now, double level) {
  require_inside("rate", rate);
  require_inside("level", level);
  if (!(rate_now >= 0.0 && rate_now <= 1.0)) {
    throw Error(ErrorKind::internal,
                fmt::format("drift test: rate now is {}, expected 0 to 1", rate_now));
  }
  if (rate_now <= rate) return std::nullopt;
  const double answers = std::ceil(-std::log(level) / best_growth(rate, rate_now));
  // Rounding may leave a growth of 0 or below where the rates are almost equal.
  if (!(answers >= 0.0 && answers <= kMostAnswers)) return std::nullopt;
  return static_cast<std::int64_t>(answers);
}

}  // namespace biglittle
