// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <functional>

#include "calibrate/policy.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using testing::expect_error;

EscalationPolicy full_policy() {
  EscalationPolicy policy;
  policy.rule = {
      .kind = ScoreKind::gate, .margin_weight = 3, .other_weight = -2, .offsets = {7, -7, 0}};
  policy.thresholds = {1234, -5, kAlwaysEscalate};
  policy.other = OtherMode::answer;
  policy.audit = {.fraction = 0.03, .disagreement = 0.011, .level = 0.005};
  policy.merits = {{ScoreKind::margin, 0.91}, {ScoreKind::gate, 0.93}};
  Certificate& certificate = policy.certificate;
  certificate.certified = true;
  certificate.delta = 0.2;
  certificate.risks = {{.risk = "net-loss",
                        .bound = 0.005,
                        .estimate = 0.1 + 0.2 - 0.2995,  // no short decimal
                        .p_value = 0.01,
                        .upper_bound = -0.001,
                        .events = 7,
                        .offsets = 3,
                        .n = 5000,
                        .needed = 900},
                       {.risk = "miss:bag", .bound = 0.02, .p_value = 0.1, .n = 10, .needed = {}}};
  certificate.big_classes = {"shirt", "bag", "boot"};
  certificate.field_shares = {0.5, 0.25, 0.25};
  certificate.cost = {.bound = 0.1, .table = {{"shirt", {{"bag", 0.5}, {"other", 1.0}}}}};
  certificate.path.steps = {{2000, 10, kAlwaysEscalate}, {1234, -5, kAlwaysEscalate}};
  certificate.path.local_share = {0.25, 0.5};
  certificate.starts = {0, 1};
  certificate.step = 1;
  certificate.tested = 2;
  certificate.conflict = "none";
  certificate.calibration_digest = "c1";
  certificate.tune_digest = "t2";
  certificate.little_digest = "l3";
  certificate.big_digest = "b4";
  certificate.n = 5000;
  certificate.field_n = 900;
  certificate.seed = -1;
  policy.escalation = make_rate(1500, 5000);
  policy.priority_local = make_rate(940, 1000);
  return policy;
}

TEST(PolicyJson, RoundTripsEveryField) {
  const Json json = to_json(full_policy());
  const EscalationPolicy read = policy_from_json(Json::parse(json.dump()), "policy.json");
  EXPECT_EQ(to_json(read), json);
  EXPECT_EQ(read.rule, full_policy().rule);
  EXPECT_EQ(read.thresholds, full_policy().thresholds);
  EXPECT_EQ(read.other, OtherMode::answer);
  EXPECT_EQ(read.audit, full_policy().audit);
  EXPECT_EQ(read.merits.at(1).area, 0.93);
  EXPECT_EQ(read.certificate.risks, full_policy().certificate.risks);
  EXPECT_EQ(read.certificate.path, full_policy().certificate.path);
  EXPECT_EQ(read.certificate.cost.table, full_policy().certificate.cost.table);
  EXPECT_EQ(read.certificate.starts, full_policy().certificate.starts);
  EXPECT_EQ(read.certificate.field_shares, full_policy().certificate.field_shares);
  EXPECT_EQ(read.certificate.big_digest, "b4");
  EXPECT_EQ(read.priority_local.high, make_rate(940, 1000).high);
}

// A file as this format was first written; later versions must go on reading it.
TEST(PolicyJson, ReadsAWrittenFile) {
  const EscalationPolicy policy = policy_from_json(Json::parse(R"({
    "format": 2,
    "score": {"kind": "margin", "margin_weight": 1, "other_weight": 0, "offsets": [0, 0]},
    "thresholds": [42, 9007199254740991],
    "other": "escalate",
    "escalation": {"count": 300, "n": 800, "value": 0.375, "low": 0.341, "high": 0.41},
    "priority_local": {"count": 0, "n": 0, "value": 0.0, "low": 0.0, "high": 1.0},
    "audit": {"fraction": 0.01, "disagreement": 0.02, "level": 0.01},
    "score_merits": [],
    "certificate": {
      "certified": true, "delta": 0.05,
      "risks": [{"risk": "net-loss", "bound": 0.01, "estimate": 0, "p_value": 0.04,
                 "upper_bound": 0.009, "events": 2, "offsets": 2, "n": 800, "needed": null}],
      "big_classes": ["a", "b"], "field_shares": [], "cost": {"bound": 0, "table": {}},
      "starts": [0], "step": 1, "tested": 2, "conflict": "",
      "calibration_digest": "aa", "tune_digest": "bb", "little_digest": "cc", "big_digest": "dd",
      "n": 800, "field_n": 0, "seed": 1,
      "path": {"steps": [[50, 9007199254740991], [42, 9007199254740991]],
               "local_share": [0.1, 0.2]}
    }
  })"),
                                                   "old.json");
  EXPECT_EQ(policy.thresholds.at(0), 42);
  EXPECT_EQ(policy.thresholds.at(1), kAlwaysEscalate);
  EXPECT_EQ(policy.certificate.risks.at(0).offsets, 2);
  EXPECT_EQ(policy.certificate.calibration_digest, "aa");
  EXPECT_EQ(policy.escalation.count, 300);
}

