// SPDX-License-Identifier: MIT
// A wall-clock budget chooses the number of epochs once; everything after follows from that number.
// How many epochs fit is not asked here: that depends on the machine (EpochsWithin has the sum).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/temporary_folder.h"
#include "train/interruptions.h"
#include "train/toy_problem.h"

extern "C" const biglittle::Engine* biglittle_engine();

namespace biglittle {
namespace {

using testing::make_toy_problem;

const Engine& engine() { return *biglittle_engine(); }

TEST(Budget, TrainsAsTheChosenNumberOfEpochsWould) {
  const testing::ToyProblem problem = make_toy_problem(256, 64, 8);
  struct Notes : Observer {
    std::vector<std::string> notes;
    void note(std::string_view message) override { notes.emplace_back(message); }
  } observer;
  for (FitRequest request : testing::resumable_requests(problem)) {
    request.options.budget_minutes = 0.3 / 60.0;
    std::vector<std::int64_t> chosen;
    request.on_state = [&](const FitState& state) { chosen.push_back(state.epochs); };
    observer.notes.clear();
    const FitResult budgeted = engine().fit(request, observer);
    ASSERT_THAT(observer.notes, ::testing::SizeIs(1));
    EXPECT_THAT(observer.notes.front(),
                ::testing::MatchesRegex("budget of 0.005 minutes: [0-9]+ epochs of .* s \\([0-9]+ "
                                        "steps of .* ms, tune .* s, saves .* s\\)"));
    ASSERT_GE(chosen.size(), 2u);
    EXPECT_EQ(chosen.front(), 0);  // before the decision
    EXPECT_EQ(chosen.back(), std::ssize(budgeted.history));

    request.options.budget_minutes = 0.0;
    request.options.epochs = std::ssize(budgeted.history);
    const FitResult stated = engine().fit(request, observer);
    EXPECT_EQ(stated.weights, budgeted.weights);
    EXPECT_EQ(stated.history, budgeted.history);
  }
}

TEST(Budget, AResumedRunKeepsTheChoice) {
  const testing::ToyProblem problem = make_toy_problem(256, 64, 8);
  FitRequest request = testing::resumable_requests(problem)[1];
  Observer silent;
  std::vector<FitState> states;
  request.options.budget_minutes = 0.3 / 60.0;
  request.on_state = [&](const FitState& state) { states.push_back(state); };
  const FitResult whole = engine().fit(request, silent);
  request.options.budget_minutes = 60.0;  // would choose thousands of epochs
  request.resume = states.at(1);
  const FitResult resumed = engine().fit(request, silent);
  EXPECT_EQ(resumed.weights, whole.weights);
  EXPECT_EQ(resumed.history, whole.history);
}

}  // namespace
}  // namespace biglittle
