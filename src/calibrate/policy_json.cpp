// SPDX-License-Identifier: MIT
// policy.json: written in a fixed order, read strictly.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "calibrate/policy.h"
#include "core/error.h"
#include "core/json_object.h"

namespace biglittle {
namespace {

constexpr std::int64_t kFormat = 2;
constexpr std::int64_t kMaxCount = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMostClasses = 65536;
constexpr std::int64_t kMostSteps = 100000;
/// Clopper and Pearson's bound is never 0, and a test at level 0 or 1 would be none.
constexpr double kLeastRate = 1e-12;

template <typename Enum>
Enum enum_from(const ObjectReader& reader, std::string_view key) {
  const std::string text = reader.text(key);
  const auto& names = EnumNames<Enum>::names;
  const auto found = std::ranges::find(names, text);
  if (found == names.end()) {
    reader.fail(
        fmt::format("{} is '{}', expected one of '{}'", key, text, fmt::join(names, "', '")));
  }
  return static_cast<Enum>(found - names.begin());
}

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
  risk.n = reader.integer("n", 0, kMaxCount);
  risk.events = reader.integer("events", 0, risk.n);
  risk.offsets = reader.integer("offsets", 0, risk.n - risk.events);
  if (!reader.at("needed").is_null()) risk.needed = reader.integer("needed", 1, kMaxCount);
  return risk;
}

Json to_json(const ThresholdPath& path) {
  Json steps = Json::array();
  for (const auto& thresholds : path.steps) steps.push_back(thresholds);
  return {{"steps", steps}, {"local_share", path.local_share}};
}

ThresholdPath path_from_json(const Json& json, std::int64_t classes, const std::string& where) {
  const ObjectReader reader(json, where, {"steps", "local_share"});
  ThresholdPath path;
  for (const Json& step : reader.list("steps")) {
    // A step is read as if it were an object's only list, for the same messages.
    const Json object = {{"thresholds", step}};
    const std::string name = fmt::format("{}: steps[{}]", where, path.steps.size());
    path.steps.push_back(ObjectReader(object, name, {"thresholds"})
                             .integers("thresholds", kTieScore + 1, kAlwaysEscalate));
  }
  path.local_share = reader.reals("local_share", 0.0, 1.0);
  require_path(path, classes, where);
  return path;
}

Json to_json(const CostOptions& cost) {
  Json table = Json::object();
  for (const auto& [truth, row] : cost.table) {
    table[truth] = Json::object();
    for (const auto& [answer, value] : row) table[truth][answer] = value;
  }
  return {{"bound", cost.bound}, {"table", table}};
}

CostOptions cost_from_json(const Json& json, const std::string& where) {
  const ObjectReader reader(json, where, {"bound", "table"});
  CostOptions cost;
  cost.bound = reader.real("bound", 0.0, 1.0);
  const Json& table = reader.at("table");
  if (!table.is_object()) reader.fail("table is not an object");
  for (const auto& [truth, row] : table.items()) {
    if (!row.is_object()) reader.fail(fmt::format("table of '{}' is not an object", truth));
    for (const auto& [answer, value] : row.items()) {
      if (!value.is_number() || !(value.get<double>() >= 0.0 && value.get<double>() <= 1.0)) {
        reader.fail(fmt::format("cost of '{}' answered '{}' is {}, expected a number from 0 to 1",
                                truth, answer, value.dump()));
      }
      cost.table[truth][answer] = value.get<double>();
    }
  }
  return cost;
}

Json to_json(const Certificate& certificate) {
  Json risks = Json::array();
  for (const RiskResult& risk : certificate.risks) risks.push_back(to_json(risk));
  return {{"certified", certificate.certified},
          {"delta", certificate.delta},
          {"risks", risks},
          {"big_classes", certificate.big_classes},
          {"field_shares", certificate.field_shares},
          {"cost", to_json(certificate.cost)},
          {"starts", certificate.starts},
          {"step", certificate.step},
          {"tested", certificate.tested},
          {"conflict", certificate.conflict},
          {"calibration_digest", certificate.calibration_digest},
          {"tune_digest", certificate.tune_digest},
          {"little_digest", certificate.little_digest},
          {"big_digest", certificate.big_digest},
          {"n", certificate.n},
          {"field_n", certificate.field_n},
          {"seed", certificate.seed},
          {"path", to_json(certificate.path)}};
}

Certificate certificate_from_json(const Json& json, std::int64_t classes,
                                  const std::string& where) {
  const ObjectReader reader(
      json, where,
      {"certified", "delta", "risks", "big_classes", "field_shares", "cost", "starts", "step",
       "tested", "conflict", "calibration_digest", "tune_digest", "little_digest", "big_digest",
       "n", "field_n", "seed", "path"});
  Certificate certificate;
  certificate.certified = reader.boolean("certified");
  certificate.delta = reader.real("delta", 0.0, 1.0);
  for (const Json& risk : reader.list("risks")) {
    certificate.risks.push_back(risk_from_json(
        risk, fmt::format("{}[{}]", reader.where("risks"), certificate.risks.size())));
  }
  certificate.big_classes = reader.texts("big_classes");
  certificate.field_shares = reader.reals("field_shares", 0.0, 1.0);
  if (!certificate.field_shares.empty() &&
      certificate.field_shares.size() != certificate.big_classes.size()) {
    reader.fail(fmt::format("field_shares has {} entries for {} classes",
                            certificate.field_shares.size(), certificate.big_classes.size()));
  }
  const double sum =
      std::accumulate(certificate.field_shares.begin(), certificate.field_shares.end(), 0.0);
  if (!certificate.field_shares.empty() && std::abs(sum - 1.0) > 1e-6) {
    reader.fail(fmt::format("field_shares sum to {}, expected 1", sum));
  }
  certificate.cost = cost_from_json(reader.at("cost"), reader.where("cost"));
  certificate.path = path_from_json(reader.at("path"), classes, reader.where("path"));
  const std::int64_t last = certificate.path.count() - 1;
  if (last >= kMostSteps) reader.fail(fmt::format("path has more than {} steps", kMostSteps));
  certificate.starts = reader.integers("starts", 0, last);
  if (certificate.starts.empty() || !std::ranges::is_sorted(certificate.starts)) {
    reader.fail("starts is not an ascending list of steps");
  }
  certificate.step = reader.integer("step", -1, last);
  certificate.tested = reader.integer("tested", 0, last + 1);
  certificate.conflict = reader.text("conflict");
  certificate.calibration_digest = reader.text("calibration_digest");
  certificate.tune_digest = reader.text("tune_digest");
  certificate.little_digest = reader.text("little_digest");
  certificate.big_digest = reader.text("big_digest");
  certificate.n = reader.integer("n", 0, kMaxCount);
  certificate.field_n = reader.integer("field_n", 0, certificate.n);
  certificate.seed = reader.integer("seed", std::numeric_limits<std::int64_t>::min(), kMaxCount);
  return certificate;
}

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

AuditRule audit_from_json(const Json& json, const std::string& where) {
  const ObjectReader reader(json, where, {"fraction", "disagreement", "level"});
  return {.fraction = reader.real("fraction", 0.0, 1.0),
          .disagreement = reader.real("disagreement", kLeastRate, 1.0),
          .level = reader.real("level", kLeastRate, 1.0 - kLeastRate)};
}

std::vector<ScoreMerit> merits_from_json(const ObjectReader& reader) {
  std::vector<ScoreMerit> merits;
  for (const Json& json : reader.list("score_merits")) {
    const ObjectReader merit(json, reader.where("score_merits"), {"kind", "area"});
    merits.push_back({enum_from<ScoreKind>(merit, "kind"), merit.real("area", 0.0, 1.0)});
  }
  return merits;
}

/// Thresholds may keep inputs on the device only as far as their certificate says so.
void require_covered(const EscalationPolicy& policy, const ObjectReader& reader) {
  const Certificate& certificate = policy.certificate;
  if (!certificate.certified) {
    if (always_escalates(policy) && certificate.step == -1) return;
    reader.fail(fmt::format("nothing is certified, so every threshold must be {} (always escalate)",
                            kAlwaysEscalate));
  }
  if (certificate.risks.empty()) reader.fail("certified is true but risks is empty");
  if (certificate.step < 0 ||
      policy.thresholds != certificate.path.steps[static_cast<std::size_t>(certificate.step)]) {
    reader.fail("thresholds are not those of the certificate's step");
  }
  for (const RiskResult& risk : certificate.risks) {
    if (risk.p_value <= certificate.delta) continue;
    reader.fail(fmt::format("certified is true but the p-value of {} is {}, above {}", risk.risk,
                            risk.p_value, certificate.delta));
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
  Json merits = Json::array();
  for (const ScoreMerit& merit : policy.merits) {
    merits.push_back({{"kind", name_of(merit.kind)}, {"area", merit.area}});
  }
  return {{"format", kFormat},
          {"score", to_json(policy.rule)},
          {"thresholds", policy.thresholds},
          {"other", name_of(policy.other)},
          {"escalation", to_json(policy.escalation)},
          {"priority_local", to_json(policy.priority_local)},
          {"audit",
           {{"fraction", policy.audit.fraction},
            {"disagreement", policy.audit.disagreement},
            {"level", policy.audit.level}}},
          {"score_merits", merits},
          {"certificate", to_json(policy.certificate)}};
}

EscalationPolicy policy_from_json(const Json& json, std::string_view name) {
  return read_json(name, [&] {
    const std::string file(name);
    if (json.is_object() && json.contains("format") && json.at("format") != kFormat) {
      throw Error(ErrorKind::bad_data,
                  fmt::format("{}: format is {}, expected {}; export the bundle again", file,
                              json.at("format").dump(), kFormat));
    }
    const ObjectReader reader(json, file,
                              {"format", "score", "thresholds", "other", "escalation",
                               "priority_local", "audit", "score_merits", "certificate"});
    EscalationPolicy policy;
    policy.thresholds = reader.integers("thresholds", kTieScore + 1, kAlwaysEscalate);
    const std::int64_t classes = std::ssize(policy.thresholds);
    if (classes < 2 || classes > kMostClasses) {
      reader.fail(fmt::format("thresholds has {} entries, expected one a little class", classes));
    }
    policy.rule = score_rule_from_json(reader.at("score"), classes, reader.where("score"));
    policy.other = enum_from<OtherMode>(reader, "other");
    policy.escalation = rate_from_json(reader.at("escalation"), reader.where("escalation"));
    policy.priority_local =
        rate_from_json(reader.at("priority_local"), reader.where("priority_local"));
    policy.audit = audit_from_json(reader.at("audit"), reader.where("audit"));
    policy.merits = merits_from_json(reader);
    policy.certificate =
        certificate_from_json(reader.at("certificate"), classes, reader.where("certificate"));
    require_covered(policy, reader);
    return policy;
  });
}

}  // namespace biglittle
