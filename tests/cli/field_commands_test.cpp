// SPDX-License-Identifier: MIT
// Recalibrate and audit on a tiny bundle: neither needs LibTorch or a dataset.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "bundle/tiny_bundle.h"
#include "cli/loads.h"
#include "cli/program.h"
#include "testing/temporary_folder.h"

namespace biglittle::testing {
namespace {

using ::testing::HasSubstr;

/// Above every threshold of a path.
constexpr std::int64_t kConfident = 1'000'000;

class FieldCommands : public ::testing::Test {
 protected:
  FieldCommands() {
    id_ = write_without_compiler(tiny_export(folder_ / "bundle"));
    const EscalationPolicy policy = load_bundle(folder_ / "bundle").policy;
    cat_threshold_ = policy.thresholds[0];
  }

  /// Without a C compiler, which would run the device code of every bundle written.
  Setting here() const { return {folder_.path(), {{"PATH", "/nowhere"}, {"CC", ""}}}; }

  Outcome run(const std::vector<std::string>& arguments) { return biglittle(arguments, here()); }

  void expect_error(const Outcome& outcome, int code, const std::string& line) {
    EXPECT_EQ(outcome.code, code);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err, "biglittle: error: " + line + "\n");
  }

  void write_log(const std::string& text) { std::ofstream(folder_ / "log.csv") << text; }

  TemporaryFolder folder_;
  std::string id_;
  std::int64_t cat_threshold_ = 0;
};

class Recalibrate : public FieldCommands {
 protected:
  /// `rows` inputs, every second one a tie; big gives another answer to the first
  /// `differing` of the others.
  void log_inputs(int rows, int differing) {
    std::string text = "time,score,little,big\n";
    for (int row = 0; row < rows; ++row) {
      const bool is_low = row % 2 == 1;
      const bool differs = !is_low && row / 2 < differing;
      text += std::to_string(row) + "," + std::to_string(is_low ? kTieScore : kConfident) +
              ",cat," + (differs ? "dog" : "cat") + "\n";
    }
    write_log(text);
  }

