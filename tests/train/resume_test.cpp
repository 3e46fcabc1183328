// SPDX-License-Identifier: MIT
// A run that was interrupted and resumed ends with the same bytes as one that was not.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/expect_error.h"
#include "testing/temporary_folder.h"
#include "train/interruptions.h"
#include "train/toy_problem.h"

extern "C" const biglittle::Engine* biglittle_engine();

namespace biglittle {
namespace {

using testing::fit_with_interruptions;
using testing::make_toy_problem;
using testing::resumable_requests;

const Engine& engine() { return *biglittle_engine(); }

TEST(Resume, GivesTheBytesOfARunWithoutInterruption) {
  const testing::ToyProblem problem = make_toy_problem(256, 64, 8);
  const testing::TemporaryFolder folder;
  Observer silent;
  for (const FitRequest& request : resumable_requests(problem)) {
    const FitResult whole = engine().fit(request, silent);
    const std::int64_t epoch = 256 / request.options.batch_size;
    // Before the first step of an epoch, after its last, in its middle; twice in one epoch.
    for (const std::vector<std::int64_t>& steps :
         {std::vector<std::int64_t>{1}, {epoch}, {epoch + 1, epoch + 2}, {3 * epoch - 1}}) {
      const FitResult resumed =
          fit_with_interruptions(engine(), request, steps, folder / "state.safetensors");
      EXPECT_EQ(resumed.weights, whole.weights) << "after step " << steps.front();
      EXPECT_EQ(resumed.history, whole.history);
      EXPECT_EQ(resumed.tune_accuracy, whole.tune_accuracy);
    }
  }
}

TEST(Resume, RefusesAnotherNumberOfThreadsUnlessAllowed) {
  const testing::ToyProblem problem = make_toy_problem(128, 32, 9);
  const testing::TemporaryFolder folder;
  FitRequest request = resumable_requests(problem)[0];
  FitState state;
  request.on_state = [&](const FitState& now) { state = now; };
  Observer silent;
  engine().fit(request, silent);
  request.resume = state;
  request.compute.threads = 2;
  testing::expect_error(
      ErrorKind::config,
      "the interrupted training used 1 thread(s) and fp32, this one 2 and fp32: set "
      "compute.threads and compute.precision alike, or allow changes",
      [&] { engine().fit(request, silent); });
  request.allow_changes = true;
  request.options.epochs += 1;
  EXPECT_EQ(engine().fit(request, silent).history.size(), 4u);
}

// A step number means another place in the data then, also where it lies inside the epoch.
TEST(Resume, BeginsTheEpochAgainAfterAChangeOfBatchSize) {
  const testing::ToyProblem problem = make_toy_problem(256, 32, 9);
  FitRequest request = resumable_requests(problem)[2];
  request.options.epochs = 2;
  std::vector<FitState> states;  // after the first epoch, and inside the second
  request.on_state = [&](const FitState& now) { states.push_back(now); };
  testing::StopsAfter observer(11);
  EXPECT_THROW(engine().fit(request, observer), Interrupted);
  ASSERT_EQ(states.size(), 2u);
  for (const FitState& state : states) {
    for (const std::int64_t batch_size : {64, 16}) {  // 4 and 16 steps an epoch in place of 8
      FitRequest rest = request;
      rest.resume = state;
      rest.allow_changes = true;
      rest.options.batch_size = batch_size;
      std::int64_t last_step = 0;
      rest.on_state = [&](const FitState& now) { last_step = now.step; };
      Observer silent;
      const FitResult result = engine().fit(rest, silent);
      ASSERT_EQ(result.history.size(), 2u);
      EXPECT_EQ(last_step, 2 * 256 / batch_size);
      const double first = result.history[0]["train_loss"];
      const double second = result.history[1]["train_loss"];
      EXPECT_GT(second, 0.3 * first) << "the mean over a whole epoch";
      EXPECT_LT(second, first);
    }
  }
}

TEST(Resume, RefusesAStateOfAnotherNetwork) {
  const testing::ToyProblem problem = make_toy_problem(128, 32, 9);
  std::vector<FitRequest> requests = resumable_requests(problem);
  FitState state;
  requests[0].on_state = [&](const FitState& now) { state = now; };
  Observer silent;
  engine().fit(requests[0], silent);
  FitRequest other = requests[2];
  other.resume = state;
  try {
    engine().fit(other, silent);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_data);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("numbers of 'trainable', this network"));
  }
}

}  // namespace
}  // namespace biglittle
