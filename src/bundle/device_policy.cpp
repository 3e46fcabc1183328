// SPDX-License-Identifier: MIT
#include "bundle/device_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "bundle/c_text.h"
#include "core/error.h"

namespace biglittle {
namespace {

void require_within(std::string_view what, std::int64_t value, std::int64_t low,
                    std::int64_t high) {
  if (value >= low && value <= high) return;
  throw Error(ErrorKind::bad_data,
              fmt::format("the policy's {} is {}, expected {} to {}", what, value, low, high));
}

/// One a line, as somebody who patches them wants to find them.
std::string threshold_lines(const EscalationPolicy& policy) {
  std::string text;
  for (const std::int64_t threshold : policy.thresholds) {
    text += fmt::format("    {},\n",
                        threshold == kAlwaysEscalate ? "BL_ALWAYS_ESCALATE" : c_int64(threshold));
  }
  return text;
}

bool is_plain_margin(const ScoreRule& rule) {
  return rule.margin_weight == 1 && rule.other_weight == 0 &&
         std::ranges::all_of(rule.offsets, [](std::int64_t offset) { return offset == 0; });
}

/// The definition of bl_model_rule; the plain margin needs none.
std::string rule_text(const ScoreRule& rule, const PriorityMap& map) {
  if (is_plain_margin(rule)) return "";
  const std::int64_t other = map.has_other ? map.priorities() : -1;
  return c_array("int64_t", "bl_model_offsets", std::span<const std::int64_t>(rule.offsets)) +
         fmt::format(
             "static const bl_score_rule bl_model_rule = {{BL_MODEL_CLASSES, {}, {}, {}, "
             "bl_model_offsets}};\n\n",
             other, rule.margin_weight, rule.other_weight);
}

std::string decide_call(const ScoreRule& rule) {
  if (is_plain_margin(rule)) {
    return "bl_decide_margin(BL_MODEL_CLASSES, accumulators, bl_model_thresholds)";
  }
  return "bl_decide(&bl_model_rule, accumulators, bl_model_thresholds)";
}

std::string score_text(const ScoreRule& rule) {
  if (is_plain_margin(rule)) return "here the margin itself.";
  return fmt::format(
      "here {} times the margin plus {} times the\ndistance to `other` (the largest accumulator "
      "minus that of `other`; of an answer `other` the margin,\nand 0 where there is no such "
      "class) plus the offset of the class (`bl_model_offsets` in `bl_model.c`).",
      rule.margin_weight, rule.other_weight);
}

/// Whether the device may keep an input as `other`.
bool keeps_other(const EscalationPolicy& policy, const PriorityMap& map) {
  return map.has_other && policy.thresholds.back() != kAlwaysEscalate;
}

std::string other_text(const EscalationPolicy& policy, const PriorityMap& map) {
  if (keeps_other(policy, map)) {
    return "The last class is `other` and has a threshold, too: the bundle is a filter. A "
           "confident "
           "`other` stays\non the device and means that there is nothing to report; only what the "
           "device is not sure of goes\nup.";
  }
  if (map.has_other) {
    return "The last class is `other`: an input of no priority class. Its threshold is "
           "`BL_ALWAYS_ESCALATE`, so\nsuch inputs always go up.";
  }
  return "Every class is a priority class, so every class may be answered on the device.";
}

/// fraction times 2^32, at most the largest uint32.
std::string audit_limit(double fraction) {
  const double limit = std::floor(fraction * 0x1p32 + 0.5);
  return std::to_string(static_cast<std::uint32_t>(std::clamp(limit, 0.0, 0x1p32 - 1.0)));
}

/// Text for a paragraph: line breaks would end it.
std::string one_paragraph(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

void require_device_policy(const EscalationPolicy& policy, std::size_t classes) {
  const ScoreRule& rule = policy.rule;
  if (policy.thresholds.size() != classes || rule.offsets.size() != classes) {
    throw Error(ErrorKind::bad_data,
                fmt::format("the policy has {} thresholds and {} offsets for {} little classes",
                            policy.thresholds.size(), rule.offsets.size(), classes));
  }
  require_within("margin weight", rule.margin_weight, -kLargestScoreWeight, kLargestScoreWeight);
  require_within("other weight", rule.other_weight, -kLargestScoreWeight, kLargestScoreWeight);
  for (std::size_t i = 0; i < classes; ++i) {
    require_within("offset", rule.offsets[i], -kLargestScoreOffset, kLargestScoreOffset);
    require_within("threshold", policy.thresholds[i], kTieScore + 1, kAlwaysEscalate);
  }
  if (!(policy.audit.fraction >= 0.0 && policy.audit.fraction <= 1.0)) {
    throw Error(
        ErrorKind::bad_data,
        fmt::format("the policy's audit fraction is {}, expected 0 to 1", policy.audit.fraction));
  }
}

std::map<std::string, std::string> device_policy_keys(const EscalationPolicy& policy,
                                                      const PriorityMap& map) {
  return {{"THRESHOLDS", threshold_lines(policy)},
          {"RULE", rule_text(policy.rule, map)},
          {"DECIDE", decide_call(policy.rule)},
          {"SCORE_TEXT", score_text(policy.rule)},
          {"IF_OTHER", keeps_other(policy, map) ? "; `other`: nothing to report" : ""},
          {"OTHER_TEXT", other_text(policy, map)},
          {"AUDIT_LIMIT", audit_limit(policy.audit.fraction)},
          {"AUDIT_PERCENT", fmt::format("{:.4g}", 100.0 * policy.audit.fraction)},
          {"CERTIFICATE", one_paragraph(explain(policy))}};
}

}  // namespace biglittle