  Outcome recalibrate(std::vector<std::string> more) {
    std::vector<std::string> arguments = {"recalibrate", "bundle", "--answers",
                                          "log.csv",     "-o",     "new"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }

  bool wrote() const { return std::filesystem::exists(folder_ / "new"); }
};

TEST_F(Recalibrate, WritesABundleWithANewCertificateThatVerifies) {
  log_inputs(400, 3);
  const Outcome outcome = recalibrate({"--agreement", "0.03", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json json = parse_json(outcome.out, "stdout");
  EXPECT_EQ(json.at("made_from"), id_);
  EXPECT_NE(json.at("id"), id_);

  const Bundle made = load_bundle(folder_ / "new");
  EXPECT_EQ(made.id, json.at("id"));
  const Certificate& certificate = made.policy.certificate;
  ASSERT_EQ(certificate.risks.size(), 1U);
  EXPECT_EQ(certificate.risks[0].risk, "agreement");
  EXPECT_DOUBLE_EQ(certificate.risks[0].bound, 0.03);
  EXPECT_EQ(certificate.risks[0].events, 3);
  EXPECT_EQ(certificate.n, 400);
  // Ties escalate.
  EXPECT_EQ(made.policy.escalation.count, 200);
  EXPECT_EQ(made.policy.priority_local.n, 0);  // no labels
  const Outcome verified = run({"verify", "--no-engines", "new"});
  EXPECT_EQ(verified.code, 0) << verified.out;
}

TEST_F(Recalibrate, KeepsThePathAndTheNetworks) {
  log_inputs(400, 0);
  ASSERT_EQ(recalibrate({"--agreement", "0.03"}).code, 0);
  const Bundle before = load_bundle(folder_ / "bundle");
  const Bundle after = load_bundle(folder_ / "new");
  EXPECT_EQ(after.policy.certificate.path, before.policy.certificate.path);
  EXPECT_EQ(after.policy.rule, before.policy.rule);
  EXPECT_EQ(after.policy.certificate.little_digest, before.policy.certificate.little_digest);
  EXPECT_NE(after.policy.certificate.calibration_digest,
            before.policy.certificate.calibration_digest);
}

TEST_F(Recalibrate, CanBeDoneAgainWithTheBoundOfTheLastTime) {
  log_inputs(400, 0);
  ASSERT_EQ(recalibrate({"--agreement", "0.03", "--delta", "0.1"}).code, 0);
  const Outcome again = run({"recalibrate", "new", "--answers", "log.csv", "-o", "newer"});
  ASSERT_EQ(again.code, 0) << again.err;
  const Certificate certificate = load_bundle(folder_ / "newer").policy.certificate;
  EXPECT_DOUBLE_EQ(certificate.risks[0].bound, 0.03);
  EXPECT_DOUBLE_EQ(certificate.delta, 0.1);
}

TEST_F(Recalibrate, SaysWhatItDidInWords) {
  log_inputs(400, 0);
  const Outcome outcome = recalibrate({"--agreement", "0.03"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("escalation   50.00 % of the log"));
  EXPECT_THAT(outcome.out, HasSubstr("(was " + id_ + ")"));
}

TEST_F(Recalibrate, DoesNotLoadLibTorch) {
  log_inputs(400, 0);
  expect_no_libtorch(
      {"recalibrate", "bundle", "--answers", "log.csv", "-o", "new", "--agreement", "0.03"},
      {folder_.path(), {{"CC", "/nowhere"}}}, 0);
}

TEST_F(Recalibrate, TooManyDisagreementsWriteNothing) {
  log_inputs(400, 40);
  const Outcome outcome = recalibrate({"--agreement", "0.03"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("nothing was written"));
  EXPECT_FALSE(wrote());
}

TEST_F(Recalibrate, BudgetThatTheLogCannotKeepWritesNothing) {
  log_inputs(400, 0);
  EXPECT_EQ(recalibrate({"--agreement", "0.03", "--budget", "0.4"}).code, 1);
  EXPECT_FALSE(wrote());
  EXPECT_EQ(recalibrate({"--agreement", "0.03", "--budget", "0.6"}).code, 0);
}

TEST_F(Recalibrate, FewerRowsThanAnyCertificateNeedsAreNotTested) {
  // 0.97^98 > 0.05 > 0.97^99
  log_inputs(98, 0);
  expect_error(recalibrate({"--agreement", "0.03"}), 1,
               "log.csv: 98 rows, but even without a disagreement at least 99 are needed for "
               "agreement 0.03 at delta 0.05; nothing was written");
  EXPECT_FALSE(wrote());
  log_inputs(99, 0);
  EXPECT_EQ(recalibrate({"--agreement", "0.03"}).code, 0);
}

TEST_F(Recalibrate, AgreementHasToBeStatedWhereTheBundleHasNone) {
  log_inputs(400, 0);
  expect_error(recalibrate({}), 64,
               "recalibrate: the bundle's certificate says nothing of agreement; state --agreement "
               "EPS, how often little may answer what big would not");
}

TEST_F(Recalibrate, BoundOutOfRangeIsRefused) {
  expect_error(recalibrate({"--agreement", "2"}), 64,
               "recalibrate: --agreement: agreement is 2, expected a number from 0 to 0.999");
}

TEST_F(Recalibrate, OutputHasToBeStated) {
  expect_error(run({"recalibrate", "bundle", "--answers", "log.csv"}), 64,
               "recalibrate: --output is required (see 'biglittle recalibrate --help')");
}

TEST_F(Recalibrate, UnknownClassIsRefusedWithItsLine) {
  write_log("score,little,big\n1,cat,cta\n");
  expect_error(recalibrate({"--agreement", "0.03"}), 65,
               "log.csv:2: big is 'cta', expected bird, cat, dog or fish, did you mean 'cat'?");
}

TEST_F(Recalibrate, LogOfEscalatedInputsOnlyIsRefused) {
  std::string text = "score,little,big\n";
  for (int row = 0; row < 400; ++row) text += std::to_string(kTieScore) + ",cat,cat\n";
  write_log(text);
  const Outcome outcome = recalibrate({"--agreement", "0.03"});
  EXPECT_EQ(outcome.code, 65);
  EXPECT_THAT(outcome.err, HasSubstr("this is a log of escalated inputs"));
  EXPECT_FALSE(wrote());
}

TEST_F(Recalibrate, FolderThatHoldsSomethingElseIsLeftAlone) {
  log_inputs(400, 0);
  std::filesystem::create_directory(folder_ / "new");
  std::ofstream(folder_ / "new/precious.txt") << "precious";
  EXPECT_EQ(recalibrate({"--agreement", "0.03"}).code, 73);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "new/precious.txt"));
}

class Audit : public FieldCommands {
 protected:
  /// `agreeing` rows on which both say cat, then `differing` on which big says bird.
  void log_answers(int agreeing, int differing) {
    std::string text = "little,big\n";
    for (int row = 0; row < agreeing; ++row) text += "cat,cat\n";
    for (int row = 0; row < differing; ++row) text += "cat,bird\n";
    write_log(text);
  }

  Outcome audit(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"audit", "bundle", "--log", "log.csv"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
};

TEST_F(Audit, IsQuietWhileNothingChanged) {
  log_answers(500, 0);
  const Outcome outcome = audit();
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("answers      500 audited, 0 disagreements (0.00 %)"));
  EXPECT_THAT(outcome.out, HasSubstr("to notice    twice the disagreement takes about "));
  EXPECT_THAT(outcome.out, HasSubstr("alarm        no\n"));
}

TEST_F(Audit, SoundsTheAlarmAndNamesTheLine) {
  log_answers(10, 100);
  const Outcome outcome = audit({"--json"});
  EXPECT_EQ(outcome.code, 1);
  const Json json = parse_json(outcome.out, "stdout");
  EXPECT_TRUE(json.at("alarm").get<bool>());
  EXPECT_EQ(json.at("seen"), 110);
  EXPECT_EQ(json.at("differing"), 100);
  const auto after = json.at("alarm_after").get<std::int64_t>();
  EXPECT_GT(after, 10);
  EXPECT_LT(after, 40);
  EXPECT_EQ(json.at("alarm_line"), after + 1);  // behind the header
  EXPECT_THAT(audit().out, HasSubstr("alarm        yes, after " + std::to_string(after) +
                                     " answers (line " + std::to_string(after + 1) + ")"));
}

TEST_F(Audit, CountsAnswersThatDifferOverLittleClasses) {
  // A fish is other to the little network, which said cat.
  write_log("little,big\ncat,fish\ndog,dog\n");
  EXPECT_EQ(parse_json(audit({"--json"}).out, "stdout").at("differing"), 1);
}

TEST_F(Audit, DoesNotLoadLibTorch) {
  log_answers(5, 0);
  expect_no_libtorch({"audit", "bundle", "--log", "log.csv"}, here(), 0);
}

TEST_F(Audit, LogHasToBeStated) {
  expect_error(run({"audit", "bundle"}), 64,
               "audit: --log is required (see 'biglittle audit --help')");
}

TEST_F(Audit, AbsentLogIsAMissingInput) { EXPECT_EQ(audit().code, 66); }

TEST_F(Audit, MissingColumnIsNamed) {
  write_log("little,bg\ncat,cat\n");
  expect_error(audit(), 65, "log.csv:1: no column 'big' in the header, did you mean 'bg'?");
}

TEST_F(Audit, EmptyLogIsRefused) {
  write_log("little,big\n");
  expect_error(audit(), 65, "log.csv: a header but no rows");
}

TEST_F(Audit, AnswerThatIsNeverGivenOnTheDeviceIsRefused) {
  write_log("little,big\ncat,cat\nother,bird\n");
  expect_error(audit(), 65,
               "log.csv:3: little is 'other', which the bundle's policy never answers on the "
               "device; log audited local answers only");
}

TEST_F(Audit, EscalatedInputIsRefused) {
  const std::string low = std::to_string(cat_threshold_ - 1);
  write_log("little,big,score\ncat,cat," + std::to_string(cat_threshold_) + "\ncat,cat," + low +
            "\n");
  expect_error(audit(), 65,
               "log.csv:3: score " + low + " of 'cat' is below the threshold " +
                   std::to_string(cat_threshold_) +
                   ", so this input was escalated; log audited local answers only");
}

TEST_F(Audit, BundleThatEscalatesEverythingHasNothingToAudit) {
  ExportInput input = tiny_export(folder_ / "silent");
  CalibrateOptions impossible;
  impossible.net_loss = 1e-6;
  certify_anew(input, impossible);
  write_without_compiler(input);
  write_log("little,big\ncat,cat\n");
  expect_error(run({"audit", "silent", "--log", "log.csv"}), 65,
               "silent: its policy answers too little on the device to say how often little and "
               "big disagree there, so there is nothing to audit against");
}

class CertifyRefusals : public FieldCommands {};

TEST_F(CertifyRefusals, SizeOfDrawsWithoutDraws) {
  expect_error(run({"certify", "bundle", "data.h5", "--n", "500"}), 64,
               "certify: --n says how large the draws of --resample are; state --resample, too");
}

TEST_F(CertifyRefusals, OptionsOfTraining) {
  expect_error(run({"certify", "bundle", "data.h5", "--set", "big.train.epochs=3"}), 64,
               "certify: --set big.train.epochs=3: the networks of a bundle are made; only "
               "calibrate.* and compute.* can be set here");
}

TEST_F(CertifyRefusals, UnknownOptionNamesTheClosest) {
  expect_error(run({"certify", "bundle", "data.h5", "--set", "calibrate.dleta=0.1"}), 78,
               "--set calibrate.dleta=0.1: unknown key 'calibrate.dleta', did you mean "
               "'calibrate.delta'?");
}

TEST_F(CertifyRefusals, DrawsThatAreNoNumber) {
  expect_error(run({"certify", "bundle", "data.h5", "--resample", "many"}), 64,
               "certify: --resample: resample is 'many', expected an integer from 0 to 1000000");
}

TEST_F(CertifyRefusals, AbsentDataset) {
  EXPECT_EQ(run({"certify", "bundle", "data.h5"}).code, 66);
}

}  // namespace
}  // namespace biglittle::testing
