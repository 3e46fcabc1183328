// SPDX-License-Identifier: MIT
// Numbers that become NaN or infinite: what is said, what is kept, and how a run goes on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/zoo.h"
#include "testing/expect_error.h"
#include "testing/temporary_folder.h"
#include "train/interruptions.h"
#include "train/toy_problem.h"

extern "C" const biglittle::Engine* biglittle_engine();

namespace biglittle {
namespace {

using testing::make_toy_problem;
using ::testing::MatchesRegex;
using testing::toy_request;

const Engine& engine() { return *biglittle_engine(); }

/// Diverges within an epoch at the full rate; at an eighth of it, it does not.
FitRequest diverging_request(const testing::ToyProblem& problem) {
  FitRequest request = toy_request(problem, 2);
  request.graph =
      build_network(NetworkOptions{Architecture::mlp, 0, 8, {64, 64, 64}}, problem.train.shape, 4);
  request.options.learning_rate = 4.0;
  request.options.momentum = 0.9;
  request.options.warmup = 0.0;
  request.options.schedule = ScheduleKind::constant;
  request.options.epochs = 5;
  request.options.on_divergence = OnDivergence::rollback;
  return request;
}

std::string message_of(const FitRequest& request) {
  Observer silent;
  try {
    engine().fit(request, silent);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::gate);
    return error.what();
  }
  return "no error";
}

TEST(Divergence, NamesTheStepAndTheWeight) {
  const testing::ToyProblem problem = make_toy_problem(128, 32, 5);
  FitRequest request = diverging_request(problem);
  request.options.learning_rate = 100.0;
  request.options.momentum = 0.999;
  request.options.on_divergence = OnDivergence::stop;
  request.options.epochs = 50;
  EXPECT_THAT(
      message_of(request),
      MatchesRegex("(loss is -?(nan|inf), )?(weight|gradient of) [a-z0-9_]+\\.(weight|bias) "
                   "is (nan|inf) at step [0-9]+ \\(epoch [0-9]+, learning rate 100\\): "
                   "lower learning_rate, lengthen warmup or set on_divergence = "
                   "\"rollback\"(; the best checkpoint so far is kept)?"));
}

// Weights of 1e38 in a network without batch norm: the loss overflows at once, in float32 exactly.
TEST(Divergence, NamesAGradientWhereTheWeightsAreFinite) {
  const testing::ToyProblem problem = make_toy_problem(64, 32, 5);
  FitRequest request = toy_request(problem, 1);
  request.compute.precision = Precision::fp32;
  request.graph =
      build_network(NetworkOptions{Architecture::mlp, 0, 8, {16}}, problem.train.shape, 4);
  TensorMap weights;
  for (const Node& node : request.graph.nodes()) {
    for (const WeightSpec& spec : request.graph.weights(node)) {
      Tensor tensor(DType::f32, spec.shape);
      for (float& value : tensor.values<float>()) value = 1e38f;
      weights.emplace(spec.name, std::move(tensor));
    }
  }
  request.initial = weights;
  EXPECT_THAT(message_of(request), MatchesRegex("loss is -?nan, gradient of .* is nan at step 1 "
                                                "\\(epoch 1, learning rate .*"));
}

TEST(Divergence, NamesARunningStatistic) {
  const testing::ToyProblem problem = make_toy_problem(64, 32, 5);
  FitRequest request = toy_request(problem, 1);
  Observer silent;
  FitRequest plain = request;
  plain.options.epochs = 1;
  TensorMap weights = engine().fit(plain, silent).weights;
  // Training normalizes by the batch: only what it keeps for later is spoilt.
  weights.at("a_bn.running_var").values<float>()[3] = std::numeric_limits<float>::infinity();
  request.initial = weights;
  EXPECT_THAT(message_of(request),
              MatchesRegex("running statistic a_bn\\.running_var is inf at step 2 .*"));
}

// Training sees zeros only, tune something else, through weights of 1e30.
TEST(Divergence, NamesALossOnTuneThatIsNoNumber) {
  testing::ToyProblem problem = make_toy_problem(64, 32, 5);
  std::ranges::fill(std::get<std::vector<std::uint8_t>>(problem.train.values), 80);  // the mean
  FitRequest request = toy_request(problem, 1);
  request.compute.precision = Precision::fp32;
  request.graph =
      build_network(NetworkOptions{Architecture::mlp, 0, 8, {16}}, problem.train.shape, 4);
  request.options.learning_rate = 1e-30;
  TensorMap weights;
  for (const Node& node : request.graph.nodes()) {
    for (const WeightSpec& spec : request.graph.weights(node)) {
      Tensor tensor(DType::f32, spec.shape);
      const bool is_bias = spec.name.ends_with(".bias");
      for (float& value : tensor.values<float>()) value = is_bias ? 0.0f : 1e30f;
      weights.emplace(spec.name, std::move(tensor));
    }
  }
  request.initial = weights;
  bool has_state = false;
  request.on_state = [&](const FitState&) { has_state = true; };
  EXPECT_THAT(message_of(request),
              MatchesRegex("tune loss is -?(nan|inf) at step 2 \\(epoch 1, .*"));
  EXPECT_FALSE(has_state) << "a state whose loss no file can hold";
}

TEST(Divergence, RollsBackAndGoesOnAtALowerRate) {
  const testing::ToyProblem problem = make_toy_problem(256, 64, 5);
  FitRequest request = diverging_request(problem);
  struct Notes : Observer {
    std::vector<std::string> notes;
    void note(std::string_view message) override { notes.emplace_back(message); }
  } observer;
  const FitResult result = engine().fit(request, observer);
  ASSERT_EQ(result.history.size(), 5u);
  const std::int64_t rollbacks = result.history.back().value("rollbacks", std::int64_t{0});
  ASSERT_GE(rollbacks, 1);
  ASSERT_EQ(std::ssize(observer.notes), rollbacks);
  EXPECT_THAT(observer.notes.front(),
              MatchesRegex(".* at step [0-9]+ \\(epoch [0-9], learning rate 4\\): back to the end "
                           "of epoch [0-9], learning rate times 0.5 from now on"));
  for (const auto& [name, tensor] : result.weights) {
    for (const float value : tensor.values<float>()) ASSERT_TRUE(std::isfinite(value)) << name;
  }
}

TEST(Divergence, ResumesARolledBackRunBitForBit) {
  const testing::ToyProblem problem = make_toy_problem(256, 64, 5);
  const testing::TemporaryFolder folder;
  const FitRequest request = diverging_request(problem);
  Observer silent;
  const FitResult whole = engine().fit(request, silent);
  for (const std::int64_t step : {1, 2, 3, 5, 8, 9, 20, 31}) {
    const FitResult resumed =
        testing::fit_with_interruptions(engine(), request, {step}, folder / "state.safetensors");
    EXPECT_EQ(resumed.weights, whole.weights) << "after step " << step;
    EXPECT_EQ(resumed.history, whole.history) << "after step " << step;
  }
}

TEST(Divergence, GivesUpAfterTooManyReturns) {
  const testing::ToyProblem problem = make_toy_problem(128, 32, 5);
  FitRequest request = diverging_request(problem);
  request.options.learning_rate = 100.0;
  request.options.momentum = 0.999;
  request.options.epochs = 200;
  EXPECT_THAT(message_of(request),
              ::testing::StartsWith("after 5 returns at lower and lower rates, "));
}

}  // namespace
}  // namespace biglittle
