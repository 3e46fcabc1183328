// SPDX-License-Identifier: MIT
#include "train/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "derive/derive.h"
#include "testing/expect_error.h"
#include "testing/temporary_folder.h"
#include "train/toy_problem.h"

extern "C" const biglittle::Engine* biglittle_engine();

namespace biglittle {
namespace {

using testing::make_toy_problem;
using testing::toy_request;
using testing::ToyProblem;

const Engine& engine() { return *biglittle_engine(); }

TEST(Engine, LearnsAProblemThatCanBeLearned) {
  const ToyProblem problem = make_toy_problem(1024, 256, 1);
  Observer silent;
  const FitResult result = engine().fit(toy_request(problem, 2), silent);
  EXPECT_GT(result.tune_accuracy, 0.97);
  EXPECT_EQ(result.history.size(), 2u);
}

TEST(Engine, ReportsTheAccuracyOfTheWeightsItReturns) {
  const ToyProblem problem = make_toy_problem(512, 200, 2);
  Observer silent;
  FitRequest request = toy_request(problem, 1);
  request.options.ema = 0.9;
  const FitResult result = engine().fit(request, silent);
  const std::vector<float> logits =
      engine().logits({request.graph, result.weights}, request.preprocessing, problem.tune, {});
  int correct = 0;
  for (std::size_t i = 0; i < 200; ++i) {
    const auto row = logits.begin() + static_cast<std::ptrdiff_t>(4 * i);
    correct += std::max_element(row, row + 4) - row == problem.tune_labels[i] ? 1 : 0;
  }
  EXPECT_DOUBLE_EQ(result.tune_accuracy, correct / 200.0);
}

TEST(Engine, AveragesTheLogitsOfASampleAndItsMirrorImageWhereAskedTo) {
  const ToyProblem problem = make_toy_problem(256, 300, 3);
  Observer silent;
  FitRequest request = toy_request(problem, 1);
  const Network network{request.graph, engine().fit(request, silent).weights};
  std::vector<std::uint8_t> bytes(problem.tune.bytes().begin(), problem.tune.bytes().end());
  for (std::size_t row = 0; row < bytes.size(); row += 8) {
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(row),
                 bytes.begin() + static_cast<std::ptrdiff_t>(row) + 8);
  }
  const Samples mirrored(problem.tune.shape, bytes);
  const std::vector<float> one = engine().logits(network, request.preprocessing, problem.tune, {});
  const std::vector<float> other = engine().logits(network, request.preprocessing, mirrored, {});
  Preprocessing both = request.preprocessing;
  both.with_mirror = true;
  const std::vector<float> mean = engine().logits(network, both, problem.tune, {});
  ASSERT_EQ(mean.size(), one.size());
  for (std::size_t i = 0; i < mean.size(); ++i) {
    EXPECT_FLOAT_EQ(mean[i], (one[i] + other[i]) * 0.5f) << i;
  }
  EXPECT_NE(mean, one);
}

TEST(Engine, TrainsToTheSameBitsTwice) {
  const ToyProblem problem = make_toy_problem(256, 64, 3);
  for (const std::int64_t threads : {1, 2}) {
    FitRequest request = toy_request(problem, threads);
    request.graph =
        build_network(NetworkOptions{Architecture::mlp, 0, 8, {16}, 0.3}, problem.train.shape, 4);
    request.options.augment = {1, true, 3};
    Observer silent;
    const FitResult first = engine().fit(request, silent);
    EXPECT_EQ(engine().fit(request, silent).weights, first.weights) << threads << " threads";
    request.seed = 2;
    EXPECT_NE(engine().fit(request, silent).weights, first.weights);
  }
}

TEST(Engine, SplitsABatchOverReplicasWithoutChangingWhatIsLearned) {
  // Without batch norm the sum over replicas is the gradient of the whole batch, up to rounding.
  const ToyProblem problem = make_toy_problem(256, 64, 4);
  FitRequest one = toy_request(problem, 1);
  one.graph = build_network(NetworkOptions{Architecture::mlp, 0, 8, {16}}, problem.train.shape, 4);
  one.options.epochs = 1;
  one.options.optimizer = OptimizerKind::sgd;
  FitRequest three = one;
  three.compute.threads = 3;
  Observer silent;
  const TensorMap a = engine().fit(one, silent).weights;
  const TensorMap b = engine().fit(three, silent).weights;
  for (const auto& [name, tensor] : a) {
    const auto x = tensor.values<float>();
    const auto y = b.at(name).values<float>();
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x[i], y[i], 1e-3) << name;
  }
}

