// SPDX-License-Identifier: MIT
// The certificate and the report follow from the recorded answers: whoever changes one of them is
// found out, though the manifest was made to agree.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "damaged_bundle.h"

namespace biglittle::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Outcome = VerifyItem::Outcome;

/// Little is wrong, and big is not, wherever the margin is below the median of tune: only a part of
/// the path can be certified.
void make_unsure(ExportInput& input) {
  RecordedAnswers& answers = input.answers;
  const PriorityMap& map = *input.little.priority;
  const ScoreRule rule = plain_rule(ScoreKind::margin, map);
  std::vector<std::int64_t> sorted = make_scores(answers.tune, rule, map).score;
  std::ranges::sort(sorted);
  const std::int64_t median = sorted[sorted.size() / 2];
  for (Answers* split : {&answers.tune, &answers.calibration, &answers.test}) {
    const Scores scores = make_scores(*split, rule, map);
    for (std::size_t row = 0; row < scores.score.size(); ++row) {
      if (scores.score[row] < median) split->truth[row] = 3 - split->truth[row];
    }
    split->big_class = split->truth;
  }
  input.vector_labels.assign(answers.calibration.truth.begin(),
                             answers.calibration.truth.begin() + input.vectors.count());
}

/// A bundle whose policy answers a part of the inputs.
class ForgedBundle : public DamagedBundle {
 protected:
  static void SetUpTestSuite() {
    original_ = std::make_unique<TemporaryFolder>();
    ExportInput input = tiny_export(*original_ / "tiny");
    make_unsure(input);
    certify_anew(input, tiny_options());
    ASSERT_TRUE(input.policy.certificate.certified);
    ASSERT_LT(input.policy.certificate.step, input.policy.certificate.path.count() - 1);
    write_without_compiler(input);
  }

  Json policy() const { return parse_json(read_text(bundle() / "policy.json"), "policy.json"); }

  /// The verification of the bundle with another policy file.
  std::vector<VerifyItem> verify_with(const Json& policy) {
    write_file(bundle() / "policy.json", to_text(policy));
    rewrite_manifest(bundle());
    return verify();
  }

  /// Fails in `policy` with a message that has this part.
  void expect_refused(const Json& policy, const std::string& part) {
    const std::vector<VerifyItem> items = verify_with(policy);
    EXPECT_THAT(failed(items), ElementsAre("policy"));
    EXPECT_THAT(detail_of(items, "policy"), HasSubstr(part));
    EXPECT_EQ(outcomes(items).at("report"), Outcome::skipped);
  }
};

TEST_F(ForgedBundle, UntouchedItPasses) { EXPECT_THAT(failed(verify()), IsEmpty()); }

TEST_F(ForgedBundle, AThresholdThatItsCertificateDoesNotCoverIsRefused) {
  Json policy = this->policy();
  policy["thresholds"][0] = policy["thresholds"][0].get<std::int64_t>() - 1;
  const std::vector<VerifyItem> items = verify_with(policy);
  EXPECT_THAT(failed(items), ElementsAre("networks"));
  EXPECT_THAT(refusal(),
              HasSubstr("policy.json: thresholds are not those of the certificate's step"));
}

TEST_F(ForgedBundle, ALaterStepThanTheCertifiedOneIsRefused) {
  Json policy = this->policy();
  Json& certificate = policy["certificate"];
  const std::size_t last = certificate["path"]["steps"].size() - 1;
  certificate["step"] = last;
  policy["thresholds"] = certificate["path"]["steps"][last];
  expect_refused(policy, "of net-loss is ");
}

TEST_F(ForgedBundle, AnotherPValueIsRefused) {
  Json policy = this->policy();
  policy["certificate"]["risks"][0]["p_value"] = 0.0123;
  expect_refused(policy, "p_value of net-loss is ");
}

TEST_F(ForgedBundle, AnotherUpperBoundIsRefused) {
  Json policy = this->policy();
  policy["certificate"]["risks"][0]["upper_bound"] = 0.001;
  expect_refused(policy, "upper_bound of net-loss is ");
}

TEST_F(ForgedBundle, AStricterBoundThanTheTestedOneIsRefused) {
  Json policy = this->policy();
  policy["certificate"]["risks"][0]["bound"] = 0.02;
  expect_refused(policy, "net-loss");
}

TEST_F(ForgedBundle, APolicyOfOtherClassesIsRefused) {
  Json policy = this->policy();
  policy["certificate"]["big_classes"][3] = "fowl";
  expect_refused(policy, "the certificate's classes are not the big network's");
}

TEST_F(ForgedBundle, APolicyThatCallsItselfAFilterIsRefused) {
  Json policy = this->policy();
  policy["other"] = "answer";
  EXPECT_THAT(failed(verify_with(policy)), ::testing::Not(IsEmpty()));
}

