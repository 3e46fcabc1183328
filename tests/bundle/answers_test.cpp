// SPDX-License-Identifier: MIT
// answers.safetensors: what is written is read back, and nothing else is believed.

#include "bundle/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/safetensors.h"
#include "quant/int8_model.h"
#include "testing/temporary_folder.h"

namespace biglittle::testing {
namespace {

using ::testing::HasSubstr;

/// Two little classes and other; big has four classes.
PriorityMap map() {
  PriorityMap map;
  map.little_of_big = {2, 0, 1, 2};
  map.names = {"cat", "dog", "other"};
  return map;
}

RecordedAnswers answers() {
  RecordedAnswers answers;
  answers.tune = {{5, 1, -2, 0, 7, 7}, {1, 2}, {1, 3}};
  answers.calibration = {{1, 2, 3, 4, 5, 6, -7, -8, -9}, {0, 0, 1}, {3, 0, 1}};
  answers.test = {{1 << 29, 0, -(1 << 29)}, {3}, {3}};
  answers.little_float_class = {2};
  return answers;
}

RecordedAnswers with_log() {
  RecordedAnswers logged = answers();
  logged.log = Scores{{5, kTieScore, kAlwaysEscalate - 1}, {1, 0, 2}, {2, 3, 0}, {}};
  return logged;
}

void expect_equal(const Answers& found, const Answers& expected) {
  EXPECT_EQ(found.accumulators, expected.accumulators);
  EXPECT_EQ(found.big_class, expected.big_class);
  EXPECT_EQ(found.truth, expected.truth);
}

class AnswersFile : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return folder_ / "answers.safetensors"; }

  /// Writes the answers with a log, changes the file's content and gives the reader's message.
  std::string refusal(const std::function<void(SafetensorsFile&)>& change) const {
    write_answers(file(), with_log());
    SafetensorsFile content = read_safetensors(file());
    change(content);
    write_safetensors(file(), content);
    return message();
  }

