// SPDX-License-Identifier: MIT
#include "graph/fold.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <random>

#include "graph/reference.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using ::testing::ElementsAre;

Network random_network(Graph graph, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> wide(-1.0f, 1.0f);
  std::uniform_real_distribution<float> positive(0.05f, 4.0f);
  Network network{std::move(graph), {}};
  for (const WeightSpec& spec : network.graph.weights()) {
    Tensor tensor(DType::f32, spec.shape);
    for (float& value : tensor.values<float>()) {
      value = spec.name.ends_with("_var") ? positive(random) : wide(random);
    }
    network.weights.emplace(spec.name, std::move(tensor));
  }
  return network;
}

void expect_same_function(const Network& network) {
  const Network folded = fold_batch_norm(network);
  check_weights(folded.graph, folded.weights, "folded");
  std::mt19937 random(5);
  std::uniform_real_distribution<double> pixel(-2.0, 2.0);
  std::vector<double> input(static_cast<std::size_t>(network.graph.input().shape.count()));
  for (double& value : input) value = pixel(random);
  const std::vector<double> before = testing::run_reference(network, input);
  const std::vector<double> after = testing::run_reference(folded, input);
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    // Folded weights are rounded to float32 once: relative 2^-24 each, a few hundred of them.
    EXPECT_NEAR(before[i], after[i], 2e-5 * (1.0 + std::abs(before[i]))) << i;
  }
}

std::vector<std::string> names(const Graph& graph) {
  std::vector<std::string> all;
  for (const Node& node : graph.nodes()) all.push_back(node.name);
  return all;
}

Graph small_network() {
  Graph graph;
  graph.append("input", Input{{4, 7, 5}});
  graph.append("conv", Conv2d{6, {3, 2, 2, 1, 1, 0, 0, 1}, 2, false}, {"input"});
  graph.append("conv_bn", BatchNorm{1e-3, 0.1}, {"conv"});
  graph.append("relu", Relu{}, {"conv_bn"});
  graph.append("flat", Flatten{}, {"relu"});
  graph.append("drop", Dropout{0.3}, {"flat"});
  graph.append("fc", Linear{5, true}, {"drop"});
  graph.append("fc_bn", BatchNorm{}, {"fc"});
  return graph;
}

TEST(Fold, FoldedNetworkComputesTheSameNumbers) {
  expect_same_function(random_network(small_network(), 1));
}

TEST(Fold, ScalarCaseWorkedByHand) {
  Graph graph;
  graph.append("input", Input{{1, 1, 1}});
  graph.append("fc", Linear{1, true}, {"input"});
  graph.append("bn", BatchNorm{0.25, 0.1}, {"fc"});
  const auto number = [](float value) {
    return Tensor::of<float>({1}, std::span<const float>(&value, 1));
  };
  const float three = 3.0f;
  TensorMap weights = {{"fc.weight", Tensor::of<float>({1, 1}, std::span(&three, 1))},
                       {"fc.bias", number(5.0f)},
                       {"bn.weight", number(2.0f)},
                       {"bn.bias", number(7.0f)},
                       {"bn.running_mean", number(1.0f)},
                       {"bn.running_var", number(3.75f)}};
  // 2 / sqrt(3.75 + 0.25) = 1, so W' = 3 and b' = 7 + (5 - 1) = 11.
  const Network folded = fold_batch_norm({graph, weights});
  EXPECT_THAT(folded.weights.at("fc.weight").values<float>(), ElementsAre(3.0f));
  EXPECT_THAT(folded.weights.at("fc.bias").values<float>(), ElementsAre(11.0f));
}

TEST(Fold, RemovesDropoutAndBatchNormAndAddsBiases) {
  const Graph folded = fold_graph(small_network());
  EXPECT_THAT(names(folded), ElementsAre("input", "conv", "relu", "flat", "fc"));
  EXPECT_TRUE(std::get<Conv2d>(folded.node("conv").op).bias);
  EXPECT_THAT(folded.node("relu").inputs, ElementsAre("conv"));
  EXPECT_THAT(folded.node("fc").inputs, ElementsAre("flat"));
}

