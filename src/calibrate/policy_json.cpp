// SPDX-License-Identifier: MIT
// policy.json: written in a fixed order, read strictly.

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "calibrate/policy.h"
#include "core/error.h"

namespace biglittle {
namespace {

constexpr std::int64_t kFormat = 1;
constexpr std::int64_t kMaxCount = std::numeric_limits<std::int64_t>::max();

Json to_json(const RiskResult& risk) {
  Json json = {{"risk", risk.risk},
               {"bound", risk.bound},
               {"estimate", risk.estimate},
               {"p_value", risk.p_value},
               {"upper_bound", risk.upper_bound},
               {"events", risk.events},
               {"offsets", risk.offsets},
               {"n", risk.n}};
  json["needed"] = risk.needed ? Json(*risk.needed) : Json(nullptr);
  return json;
}

Json to_json(const Certificate& certificate) {
  Json risks = Json::array();
  for (const RiskResult& risk : certificate.risks) risks.push_back(to_json(risk));
  return {{"certified", certificate.certified},
          {"delta", certificate.delta},
          {"risks", risks},
          {"calibration_digest", certificate.calibration_digest},
          {"tune_digest", certificate.tune_digest},
          {"little_digest", certificate.little_digest},
          {"big_digest", certificate.big_digest},
          {"n", certificate.n},
          {"seed", certificate.seed},
          {"grid_size", certificate.grid_size},
          {"tested", certificate.tested}};
}

/// One JSON object whose keys must be exactly those asked for; `where` names it in messages.
class ObjectReader {
 public:
  ObjectReader(const Json& json, std::string where, std::initializer_list<std::string_view> keys)
      : json_(json), where_(std::move(where)) {
    if (!json.is_object()) fail("expected an object");
    for (const auto& [key, value] : json.items()) {
      if (std::ranges::find(keys, key) == keys.end()) fail(fmt::format("unknown key '{}'", key));
    }
    for (const std::string_view key : keys) {
      if (!json.contains(key)) fail(fmt::format("key '{}' is missing", key));
    }
  }

  const Json& at(std::string_view key) const { return json_.at(std::string(key)); }
  std::string where(std::string_view key) const { return fmt::format("{}: {}", where_, key); }

  std::string text(std::string_view key) const {
    if (!at(key).is_string()) fail(fmt::format("{} is not a string", key));
    return at(key).get<std::string>();
  }

  bool boolean(std::string_view key) const {
    if (!at(key).is_boolean()) fail(fmt::format("{} is neither true nor false", key));
    return at(key).get<bool>();
  }

  std::int64_t integer(std::string_view key, std::int64_t low, std::int64_t high) const {
    const Json& value = at(key);
    const bool fits = value.is_number_unsigned()
                          ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(kMaxCount)
                          : value.is_number_integer();
    if (!fits || value.get<std::int64_t>() < low || value.get<std::int64_t>() > high) {
      fail(
          fmt::format("{} is {}, expected an integer from {} to {}", key, value.dump(), low, high));
    }
    return value.get<std::int64_t>();
  }

  double real(std::string_view key, double low, double high) const {
    const Json& value = at(key);
    if (!value.is_number() || !(value.get<double>() >= low && value.get<double>() <= high)) {
      fail(fmt::format("{} is {}, expected a number from {} to {}", key, value.dump(), low, high));
    }
    return value.get<double>();
  }

  [[noreturn]] void fail(std::string_view problem) const {
    throw Error(ErrorKind::bad_data, fmt::format("{}: {}", where_, problem));
  }