  std::string message() const {
    try {
      (void)read_answers(file(), map());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::bad_data);
      EXPECT_THAT(error.what(), ::testing::StartsWith(file().string() + ": "));
      return error.what();
    }
    return "not refused";
  }

  template <typename T>
  std::string refusal_of_value(const std::string& tensor, std::size_t at, T value) const {
    return refusal(
        [&](SafetensorsFile& content) { content.tensors.at(tensor).values<T>()[at] = value; });
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(AnswersFile, WhatIsWrittenIsReadBack) {
  write_answers(file(), answers());
  const RecordedAnswers found = read_answers(file(), map());
  expect_equal(found.tune, answers().tune);
  expect_equal(found.calibration, answers().calibration);
  expect_equal(found.test, answers().test);
  EXPECT_EQ(found.little_float_class, answers().little_float_class);
  EXPECT_FALSE(found.log);
}

TEST_F(AnswersFile, TheLogIsReadBack) {
  write_answers(file(), with_log());
  const std::optional<Scores> found = read_answers(file(), map()).log;
  ASSERT_TRUE(found);
  EXPECT_EQ(found->score, with_log().log->score);
  EXPECT_EQ(found->little_class, with_log().log->little_class);
  EXPECT_EQ(found->big_class, with_log().log->big_class);
  EXPECT_TRUE(found->truth.empty());
}

TEST_F(AnswersFile, TheSameAnswersGiveTheSameBytes) {
  write_answers(file(), with_log());
  const std::string first = read_text(file());
  write_answers(file(), read_answers(file(), map()));
  EXPECT_EQ(read_text(file()), first);
}

TEST_F(AnswersFile, AnotherFormatOrVersionIsRefused) {
  EXPECT_THAT(refusal([](auto& content) { content.metadata["format"] = "biglittle-vectors"; }),
              HasSubstr("is not a 'biglittle-answers' file"));
  EXPECT_THAT(refusal([](auto& content) { content.metadata["format_version"] = "2\n"; }),
              HasSubstr("format version '2"));
  EXPECT_THAT(refusal([](auto& content) { content.metadata.clear(); }), HasSubstr("is not a "));
}

TEST_F(AnswersFile, AMissingOrUnknownTensorIsNamed) {
  EXPECT_THAT(refusal([](auto& content) { content.tensors.erase("test.truth"); }),
              HasSubstr("has no tensor 'test.truth'"));
  EXPECT_THAT(refusal([](auto& content) { content.tensors.erase("log.big_class"); }),
              HasSubstr("has no tensor 'log.big_class'"));
  // Without its scores the rest of a log is nothing known.
  EXPECT_THAT(refusal([](auto& content) { content.tensors.erase("log.score"); }),
              HasSubstr("has a tensor 'log.big_class', which no such file has"));
}

TEST_F(AnswersFile, AnotherTypeOrShapeIsRefused) {
  EXPECT_THAT(refusal([](auto& content) {
                content.tensors.at("calibration.accumulators") = Tensor(DType::i32, {3, 4});
              }),
              HasSubstr("tensor 'calibration.accumulators' is I32 [3, 4], expected I32 [3, 3]"));
  EXPECT_THAT(refusal([](auto& content) {
                content.tensors.at("tune.big_class") = Tensor(DType::i64, {2});
              }),
              HasSubstr("tensor 'tune.big_class' is I64 [2], expected I32 [2]"));
  EXPECT_THAT(refusal([](auto& content) {
                content.tensors.at("test.little_float_class") = Tensor(DType::i32, {2});
              }),
              HasSubstr("tensor 'test.little_float_class' is I32 [2], expected I32 [1]"));
  EXPECT_THAT(
      refusal([](auto& content) { content.tensors.at("tune.truth") = Tensor(DType::i32, {0}); }),
      HasSubstr("'tune.truth' has shape [0], expected 1 extent(s), 1 to 1000000000 samples"));
}

TEST_F(AnswersFile, AClassThatDoesNotExistIsNamedWithItsRow) {
  EXPECT_THAT(refusal_of_value<std::int32_t>("calibration.truth", 1, 4),
              HasSubstr("calibration.truth of row 1 is 4, expected 0 to 3"));
  EXPECT_THAT(refusal_of_value<std::int32_t>("test.big_class", 0, -1),
              HasSubstr("test.big_class of row 0 is -1, expected 0 to 3"));
  EXPECT_THAT(refusal_of_value<std::int32_t>("test.little_float_class", 0, 3),
              HasSubstr("test.little_float_class of row 0 is 3, expected 0 to 2"));
  EXPECT_THAT(refusal_of_value<std::int32_t>("log.little_class", 2, 3), HasSubstr("log: "));
  EXPECT_THAT(refusal_of_value<std::int32_t>("log.big_class", 0, 4), HasSubstr("log: "));
}

TEST_F(AnswersFile, AnAccumulatorBeyondEveryInt8NetworkIsRefused) {
  constexpr auto kLimit = static_cast<std::int32_t>(kAccumulatorLimit);
  EXPECT_THAT(refusal_of_value("tune.accumulators", 4, kLimit),
              HasSubstr("tune.accumulators of row 1 has 1073741824, which no int8 network"));
  EXPECT_THAT(refusal_of_value("tune.accumulators", 0, -kLimit), HasSubstr("of row 0 has -1073"));
  EXPECT_EQ(refusal_of_value("tune.accumulators", 4, kLimit - 1), "not refused");
}

TEST_F(AnswersFile, AScoreThatNoDeviceGivesIsRefused) {
  EXPECT_THAT(refusal_of_value<std::int64_t>("log.score", 1, kAlwaysEscalate), HasSubstr("log: "));
  EXPECT_THAT(refusal_of_value<std::int64_t>("log.score", 1, kTieScore - 1), HasSubstr("log: "));
}

TEST_F(AnswersFile, ADamagedFileIsAnErrorAndNeverWorse) {
  write_answers(file(), with_log());
  const std::string whole = read_text(file());
  std::mt19937 random(3);
  int refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string damaged = whole;
    damaged[random() % damaged.size()] = static_cast<char>(random() % 256);
    if (round % 4 == 0) damaged.resize(random() % damaged.size());
    write_file(file(), damaged);
    refused += message() != "not refused";
  }
  EXPECT_GT(refused, 1000);
}

TEST(LogDigest, IsOverTheRowsAsLines) {
  EXPECT_EQ(log_digest(*with_log().log),
            sha256_hex("5 1 2\n-9007199254740991 0 3\n9007199254740990 2 0\n"));
}

TEST(CertifyingScores, AreTheLogsWhereThereIsOneAndCalibrationsElse) {
  const ScoreRule rule = plain_rule(ScoreKind::margin, map());
  const Scores scores = certifying_scores(answers(), rule, map());
  EXPECT_EQ(scores.score, (std::vector<std::int64_t>{1, 1, 1}));
  EXPECT_EQ(scores.little_class, (std::vector<std::int64_t>{2, 2, 0}));
  EXPECT_EQ(scores.truth, (std::vector<std::int64_t>{3, 0, 1}));
  EXPECT_EQ(certifying_scores(with_log(), rule, map()).score, with_log().log->score);
}

}  // namespace
}  // namespace biglittle::testing