TEST(Fold, ABatchNormWithoutALayerBecomesADepthwiseConvolution) {
  Graph graph;
  graph.append("input", Input{{3, 4, 4}});
  graph.append("first", BatchNorm{}, {"input"});
  graph.append("pool", MaxPool{square_window(2, 2, 0)}, {"first"});
  graph.append("second", BatchNorm{}, {"pool"});
  graph.append("third", BatchNorm{}, {"second"});
  const Graph folded = fold_graph(graph);
  EXPECT_THAT(names(folded), ElementsAre("input", "first", "pool", "second"));
  EXPECT_EQ(std::get<Conv2d>(folded.node("first").op), (Conv2d{3, Window{}, 3, true}));
  expect_same_function(random_network(graph, 2));
}

TEST(Fold, ALayerWithAnotherReaderKeepsItsWeights) {
  Graph graph;
  graph.append("input", Input{{2, 3, 3}});
  graph.append("conv", Conv2d{2, square_window(3, 1, 1), 1, false}, {"input"});
  graph.append("bn", BatchNorm{}, {"conv"});
  graph.append("sum", Add{}, {"bn", "conv"});
  EXPECT_THAT(names(fold_graph(graph)), ElementsAre("input", "conv", "bn", "sum"));
  EXPECT_FALSE(std::get<Conv2d>(fold_graph(graph).node("conv").op).bias);
  expect_same_function(random_network(graph, 3));
}

TEST(Fold, ADropoutBetweenLayerAndBatchNormDoesNotHideAnotherReader) {
  Graph graph;
  graph.append("input", Input{{2, 3, 3}});
  graph.append("conv", Conv2d{2, square_window(3, 1, 1), 1, false}, {"input"});
  graph.append("drop", Dropout{}, {"conv"});
  graph.append("drop2", Dropout{}, {"drop"});
  graph.append("bn", BatchNorm{}, {"drop2"});
  EXPECT_THAT(names(fold_graph(graph)), ElementsAre("input", "conv"));
  graph.append("sum", Add{}, {"bn", "conv"});
  EXPECT_THAT(names(fold_graph(graph)), ElementsAre("input", "conv", "bn", "sum"));
  expect_same_function(random_network(graph, 4));
}

TEST(CheckWeights, NamesWhatIsMissingMisshapenOrNotFinite) {
  const Network good = random_network(small_network(), 6);
  check_weights(good.graph, good.weights, "f");
  const auto expect = [&](const std::string& message, const TensorMap& weights) {
    testing::expect_error(ErrorKind::bad_data, "f: tensor " + message,
                          [&] { check_weights(good.graph, weights, "f"); });
  };
  TensorMap weights = good.weights;
  weights.erase("fc.bias");
  expect("'fc.bias' is missing", weights);
  weights = good.weights;
  weights.emplace("fc.scale", Tensor(DType::f32, {5}));
  expect("'fc.scale' belongs to no node of the graph", weights);
  weights = good.weights;
  weights["conv.weight"] = Tensor(DType::f32, {6, 4, 3, 2});
  expect("'conv.weight' has shape [6, 4, 3, 2] but the graph needs [6, 2, 3, 2]", weights);
  weights = good.weights;
  weights["fc.bias"] = Tensor(DType::f64, {5});
  expect("'fc.bias' is F64 but must be F32", weights);
  weights = good.weights;
  weights["fc.weight"].values<float>()[2] = std::numeric_limits<float>::quiet_NaN();
  expect("'fc.weight' is not finite at element 2", weights);
  weights = good.weights;
  weights["conv_bn.running_var"].values<float>()[1] = 0.0f;
  check_weights(good.graph, weights, "f");
  weights["conv_bn.running_var"].values<float>()[1] = -1e-9f;
  expect("'conv_bn.running_var' is a variance but negative at element 1", weights);
}

TEST(Fold, RefusesWeightsThatDoNotBelongToTheGraph) {
  testing::expect_error(ErrorKind::bad_data, "network: tensor 'conv.weight' is missing", [] {
    fold_batch_norm({small_network(), {}});
  });
}

}  // namespace
}  // namespace biglittle
