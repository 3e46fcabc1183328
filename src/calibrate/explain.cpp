// SPDX-License-Identifier: MIT
// The certificate in words.

#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "calibrate/policy.h"
#include "core/text.h"

namespace biglittle {
namespace {

constexpr std::string_view kMissPrefix = "miss:";

bool is_miss(const RiskResult& risk) { return risk.risk.starts_with(kMissPrefix); }

std::string class_of(const RiskResult& risk) { return risk.risk.substr(kMissPrefix.size()); }

/// 0.95 -> "95 %", 0.999 -> "99.9 %".
std::string confidence(double delta) { return fmt::format("{:.6g} %", 100.0 * (1.0 - delta)); }

/// A rate as percentage points with two decimals; more where two would hide that it is above 0.
std::string points(double rate) {
  const double value = 100.0 * rate;
  return std::abs(value) < 0.01 && value != 0.0 ? fmt::format("{:.2g}", value)
                                                : fmt::format("{:.2f}", value);
}

/// The same, never below the rate: for a bound that is stated as kept.
std::string points_rounded_up(double rate) { return points(std::ceil(rate * 1e4 - 1e-6) / 1e4); }

std::string measured(const RiskResult& risk) {
  if (is_miss(risk)) {
    return fmt::format("measured: {} of {}, {} %", with_thousands(risk.events),
                       with_thousands(risk.n), points(risk.estimate));
  }
  if (risk.estimate < 0.0) {
    return fmt::format("measured: a gain of {} points", points(-risk.estimate));
  }
  return fmt::format("measured: {} points", points(risk.estimate));
}

std::string promise(const RiskResult& risk) {
  if (is_miss(risk)) {
    return fmt::format(
        "gives a wrong answer on the device to at most {} % of the inputs of class {} ({})",
        points(risk.bound), class_of(risk), measured(risk));
  }
  return fmt::format(
      "costs at most {} points of accuracy against asking the big network every time ({})",
      points(risk.bound), measured(risk));
}

/// What stands between a risk and its bound, and what would help.
std::string obstacle(const RiskResult& risk) {
  const std::string what = is_miss(risk)
                               ? fmt::format("wrong answers to inputs of class {}", class_of(risk))
                               : std::string("the accuracy lost");
  const std::string unit = is_miss(risk) ? "%" : "points";
  std::string text =
      fmt::format("{} can only be bounded by {} {} where {} was asked ({})", what,
                  points_rounded_up(risk.upper_bound), unit, points(risk.bound), measured(risk));
  if (risk.needed) {
    return text + fmt::format("; at this rate {} samples{} would do", with_thousands(*risk.needed),
                              is_miss(risk) ? " of the class" : "");
  }
  return text +
         "; at this rate more samples would not do, ask for a larger bound or improve the "
         "little network";
}

/// "a", "a and b", "a, b and c".
std::string join_and(const std::vector<std::string>& parts) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += i + 1 == parts.size() ? " and " : ", ";
    text += parts[i];
  }
  return text;
}

std::string explain_failure(const Certificate& certificate) {
  std::vector<std::string> obstacles;
  for (const RiskResult& risk : certificate.risks) {
    if (risk.p_value > certificate.delta) obstacles.push_back(obstacle(risk));
  }
  if (obstacles.empty()) return "Nothing is certified: every input goes to the big network";
  return fmt::format(
      "Not certifiable with probability {} on {} calibration samples: even at the safest threshold "
      "{}",
      confidence(certificate.delta), with_thousands(certificate.n), join_and(obstacles));
}

}  // namespace

std::string explain(const EscalationPolicy& policy) {
  const Certificate& certificate = policy.certificate;
  if (!certificate.certified) return explain_failure(certificate);
  std::vector<std::string> promises;
  for (const RiskResult& risk : certificate.risks) promises.push_back(promise(risk));
  return fmt::format(
      "With probability at least {} over the draw of the {} calibration samples, answering on the "
      "device when the margin is at least {} {}",
      confidence(certificate.delta), with_thousands(certificate.n), policy.threshold,
      join_and(promises));
}

}  // namespace biglittle
