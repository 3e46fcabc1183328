// SPDX-License-Identifier: MIT
// The certificate in words.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "calibrate/policy.h"
#include "calibrate/search.h"
#include "core/text.h"

namespace biglittle {
namespace {

/// A risk's name without and with the class it is about: "miss:Bag" is {"miss", "Bag"}.
struct RiskName {
  std::string kind;
  std::string of;
};

RiskName name_parts(const RiskResult& risk) {
  const std::size_t colon = risk.risk.find(':');
  if (colon == std::string::npos) return {risk.risk, ""};
  return {risk.risk.substr(0, colon), risk.risk.substr(colon + 1)};
}

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
  const std::string kind = name_parts(risk).kind;
  if (kind == "net-loss") {
    return risk.estimate < 0.0
               ? fmt::format("measured: a gain of {} points", points(-risk.estimate))
               : fmt::format("measured: {} points", points(risk.estimate));
  }
  if (kind == "cost") return fmt::format("measured: {:.4g}", risk.estimate);
  return fmt::format("measured: {} of {}, {} %", with_thousands(risk.events),
                     with_thousands(risk.n), points(risk.estimate));
}

/// What a risk promises, as the end of "answering on the device ...".
std::string promise(const RiskResult& risk, OtherMode other) {
  const auto [kind, of] = name_parts(risk);
  const std::string bound = points(risk.bound);
  const std::string counted =
      other == OtherMode::answer ? " of telling priority classes and other apart" : "";
  std::string text;
  if (kind == "net-loss") {
    text = fmt::format(
        "costs at most {} points of accuracy{} against asking the big network every time", bound,
        counted);
  } else if (kind == "harm") {
    text = fmt::format("spoils at most {} % of all inputs that the big network would get right",
                       bound);
  } else if (kind == "selective") {
    text = fmt::format("is wrong for at most {} % of the inputs it answers", bound);
  } else if (kind == "miss") {
    text = fmt::format(
        "gives a wrong answer on the device to at most {} % of the inputs of class {}", bound, of);
  } else if (kind == "dropped") {
    text = fmt::format("drops at most {} % of the inputs of class {} as other", bound, of);
  } else if (kind == "agreement") {
    text = fmt::format(
        "differs on at most {} % of all inputs from what the big network would have said", bound);
  } else if (kind == "cost") {
    text = fmt::format("costs at most {:.4g} an input by the table of costs", risk.bound);
  } else {
    text = fmt::format("sends at most {} % of all inputs up", bound);
  }
  return fmt::format("{} ({})", text, measured(risk));
}

/// The same risk as something that can only be bounded by so much.
std::string subject(const RiskResult& risk) {
  const auto [kind, of] = name_parts(risk);
  if (kind == "net-loss") return "the accuracy lost";
  if (kind == "harm") return "the inputs spoilt that big gets right";
  if (kind == "selective") return "the wrong ones among local answers";
  if (kind == "miss") return fmt::format("wrong answers to inputs of class {}", of);
  if (kind == "dropped") return fmt::format("inputs of class {} dropped as other", of);
  if (kind == "agreement") return "the answers that differ from big's";
  if (kind == "cost") return "the cost an input";
  return "the inputs sent up";
}

std::string amount(const RiskResult& risk, const std::string& hundredths, double rate) {
  const std::string kind = name_parts(risk).kind;
  if (kind == "cost") return fmt::format("{:.4g}", rate);
  return hundredths + (kind == "net-loss" ? " points" : " %");
}

std::string unit_of_samples(const RiskResult& risk) {
  const auto [kind, of] = name_parts(risk);
  if (!of.empty()) return " of the class";
  return kind == "selective" ? " answered locally" : "";
}

/// What stands between a risk and its bound, and what would help.
std::string obstacle(const RiskResult& risk) {
  std::string text = fmt::format(
      "{} can only be bounded by {} where {} was asked ({})", subject(risk),
      amount(risk, points_rounded_up(risk.upper_bound), risk.upper_bound),
      name_parts(risk).kind == "cost" ? fmt::format("{:.4g}", risk.bound) : points(risk.bound),
      measured(risk));
  if (risk.needed) {
    return text + fmt::format("; at this rate {} samples{} would do", with_thousands(*risk.needed),
                              unit_of_samples(risk));
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
    if (risk.p_value > reported_level(certificate)) obstacles.push_back(obstacle(risk));
  }
  if (obstacles.empty()) return "Nothing is certified: every input goes to the big network";
  const bool at_safest = certificate.starts.front() == 0;
  std::string text = fmt::format(
      "Not certifiable with probability {} on {} calibration samples: even at the {} {}",
      confidence(certificate.delta), with_thousands(certificate.n),
      at_safest ? "safest threshold" : "first threshold that tune promises to be useful",
      join_and(obstacles));
  if (!certificate.conflict.empty()) text += "; the bounds conflict: " + certificate.conflict;
  return text;
}

/// "margin is at least 1234", or that each class has its own threshold.
std::string condition(const EscalationPolicy& policy) {
  std::vector<std::int64_t> used;
  for (const std::int64_t threshold : policy.thresholds) {
    if (threshold < kAlwaysEscalate) used.push_back(threshold);
  }
  const bool one = !used.empty() && std::ranges::count(used, used.front()) == std::ssize(used);
  if (one) return fmt::format("{} is at least {}", name_of(policy.rule.kind), used.front());
  return fmt::format("{} reaches the threshold of the class", name_of(policy.rule.kind));
}

}  // namespace

std::string explain(const EscalationPolicy& policy) {
  const Certificate& certificate = policy.certificate;
  if (!certificate.certified) return explain_failure(certificate);
  std::vector<std::string> promises;
  for (const RiskResult& risk : certificate.risks) {
    promises.push_back(promise(risk, policy.other));
  }
  const std::string mix =
      certificate.field_n == 0
          ? ""
          : fmt::format(" ({} of them drawn to the mix of classes in the field)",
                        with_thousands(certificate.field_n));
  return fmt::format(
      "With probability at least {} over the draw of the {} calibration samples{}, answering on "
      "the device when the {} {}",
      confidence(certificate.delta), with_thousands(certificate.n), mix, condition(policy),
      join_and(promises));
}

}  // namespace biglittle