// Batch norm over single numbers has no variance: no replica may be left with one sample.
TEST(Engine, GivesEachReplicaEnoughSamplesForBatchNorm) {
  const ToyProblem problem = make_toy_problem(64, 64, 6);
  FitRequest request = toy_request(problem, 8);
  request.graph =
      build_network(NetworkOptions{Architecture::ds_cnn, 0, 16}, problem.train.shape, 4);
  ASSERT_EQ(request.graph.node("block4_pw_bn").shape,
            (Shape{request.graph.node("block4_pw_bn").shape.channels, 1, 1}));
  Observer silent;
  for (const std::int64_t batch_size : {1, 4, 9}) {
    request.options.batch_size = batch_size;
    const FitResult result = engine().fit(request, silent);
    EXPECT_EQ(result.history.size(), 2u);
    for (const auto& [name, tensor] : result.weights) {
      for (const float value : tensor.values<float>()) ASSERT_TRUE(std::isfinite(value)) << name;
    }
  }
}

TEST(Engine, EndsWhenAskedTo) {
  struct AsksAfterTwoSteps : Observer {
    mutable int asked = 0;
    int stop_requested() const override { return ++asked > 2 ? 130 : 0; }
  };
  const ToyProblem problem = make_toy_problem(256, 32, 6);
  AsksAfterTwoSteps observer;
  try {
    engine().fit(toy_request(problem, 2), observer);
    FAIL() << "expected an interruption";
  } catch (const Interrupted& interrupted) {
    EXPECT_EQ(interrupted.exit_code(), 130);
  }
}

TEST(Engine, StopsAfterPatienceEpochsWithoutImprovement) {
  const ToyProblem problem = make_toy_problem(128, 32, 7);
  FitRequest request = toy_request(problem, 1);
  // A rate too small to change any output: after the first epoch nothing improves.
  request.options.learning_rate = 1e-30;
  request.options.weight_decay = 0.0;
  request.options.epochs = 20;
  request.options.patience = 3;
  request.graph =
      build_network(NetworkOptions{Architecture::mlp, 0, 8, {16}}, problem.train.shape, 4);
  Observer silent;
  EXPECT_EQ(engine().fit(request, silent).history.size(), 4u);
}

TEST(Engine, CountsADepthwiseConvolutionAsOneInTheProfile) {
  const ToyProblem problem = make_toy_problem(64, 16, 3);
  FitRequest request = toy_request(problem, 1);
  Graph graph;
  std::string x = graph.append("input", Input{{1, 8, 8}});
  x = graph.append("only", Conv2d{1, square_window(3, 1, 1), 1, false}, {x});
  x = graph.append("flat", Flatten{}, {x});
  graph.append("classifier", Linear{4}, {x});
  request.graph = graph;
  const TrainingProfile profile = engine().profile(request, 4);
  double sum = 0.0;
  for (const auto& [part, seconds] : profile.parts) {
    sum += seconds;
    if (part.starts_with("convolution")) {
      EXPECT_GT(seconds, 0.0) << part;
    }
  }
  EXPECT_NEAR(sum, profile.seconds, 0.05 * profile.seconds);
}

TEST(Engine, GivesEveryNodeToTheOneWhoObserves) {
  const ToyProblem problem = make_toy_problem(8, 8, 8);
  Observer silent;
  FitRequest request = toy_request(problem, 1);
  request.options.epochs = 1;
  const Network folded = fold_batch_norm({request.graph, engine().fit(request, silent).weights});
  std::vector<std::string> names;
  engine().observe(folded, request.preprocessing, problem.tune,
                   [&](std::string_view node, std::span<const float> values) {
                     names.emplace_back(node);
                     EXPECT_EQ(values.size(),
                               static_cast<std::size_t>(8 * folded.graph.node(node).shape.count()));
                     if (node != "input") return;
                     // Normalized, in channel, row, column order.
                     EXPECT_FLOAT_EQ(values[1],
                                     (static_cast<float>(problem.tune.bytes()[1]) - 80.0f) / 50.0f);
                   });
  std::vector<std::string> expected;
  for (const Node& node : folded.graph.nodes()) expected.push_back(node.name);
  EXPECT_EQ(names, expected);
}

