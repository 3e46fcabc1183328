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
  policy.threshold = 1234;
  Certificate& certificate = policy.certificate;
  certificate.certified = true;
  certificate.delta = 0.1;
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
  certificate.calibration_digest = "c1";
  certificate.tune_digest = "t2";
  certificate.little_digest = "l3";
  certificate.big_digest = "b4";
  certificate.n = 5000;
  certificate.seed = -1;
  certificate.grid_size = 200;
  certificate.tested = 17;
  policy.escalation = make_rate(1500, 5000);
  policy.priority_local = make_rate(940, 1000);
  return policy;
}

TEST(PolicyJson, RoundTripsEveryField) {
  const Json json = to_json(full_policy());
  const EscalationPolicy read = policy_from_json(Json::parse(json.dump()), "policy.json");
  EXPECT_EQ(to_json(read), json);
  EXPECT_EQ(read.threshold, 1234);
  EXPECT_EQ(read.certificate.risks[0].estimate, 0.1 + 0.2 - 0.2995);
  EXPECT_EQ(read.certificate.risks[0].needed, 900);
  EXPECT_EQ(read.certificate.risks[1].needed, std::nullopt);
  EXPECT_EQ(read.certificate.big_digest, "b4");
  EXPECT_EQ(read.priority_local.high, make_rate(940, 1000).high);
}

// A file as the first version wrote it; later versions must go on reading it.
TEST(PolicyJson, ReadsTheFirstFormat) {
  const EscalationPolicy policy = policy_from_json(Json::parse(R"({
    "format": 1,
    "score": "margin",
    "threshold": 42,
    "certificate": {
      "certified": true,
      "delta": 0.05,
      "risks": [{"risk": "net-loss", "bound": 0.01, "estimate": 0, "p_value": 0.04,
                 "upper_bound": 0.009, "events": 2, "offsets": 2, "n": 800, "needed": null}],
      "calibration_digest": "aa", "tune_digest": "bb", "little_digest": "cc", "big_digest": "dd",
      "n": 800, "seed": 1, "grid_size": 50, "tested": 50
    },
    "escalation": {"count": 300, "n": 800, "value": 0.375, "low": 0.341, "high": 0.41},
    "priority_local": {"count": 0, "n": 0, "value": 0.0, "low": 0.0, "high": 1.0}
  })"),
                                                   "old.json");
  EXPECT_EQ(policy.threshold, 42);
  EXPECT_EQ(policy.certificate.risks.at(0).offsets, 2);
  EXPECT_EQ(policy.certificate.calibration_digest, "aa");
  EXPECT_EQ(policy.escalation.count, 300);
}

TEST(PolicyJson, ReadsAPolicyThatEscalatesEverything) {
  const EscalationPolicy read = policy_from_json(to_json(EscalationPolicy{}), "policy.json");
  EXPECT_EQ(read.threshold, kAlwaysEscalate);
  EXPECT_FALSE(read.certificate.certified);
}

/// Reads the full policy after `change` and expects this line.
void refuse(const std::function<void(Json&)>& change, const std::string& message) {
  Json json = to_json(full_policy());
  change(json);
  expect_error(ErrorKind::bad_data, message, [&] { policy_from_json(json, "policy.json"); });
}

TEST(PolicyJson, RefusesMissingAndUnknownKeys) {
  refuse([](Json& j) { j.erase("threshold"); }, "policy.json: key 'threshold' is missing");
  refuse([](Json& j) { j["treshold"] = 3; }, "policy.json: unknown key 'treshold'");
  refuse([](Json& j) { j["certificate"]["risks"][1].erase("n"); },
         "policy.json: certificate: risks[1]: key 'n' is missing");
}

TEST(PolicyJson, RefusesWrongTypes) {
  refuse([](Json& j) { j = Json::array(); }, "policy.json: expected an object");
  refuse([](Json& j) { j["threshold"] = 12.5; },
         "policy.json: threshold is 12.5, expected an integer from 1 to 2147483647");
  refuse([](Json& j) { j["threshold"] = "12"; },
         "policy.json: threshold is \"12\", expected an integer from 1 to 2147483647");
  refuse([](Json& j) { j["certificate"]["certified"] = 1; },
         "policy.json: certificate: certified is neither true nor false");
  refuse([](Json& j) { j["certificate"]["risks"] = 1; },
         "policy.json: certificate: risks is not an array");
  refuse([](Json& j) { j["certificate"]["big_digest"] = 1; },
         "policy.json: certificate: big_digest is not a string");
  refuse([](Json& j) { j["escalation"] = 0.3; }, "policy.json: escalation: expected an object");
}

TEST(PolicyJson, RefusesNumbersOutOfRange) {
  refuse([](Json& j) { j["threshold"] = 0; },
         "policy.json: threshold is 0, expected an integer from 1 to 2147483647");
  refuse([](Json& j) { j["threshold"] = 2147483648; },
         "policy.json: threshold is 2147483648, expected an integer from 1 to 2147483647");
  refuse(
      [](Json& j) { j["threshold"] = 18446744073709551615U; },
      "policy.json: threshold is 18446744073709551615, expected an integer from 1 to 2147483647");
  refuse([](Json& j) { j["certificate"]["risks"][0]["p_value"] = 1.5; },
         "policy.json: certificate: risks[0]: p_value is 1.5, expected a number from 0 to 1");
  refuse([](Json& j) { j["certificate"]["tested"] = 201; },
         "policy.json: certificate: tested is 201, expected an integer from 0 to 200");
  refuse([](Json& j) { j["escalation"]["count"] = 5001; },
         "policy.json: escalation: count is 5001, expected an integer from 0 to 5000");
}

TEST(PolicyJson, RefusesFormatsAndScoresItDoesNotKnow) {
  refuse([](Json& j) { j["format"] = 2; },
         "policy.json: format is 2, expected an integer from 1 to 1");
  refuse([](Json& j) { j["score"] = "entropy"; },
         "policy.json: score is 'entropy', expected 'margin'");
}

TEST(PolicyJson, RefusesAThresholdThatIsNotCertified) {
  refuse([](Json& j) { j["certificate"]["certified"] = false; },
         "policy.json: threshold is 1234 but nothing is certified, expected 2147483647 (always "
         "escalate)");
  refuse([](Json& j) { j["certificate"]["risks"][1]["p_value"] = 0.11; },
         "policy.json: certified is true but the p-value of miss:bag is 0.11, above delta 0.1");
  refuse([](Json& j) { j["certificate"]["risks"] = Json::array(); },
         "policy.json: certified is true but risks is empty");
}

}  // namespace
}  // namespace biglittle