TEST_F(ForgedBundle, AnotherCalibrationAnswerChangesTheCertificate) {
  // The last certified row: an answer that is right becomes one that is wrong.
  const Bundle original = load_bundle(bundle());
  const Scores scores =
      make_scores(original.answers.calibration, original.policy.rule, *original.little.priority);
  std::int64_t row = scores.count() - 1;
  while (!answers_locally(scores, row, original.policy.thresholds)) --row;
  tamper_tensors("answers.safetensors", [&](SafetensorsFile& file) {
    std::int32_t& truth =
        file.tensors.at("calibration.truth").values<std::int32_t>()[static_cast<std::size_t>(row)];
    truth = 3 - truth;
    file.tensors.at("calibration.big_class").values<std::int32_t>()[static_cast<std::size_t>(row)] =
        truth;
  });
  const std::vector<VerifyItem> items = verify();
  EXPECT_THAT(failed(items), ElementsAre("policy"));
  EXPECT_THAT(detail_of(items, "policy"), HasSubstr("events of net-loss is "));
}

TEST_F(ForgedBundle, AnAnswerThatTheInt8NetworkDoesNotGiveIsFoundByTheVectors) {
  tamper_tensors("answers.safetensors", [](SafetensorsFile& file) {
    // The same for every class: neither answer nor score changes.
    const std::span<std::int32_t> row =
        file.tensors.at("calibration.accumulators").values<std::int32_t>().subspan(3 * 5, 3);
    for (std::int32_t& accumulator : row) accumulator += 1;
  });
  const std::vector<VerifyItem> items = verify();
  EXPECT_THAT(failed(items), ElementsAre("vectors"));
  EXPECT_THAT(
      detail_of(items, "vectors"),
      HasSubstr("test vector 5 does not give the answer recorded for calibration sample 5"));
}

TEST_F(ForgedBundle, AnotherTestAnswerChangesTheReport) {
  tamper_tensors("answers.safetensors", [](SafetensorsFile& file) {
    std::int32_t& big = file.tensors.at("test.big_class").values<std::int32_t>()[0];
    big = 3 - big;
  });
  EXPECT_THAT(failed(verify()), ElementsAre("report"));
}

TEST_F(ForgedBundle, AnotherSentenceInAReportIsNamed) {
  for (const char* path : {"report.html", "MODEL_CARD.md"}) {
    const std::string text = read_text(bundle() / path);
    write_file(bundle() / path, text + "It is perfect.\n");
    rewrite_manifest(bundle());
    const std::vector<VerifyItem> items = verify();
    EXPECT_THAT(failed(items), ElementsAre("report"));
    EXPECT_THAT(detail_of(items, "report"), HasSubstr(path));
    write_file(bundle() / path, text);
  }
}

TEST_F(ForgedBundle, AnswersToFewerSamplesThanTheSplitHasAreRefused) {
  tamper_text("manifest.json", "\"samples\": 100", "\"samples\": 101");
  const std::vector<VerifyItem> items = verify();
  EXPECT_THAT(failed(items), ::testing::Contains("networks")) << "the report names the split, too";
}

TEST_F(ForgedBundle, DamagedAnswersAreAFailedLineAndNothingIsDoneWithThem) {
  tamper_tensors("answers.safetensors",
                 [](SafetensorsFile& file) { file.tensors.erase("tune.truth"); });
  const std::vector<VerifyItem> items = verify();
  EXPECT_THAT(failed(items), ElementsAre("answers"));
  for (const char* what : {"policy", "vectors", "onnx", "report", "device source", "device code"}) {
    EXPECT_EQ(outcomes(items).at(what), Outcome::skipped) << what;
  }
  EXPECT_THAT(refusal(), HasSubstr("answers.safetensors: has no tensor 'tune.truth'"));
}

TEST_F(DamagedBundle, APolicyOfAnotherLittleNetworkIsRefused) {
  const std::string digest = load_bundle(bundle()).policy.certificate.little_digest;
  tamper_text("policy.json", digest, std::string(64, '0'));
  EXPECT_THAT(failed(verify()), ElementsAre("policy"));
  EXPECT_THAT(refusal(), HasSubstr("policy.json: the policy was calibrated for another int8 "
                                   "network (0000"));
}

TEST_F(DamagedBundle, APolicyOfAnotherBigNetworkIsRefused) {
  const std::string digest = load_bundle(bundle()).policy.certificate.big_digest;
  tamper_text("policy.json", digest, std::string(64, '0'));
  EXPECT_THAT(failed(verify()), ElementsAre("policy"));
  EXPECT_THAT(refusal(), HasSubstr("the policy was calibrated for another big network (0000"));
}

TEST_F(DamagedBundle, APolicyOfAnotherCalibrationSplitIsRefused) {
  const std::string digest = load_bundle(bundle()).policy.certificate.calibration_digest;
  tamper_text("policy.json", digest, std::string(64, '0'));
  EXPECT_THAT(failed(verify()), ElementsAre("policy"));
  EXPECT_THAT(refusal(), HasSubstr("the policy was certified on another calibration split"));
}

