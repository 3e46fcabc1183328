// SPDX-License-Identifier: MIT
#include "cli/stamp.h"

#include <gtest/gtest.h>

#include <fstream>

#include "cli/toy_data.h"
#include "testing/temporary_folder.h"

namespace biglittle::testing {
namespace {

/// An imported toy dataset: the one stage that needs no engine.
class ImportStamp : public ::testing::Test {
 protected:
  ImportStamp() {
    write_toy_idx(folder_ / "raw", 80, 16);
    std::ofstream(folder_ / "toy.toml") << "[data.import]\nsource = \"raw\"\n";
    Observer silent;
    Workspace workspace(project(), silent);
    result_ = perform(Stage::import, workspace);
  }

  Project project(const std::vector<std::string>& assignments = {}) {
    return load_project(folder_ / "toy.toml", assignments);
  }

  bool is_up_to_date(const std::vector<std::string>& assignments = {}) {
    return up_to_date_result(Stage::import, project(assignments)).has_value();
  }

  TemporaryFolder folder_;
  StageResult result_;
};

TEST_F(ImportStamp, GivesTheResultAgain) {
  const auto known = up_to_date_result(Stage::import, project());
  ASSERT_TRUE(known);
  EXPECT_EQ(known->text, result_.text);
  EXPECT_EQ(known->json, result_.json);
}

TEST_F(ImportStamp, DoesNotDependOnOptionsOfLaterStages) {
  EXPECT_TRUE(is_up_to_date({"name=another", "data.file=data/toy.h5", "big.train.epochs=99"}));
}

TEST_F(ImportStamp, FallsWithAnOptionOfItsStage) {
  EXPECT_FALSE(is_up_to_date({"data.import.seed=2"}));
}

TEST_F(ImportStamp, FallsWithItsSource) {
  write_toy_idx(folder_ / "raw", 84, 16);
  EXPECT_FALSE(is_up_to_date());
}

TEST_F(ImportStamp, FallsWithItsOutput) {
  std::ofstream(folder_ / "data/toy.h5", std::ios::app) << "x";
  EXPECT_FALSE(is_up_to_date());
  std::filesystem::remove(folder_ / "data/toy.h5");
  EXPECT_FALSE(is_up_to_date());
}

TEST_F(ImportStamp, ThatCannotBeReadProvesNothing) {
  std::ofstream(folder_ / "data/toy.h5.stamp.json") << "{";
  EXPECT_FALSE(is_up_to_date());
}

TEST_F(ImportStamp, SaysNothingAboutOtherStages) {
  EXPECT_FALSE(up_to_date_result(Stage::train, project()).has_value());
}

}  // namespace
}  // namespace biglittle::testing