TEST(PolicyJson, ReadsAPolicyThatEscalatesEverything) {
  EscalationPolicy policy = full_policy();
  policy.certificate.certified = false;
  policy.certificate.step = -1;
  policy.thresholds.assign(3, kAlwaysEscalate);
  const EscalationPolicy read = policy_from_json(to_json(policy), "policy.json");
  EXPECT_TRUE(always_escalates(read));
  EXPECT_FALSE(read.certificate.certified);
}

/// Reads the full policy after `change` and expects this line.
void refuse(const std::function<void(Json&)>& change, const std::string& message) {
  Json json = to_json(full_policy());
  change(json);
  expect_error(ErrorKind::bad_data, message, [&] { policy_from_json(json, "policy.json"); });
}

TEST(PolicyJson, RefusesMissingAndUnknownKeys) {
  refuse([](Json& j) { j.erase("thresholds"); }, "policy.json: key 'thresholds' is missing");
  refuse([](Json& j) { j["tresholds"] = 3; }, "policy.json: unknown key 'tresholds'");
  refuse([](Json& j) { j["certificate"]["risks"][1].erase("n"); },
         "policy.json: certificate: risks[1]: key 'n' is missing");
}

TEST(PolicyJson, RefusesWrongTypes) {
  refuse([](Json& j) { j = Json::array(); }, "policy.json: expected an object");
  refuse([](Json& j) { j["thresholds"] = 12; }, "policy.json: thresholds is not a list");
  refuse([](Json& j) { j["thresholds"][1] = 12.5; },
         "policy.json: thresholds holds 12.5, expected integers from -9007199254740990 to "
         "9007199254740991");
  refuse([](Json& j) { j["certificate"]["certified"] = 1; },
         "policy.json: certificate: certified is neither true nor false");
  refuse([](Json& j) { j["certificate"]["risks"] = 1; },
         "policy.json: certificate: risks is not a list");
  refuse([](Json& j) { j["certificate"]["big_digest"] = 1; },
         "policy.json: certificate: big_digest is not a string");
  refuse([](Json& j) { j["certificate"]["path"]["steps"][1] = 3; },
         "policy.json: certificate: path: steps[1]: thresholds is not a list");
  refuse([](Json& j) { j["certificate"]["cost"]["table"]["shirt"]["bag"] = "much"; },
         "policy.json: certificate: cost: cost of 'shirt' answered 'bag' is \"much\", expected a "
         "number from 0 to 1");
  refuse([](Json& j) { j["escalation"] = 0.3; }, "policy.json: escalation: expected an object");
}

TEST(PolicyJson, RefusesNumbersOutOfRange) {
  refuse([](Json& j) { j["thresholds"][0] = kTieScore; },
         "policy.json: thresholds holds -9007199254740991, expected integers from "
         "-9007199254740990 to 9007199254740991");
  refuse([](Json& j) { j["thresholds"][0] = 18446744073709551615U; },
         "policy.json: thresholds holds 18446744073709551615, expected integers from "
         "-9007199254740990 to 9007199254740991");
  refuse([](Json& j) { j["thresholds"] = {1}; },
         "policy.json: thresholds has 1 entries, expected one a little class");
  refuse([](Json& j) { j["certificate"]["risks"][0]["p_value"] = 1.5; },
         "policy.json: certificate: risks[0]: p_value is 1.5, expected a number from 0 to 1");
  refuse([](Json& j) { j["audit"]["level"] = 0.0; },
         "policy.json: audit: level is 0.0, expected a number from 1e-12 to 0.999999999999");
  refuse([](Json& j) { j["certificate"]["step"] = 2; },
         "policy.json: certificate: step is 2, expected an integer from -1 to 1");
  refuse(
      [](Json& j) {
        j["certificate"]["starts"] = {1, 0};
      },
      "policy.json: certificate: starts is not an ascending list of steps");
  refuse([](Json& j) { j["certificate"]["field_shares"] = {0.5}; },
         "policy.json: certificate: field_shares has 1 entries for 3 classes");
  refuse(
      [](Json& j) {
        j["certificate"]["field_shares"] = {0.5, 0.25, 0.5};
      },
      "policy.json: certificate: field_shares sum to 1.25, expected 1");
  refuse([](Json& j) { j["escalation"]["count"] = 5001; },
         "policy.json: escalation: count is 5001, expected an integer from 0 to 5000");
}

TEST(PolicyJson, RefusesFormatsAndNamesItDoesNotKnow) {
  refuse([](Json& j) { j["format"] = 1; },
         "policy.json: format is 1, expected 2; export the bundle again");
  refuse([](Json& j) { j["other"] = "drop"; },
         "policy.json: other is 'drop', expected one of 'escalate', 'answer'");
}

TEST(PolicyJson, RefusesThresholdsThatAreNotCertified) {
  refuse([](Json& j) { j["certificate"]["certified"] = false; },
         "policy.json: nothing is certified, so every threshold must be 9007199254740991 (always "
         "escalate)");
  refuse([](Json& j) { j["thresholds"][0] = 1233; },
         "policy.json: thresholds are not those of the certificate's step");
  // No step is tested at more than delta.
  refuse([](Json& j) { j["certificate"]["risks"][1]["p_value"] = 0.21; },
         "policy.json: certified is true but the p-value of miss:bag is 0.21, above 0.2");
  refuse([](Json& j) { j["certificate"]["risks"] = Json::array(); },
         "policy.json: certified is true but risks is empty");
}

}  // namespace
}  // namespace biglittle