 private:
  const Json& json_;
  std::string where_;
};

Rate rate_from_json(const Json& json, const std::string& where) {
  const ObjectReader reader(json, where, {"count", "n", "value", "low", "high"});
  Rate rate;
  rate.n = reader.integer("n", 0, kMaxCount);
  rate.count = reader.integer("count", 0, rate.n);
  rate.value = reader.real("value", 0.0, 1.0);
  rate.low = reader.real("low", 0.0, 1.0);
  rate.high = reader.real("high", 0.0, 1.0);
  return rate;
}

RiskResult risk_from_json(const Json& json, const std::string& where) {
  const ObjectReader reader(
      json, where,
      {"risk", "bound", "estimate", "p_value", "upper_bound", "events", "offsets", "n", "needed"});
  RiskResult risk;
  risk.risk = reader.text("risk");
  risk.bound = reader.real("bound", 0.0, 1.0);
  risk.estimate = reader.real("estimate", -1.0, 1.0);
  risk.p_value = reader.real("p_value", 0.0, 1.0);
  risk.upper_bound = reader.real("upper_bound", -1.0, 1.0);
  risk.n = reader.integer("n", 1, kMaxCount);
  risk.events = reader.integer("events", 0, risk.n);
  risk.offsets = reader.integer("offsets", 0, risk.n - risk.events);
  if (!reader.at("needed").is_null()) risk.needed = reader.integer("needed", 1, kMaxCount);
  return risk;
}

Certificate certificate_from_json(const Json& json, const std::string& where) {
  const ObjectReader reader(json, where,
                            {"certified", "delta", "risks", "calibration_digest", "tune_digest",
                             "little_digest", "big_digest", "n", "seed", "grid_size", "tested"});
  Certificate certificate;
  certificate.certified = reader.boolean("certified");
  certificate.delta = reader.real("delta", 0.0, 1.0);
  if (!reader.at("risks").is_array()) reader.fail("risks is not an array");
  for (const Json& risk : reader.at("risks")) {
    certificate.risks.push_back(risk_from_json(
        risk, fmt::format("{}[{}]", reader.where("risks"), certificate.risks.size())));
  }
  certificate.calibration_digest = reader.text("calibration_digest");
  certificate.tune_digest = reader.text("tune_digest");
  certificate.little_digest = reader.text("little_digest");
  certificate.big_digest = reader.text("big_digest");
  certificate.n = reader.integer("n", 0, kMaxCount);
  certificate.seed = reader.integer("seed", std::numeric_limits<std::int64_t>::min(), kMaxCount);
  certificate.grid_size = reader.integer("grid_size", 0, kMaxCount);
  certificate.tested = reader.integer("tested", 0, certificate.grid_size);
  return certificate;
}

/// A threshold may keep inputs on the device only as far as its certificate says so.
void require_covered(const EscalationPolicy& policy, const ObjectReader& reader) {
  const Certificate& certificate = policy.certificate;
  if (!certificate.certified) {
    if (policy.threshold == kAlwaysEscalate) return;
    reader.fail(
        fmt::format("threshold is {} but nothing is certified, expected {} (always escalate)",
                    policy.threshold, kAlwaysEscalate));
  }
  if (certificate.risks.empty()) reader.fail("certified is true but risks is empty");
  for (const RiskResult& risk : certificate.risks) {
    if (risk.p_value <= certificate.delta) continue;
    reader.fail(fmt::format("certified is true but the p-value of {} is {}, above delta {}",
                            risk.risk, risk.p_value, certificate.delta));
  }
}

}  // namespace

Json to_json(const Rate& rate) {
  return {{"count", rate.count},
          {"n", rate.n},
          {"value", rate.value},
          {"low", rate.low},
          {"high", rate.high}};
}

Json to_json(const EscalationPolicy& policy) {
  return {{"format", kFormat},
          {"score", policy.score},
          {"threshold", policy.threshold},
          {"certificate", to_json(policy.certificate)},
          {"escalation", to_json(policy.escalation)},
          {"priority_local", to_json(policy.priority_local)}};
}

EscalationPolicy policy_from_json(const Json& json, std::string_view name) {
  return read_json(name, [&] {
    const ObjectReader reader(
        json, std::string(name),
        {"format", "score", "threshold", "certificate", "escalation", "priority_local"});
    reader.integer("format", kFormat, kFormat);
    EscalationPolicy policy;
    policy.score = reader.text("score");
    if (policy.score != "margin") {
      reader.fail(fmt::format("score is '{}', expected 'margin'", policy.score));
    }
    policy.threshold = reader.integer("threshold", 1, kAlwaysEscalate);
    policy.certificate =
        certificate_from_json(reader.at("certificate"), reader.where("certificate"));
    policy.escalation = rate_from_json(reader.at("escalation"), reader.where("escalation"));
    policy.priority_local =
        rate_from_json(reader.at("priority_local"), reader.where("priority_local"));
    require_covered(policy, reader);
    return policy;
  });
}

}  // namespace biglittle
