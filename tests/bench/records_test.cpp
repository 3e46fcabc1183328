// SPDX-License-Identifier: MIT
#include "bench/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/files.h"
#include "testing/temporary_folder.h"

namespace biglittle::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Shape kPair = {1, 1, 2};

class RecordFile : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& content) {
    const std::filesystem::path file = folder_.path() / "images.records";
    write_file(file, std::string_view(content));
    return file;
  }

  std::string refusal(const std::string& content) {
    try {
      read_records(write(content), kPair, 3);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::bad_data);
      return error.what();
    }
    return "accepted";
  }

  biglittle::testing::TemporaryFolder folder_;
};

TEST_F(RecordFile, HoldsALabelAndThenThePixels) {
  const Records records = read_records(write({2, 10, 20, 0, 30, 40}), kPair, 3);
  EXPECT_THAT(records.labels, ElementsAre(2, 0));
  EXPECT_THAT(records.samples.bytes(), ElementsAre(10, 20, 30, 40));
}

TEST_F(RecordFile, OfHalfARecordIsRefused) {
  EXPECT_THAT(refusal({2, 10, 20, 0, 30}),
              HasSubstr("5 bytes are not a whole number of records of 1 + 2 bytes"));
  EXPECT_THAT(refusal(""), HasSubstr("0 bytes are not a whole number of records"));
}

TEST_F(RecordFile, WithALabelBeyondTheClassesIsRefused) {
  EXPECT_THAT(refusal({2, 10, 20, 3, 30, 40}), HasSubstr("record 1 has label 3 of 3 classes"));
}

TEST_F(RecordFile, GivesTheFirstRecordsAsFarAsThereAreAny) {
  const Records records = read_records(write({2, 10, 20, 0, 30, 40}), kPair, 3);
  EXPECT_THAT(first_records(records, 1).samples.bytes(), ElementsAre(10, 20));
  EXPECT_THAT(first_records(records, 1).labels, ElementsAre(2));
  EXPECT_EQ(first_records(records, 5).samples.count(), 2);
}

// Mean 25, deviation sqrt(125).
TEST_F(RecordFile, IsNormalizedByItsOwnMeanAndDeviation) {
  const Records records = read_records(write({2, 10, 20, 0, 30, 40}), kPair, 3);
  EXPECT_EQ(usual_preprocessing(records).offset, 25.0);
  EXPECT_NEAR(usual_preprocessing(records).scale, 1.0 / 11.1803, 1e-6);
}

}  // namespace
}  // namespace biglittle::bench
