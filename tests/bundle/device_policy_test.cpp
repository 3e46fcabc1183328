// SPDX-License-Identifier: MIT
// The escalation rule on the device: every kind of score, thresholds by class, the filter, the
// audit.

#include "bundle/device_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bundle/device_cases.h"
#include "bundle/random_int8_model.h"
#include "testing/device_program_runner.h"
#include "testing/expect_error.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using testing::count_differences;
using testing::DeviceAnswer;
using testing::gate_policy;
using testing::generate;
using testing::kStrictC99;
using testing::margin_policy;
using testing::random_int8_model;
using testing::random_samples;
using testing::rich_graph;

struct Fates {
  int answered = 0;
  int dropped = 0;
  int escalated = 0;
};

Fates count_fates(const std::vector<DeviceAnswer>& answers, std::int32_t other) {
  Fates fates;
  for (const DeviceAnswer& answer : answers) {
    ++(answer.escalate               ? fates.escalated
       : answer.class_index == other ? fates.dropped
                                     : fates.answered);
  }
  return fates;
}

TEST(DeviceSource, AGateWithAThresholdForEveryClassDecidesAsItsArithmetic) {
  // This one answers `other` now and then.
  const Int8Model model = random_int8_model(rich_graph(), 16);
  const EscalationPolicy policy = gate_policy(model);
  const Samples samples = random_samples(model, 400, 21);
  for (const std::string& compiler :
       {"cc " + kStrictC99 + "-O2",
        "cc " + kStrictC99 + "-O1 -fsanitize=undefined -fno-sanitize-recover=all"}) {
    const testing::TemporaryFolder folder;
    testing::write_files(folder.path(), generate(model, policy).files);
    const auto answers = testing::run_device_code(folder.path(), compiler, samples);
    EXPECT_EQ(count_differences(model, answers, samples, policy), 0);
    const Fates fates = count_fates(answers, 4);
    EXPECT_GT(fates.answered, 10);
    EXPECT_GT(fates.dropped, 10) << "the filter keeps a confident `other`";
    EXPECT_GT(fates.escalated, 10);
  }
}

TEST(DeviceSource, ThePlainMarginNeedsNoRule) {
  const Int8Model model = random_int8_model(rich_graph(), 11);
  const std::string margin = generate(model).files.at("bl_model.c");
  EXPECT_THAT(margin,
              ::testing::HasSubstr("return bl_decide_margin(BL_MODEL_CLASSES, accumulators, "
                                   "bl_model_thresholds);"));
  EXPECT_THAT(margin, ::testing::Not(::testing::HasSubstr("bl_model_rule")));
  const std::string gate = generate(model, gate_policy(model)).files.at("bl_model.c");
  EXPECT_THAT(gate, ::testing::HasSubstr("bl_model_rule = {BL_MODEL_CLASSES, 4, 300, -40, "));
}

TEST(DeviceSource, StatesTheThresholdsOneALine) {
  const Int8Model model = random_int8_model(rich_graph(), 11);
  EscalationPolicy policy = margin_policy(model);
  policy.thresholds = {1, -7, kAlwaysEscalate - 1, 5000, kAlwaysEscalate};
  EXPECT_THAT(generate(model, policy).files.at("bl_model.c"),
              ::testing::HasSubstr("const int64_t bl_model_thresholds[BL_MODEL_CLASSES] = {\n"
                                   "    INT64_C(1),\n"
                                   "    -INT64_C(7),\n"
                                   "    INT64_C(9007199254740990),\n"
                                   "    INT64_C(5000),\n"
                                   "    BL_ALWAYS_ESCALATE,\n"
                                   "};\n"));
}

TEST(DeviceSource, StatesTheAuditedShareOfTwoToTheThirtyTwo) {
  const Int8Model model = random_int8_model(rich_graph(), 11);
  EscalationPolicy policy = margin_policy(model);
  const auto limit = [&](double fraction) {
    policy.audit.fraction = fraction;
    const std::string header = generate(model, policy).files.at("bl_model.h");
    const std::size_t begin = header.find("BL_MODEL_AUDIT_LIMIT UINT32_C(") + 30;
    return header.substr(begin, header.find(')', begin) - begin);
  };
  EXPECT_EQ(limit(0.0), "0");
  EXPECT_EQ(limit(0.01), "42949673");  // 42949672.96
  EXPECT_EQ(limit(0.25), "1073741824");
  EXPECT_EQ(limit(1.0), "4294967295");
}

TEST(DeviceReadme, ExplainsTheRuleTheFilterAndTheAudit) {
  const Int8Model model = random_int8_model(rich_graph(), 11);
  const std::string margin = generate(model).files.at("README.md");
  EXPECT_THAT(margin, ::testing::HasSubstr("here the margin itself."));
  EXPECT_THAT(margin, ::testing::HasSubstr("such inputs always go up."));
  EXPECT_THAT(margin, ::testing::HasSubstr("picks 1 % of the local answers"));
  const std::string gate = generate(model, gate_policy(model)).files.at("README.md");
  EXPECT_THAT(gate, ::testing::HasSubstr("here 300 times the margin plus -40 times the"));
  EXPECT_THAT(gate, ::testing::HasSubstr("there is nothing to report"));
}

TEST(DeviceSource, RefusesAPolicyThatDoesNotFitTheDevice) {
  const Int8Model model = random_int8_model(rich_graph(), 11);
  const auto expect_refused = [&](const std::string& message, const auto& change) {
    EscalationPolicy policy = gate_policy(model);
    change(policy);
    testing::expect_error(ErrorKind::bad_data, message, [&] { generate(model, policy); });
  };
  expect_refused("the policy has 4 thresholds and 5 offsets for 5 little classes",
                 [](EscalationPolicy& policy) { policy.thresholds.pop_back(); });
  expect_refused("the policy has 5 thresholds and 6 offsets for 5 little classes",
                 [](EscalationPolicy& policy) { policy.rule.offsets.push_back(0); });
  expect_refused(
      "the policy's threshold is 9007199254740992, expected -9007199254740990 to 9007199254740991",
      [](EscalationPolicy& policy) { policy.thresholds[2] = kAlwaysEscalate + 1; });
  expect_refused(
      "the policy's threshold is -9007199254740991, expected -9007199254740990 to "
      "9007199254740991",
      [](EscalationPolicy& policy) { policy.thresholds[2] = kTieScore; });
  expect_refused("the policy's margin weight is 262145, expected -262144 to 262144",
                 [](EscalationPolicy& policy) { policy.rule.margin_weight = 262145; });
  expect_refused("the policy's other weight is -262145, expected -262144 to 262144",
                 [](EscalationPolicy& policy) { policy.rule.other_weight = -262145; });
  expect_refused(
      "the policy's offset is 1125899906842625, expected -1125899906842624 to 1125899906842624",
      [](EscalationPolicy& policy) { policy.rule.offsets[0] = kLargestScoreOffset + 1; });
  expect_refused("the policy's audit fraction is 1.5, expected 0 to 1",
                 [](EscalationPolicy& policy) { policy.audit.fraction = 1.5; });
}

}  // namespace
}  // namespace biglittle