/// Writes the input and expects that it verifies, with the device code compiled and run.
void expect_verifies(const ExportInput& input) {
  write_bundle(input);
  for (const VerifyItem& item : verify_bundle(input.folder, VerifyEngines::found)) {
    EXPECT_EQ(item.outcome, Outcome::passed) << item.what << ": " << item.detail;
  }
}

TEST(VerifyBundle, AFilterWithAGateAndThresholdsByClassPasses) {
  const TemporaryFolder folder;
  ExportInput input = tiny_export(folder / "tiny");
  CalibrateOptions options = tiny_options();
  options.other = OtherMode::answer;
  options.thresholds = ThresholdKind::per_class;
  options.dropped = 0.1;
  certify_anew(input, options, ScoreRule{ScoreKind::gate, 70, 30, {-5, 2000, 40}});
  ASSERT_TRUE(input.policy.certificate.certified);
  EXPECT_LT(input.policy.thresholds.back(), kAlwaysEscalate);
  expect_verifies(input);
}

TEST(VerifyBundle, AnUncertifiedPolicyThatAlwaysEscalatesPasses) {
  const TemporaryFolder folder;
  ExportInput input = tiny_export(folder / "tiny");
  CalibrateOptions options = tiny_options();
  options.net_loss = 0.0001;
  certify_anew(input, options);
  ASSERT_FALSE(input.policy.certificate.certified);
  expect_verifies(input);
}

TEST(ExportInputOf, ALoadedBundleIsWrittenAgainByteForByte) {
  const TemporaryFolder folder;
  write_without_compiler(tiny_export(folder / "tiny"));
  ExportInput again = export_input_of(load_bundle(folder / "tiny"));
  EXPECT_TRUE(again.folder.empty());
  again.folder = folder / "again";
  write_without_compiler(again);
  EXPECT_EQ(contents_of(folder / "again"), contents_of(folder / "tiny"));
}

/// A bundle whose policy was certified anew on a field log.
class RecalibratedBundle : public ::testing::Test {
 protected:
  ExportInput recalibrated() const {
    ExportInput input = tiny_export(folder_ / "tiny");
    CalibrateOptions options = tiny_options();
    options.net_loss = 0.0;
    options.agreement = 0.05;
    certify_on_log(input, tiny_log(input), options);
    EXPECT_TRUE(input.policy.certificate.certified);
    return input;
  }

  static std::string refusal(const ExportInput& input) {
    try {
      write_bundle(input);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::bad_data);
      return error.what();
    }
    return "not refused";
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(RecalibratedBundle, VerifiesFromItsLog) {
  const ExportInput input = recalibrated();
  expect_verifies(input);
  const std::vector<VerifyItem> items = verify_bundle(input.folder, VerifyEngines::none);
  EXPECT_THAT(detail_of(items, "answers"), HasSubstr("and a log of 300 rows"));
  EXPECT_THAT(detail_of(items, "policy"), HasSubstr("follows from the log"));
  const Bundle bundle = load_bundle(input.folder);
  EXPECT_EQ(bundle.policy.certificate.n, 300);
  EXPECT_EQ(bundle.answers.log->score, input.answers.log->score);
}

TEST_F(RecalibratedBundle, CanBeRecalibratedAgain) {
  const ExportInput input = recalibrated();
  write_without_compiler(input);
  ExportInput again = export_input_of(load_bundle(input.folder));
  again.folder = input.folder;
  write_without_compiler(again);
  EXPECT_TRUE(load_bundle(input.folder).answers.log);
}

TEST_F(RecalibratedBundle, APolicyOfAnotherLogIsRefused) {
  ExportInput input = recalibrated();
  input.answers.log->big_class[7] = 0;
  EXPECT_EQ(refusal(input),
            "bundle tiny: the policy was certified on another log; recalibrate again");
  input.answers.log.reset();
  EXPECT_EQ(refusal(input),
            "bundle tiny: the policy was certified on another calibration split; "
            "export again");
}

TEST_F(RecalibratedBundle, ARiskThatNeedsLabelsCannotHaveBeenCertifiedOnIt) {
  ExportInput input = recalibrated();
  write_without_compiler(input);
  const Json original = to_json(input.policy);
  Json other_risk = original;
  other_risk["certificate"]["risks"][0]["risk"] = "harm";
  Json field_mix = original;
  field_mix["certificate"]["field_shares"] = {0.25, 0.25, 0.25, 0.25};
  for (const Json& policy : {other_risk, field_mix}) {
    write_file(input.folder / "policy.json", to_text(policy));
    rewrite_manifest(input.folder);
    const std::vector<VerifyItem> items = verify_bundle(input.folder, VerifyEngines::none);
    EXPECT_THAT(failed(items), ElementsAre("policy"));
    EXPECT_THAT(detail_of(items, "policy"), HasSubstr("true classes"));
  }
}

TEST_F(RecalibratedBundle, ALogWithLabelsIsNone) {
  ExportInput input = recalibrated();
  input.answers.log->truth = input.answers.log->big_class;
  EXPECT_EQ(refusal(input), "bundle tiny: log has true classes, which no log knows");
}

}  // namespace
}  // namespace biglittle::testing