TEST(Engine, DistilsTheSameFromCachedAndFreshBeliefsWithoutAugmentation) {
  const ToyProblem problem = make_toy_problem(512, 128, 9);
  Observer silent;
  FitRequest request = toy_request(problem, 2);
  Network teacher{request.graph, engine().fit(request, silent).weights};
  const PriorityMap map{{0, 1, 2, 2}, {"a", "b", "other"}, true};
  const std::vector<std::int64_t> train = relabel(problem.train_labels, map);
  const std::vector<std::int64_t> tune = relabel(problem.tune_labels, map);
  request.graph = testing::toy_graph(3);
  request.train_labels = train;
  request.tune_labels = tune;
  request.distillation = Distillation{teacher, map, 3.0, 0.9, TeacherLogits::cached};
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    request.compute.precision = precision;
    request.distillation->logits = TeacherLogits::cached;
    const FitResult cached = engine().fit(request, silent);
    request.distillation->logits = TeacherLogits::fresh;
    const FitResult fresh = engine().fit(request, silent);
    EXPECT_GT(cached.tune_accuracy, 0.95);
    EXPECT_NEAR(cached.tune_accuracy, fresh.tune_accuracy, 0.02);
    // The same teacher in the same arithmetic: what it says differs by rounding at most.
    EXPECT_NEAR(cached.history.back()["train_loss"].get<double>(),
                fresh.history.back()["train_loss"].get<double>(), 1e-2);
  }
}

Dataset toy_dataset() {
  const ToyProblem problem = make_toy_problem(512, 128, 10);
  const ToyProblem other = make_toy_problem(128, 128, 11);
  Dataset dataset;
  dataset.classes = {"north-west", "north-east", "south-west", "south-east"};
  dataset.input_shape = problem.train.shape;
  dataset.split(SplitName::train) = {problem.train, problem.train_labels, ""};
  dataset.split(SplitName::tune) = {problem.tune, problem.tune_labels, ""};
  dataset.split(SplitName::calibration) = {other.train, other.train_labels, ""};
  dataset.split(SplitName::test) = {other.tune, other.tune_labels, ""};
  dataset.provenance = "drawn by a test";
  finish_dataset(dataset, "toy");
  return dataset;
}

BigOptions toy_big() {
  BigOptions options;
  options.network = {Architecture::mlp, 0, 8, {64}};
  options.train.epochs = 4;
  options.train.batch_size = 32;
  options.train.learning_rate = 0.05;
  return options;
}

RunContext toy_context(const testing::TemporaryFolder& folder) {
  RunContext context;
  context.config_toml = "seed = 1\n";
  context.checkpoint = folder / "network.safetensors";
  context.metrics = folder / "metrics.jsonl";
  context.state = folder / "state.safetensors";
  return context;
}

TEST(TrainBig, SavesWhatItReturns) {
  const testing::TemporaryFolder folder;
  const RunContext context = toy_context(folder);
  const Dataset dataset = toy_dataset();
  Observer silent;
  const Checkpoint big = train_big(dataset, toy_big(), context, engine(), silent);
  const Checkpoint saved = load_checkpoint(context.checkpoint);
  EXPECT_EQ(saved.network.weights, big.network.weights);
  EXPECT_EQ(saved.classes, dataset.classes);
  EXPECT_EQ(saved.dataset_digest, dataset.digest);
  EXPECT_EQ(saved.config_toml, "seed = 1\n");
  EXPECT_EQ(saved.history.size(), 4u);
  EXPECT_FALSE(saved.history[0].contains("seconds"));
}

TEST(DeriveLittle, KnowsThePrioritiesAndOther) {
  const testing::TemporaryFolder folder;
  const RunContext context = toy_context(folder);
  const Dataset dataset = toy_dataset();
  Observer silent;
  const Checkpoint big = train_big(dataset, toy_big(), context, engine(), silent);
  LittleOptions options;
  options.priority = {"south-east"};
  options.network = {Architecture::mlp, 0, 8, {16}};
  options.train = toy_big().train;
  for (const DeriveMethod method : {DeriveMethod::distill, DeriveMethod::retrain}) {
    options.method = method;
    const Checkpoint little = derive_little(big, dataset, options, context, engine(), silent);
    EXPECT_EQ(little.classes, (std::vector<std::string>{"south-east", "other"}));
    EXPECT_EQ(little.priority->little_of_big, (std::vector<std::int64_t>{1, 1, 1, 0}));
    EXPECT_EQ(little.teacher_digest, network_digest(big.network));
    EXPECT_GT(little.history.back()["tune_accuracy"].get<double>(), 0.9);
  }
}

TEST(DeriveLittle, RefusesABigNetworkOfOtherClasses) {
  const testing::TemporaryFolder folder;
  const Dataset dataset = toy_dataset();
  Checkpoint big;
  big.classes = {"a", "b"};
  LittleOptions options;
  options.priority = {"south-east"};
  Observer silent;
  testing::expect_error(
      ErrorKind::bad_data,
      "the big network knows 2 classes that are not the dataset's 4: train it on this dataset "
      "first",
      [&] { derive_little(big, dataset, options, toy_context(folder), engine(), silent); });
}

}  // namespace
}  // namespace biglittle
