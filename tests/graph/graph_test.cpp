// SPDX-License-Identifier: MIT
#include "graph/graph.h"

#include <gmock/gmock.h>

#include "testing/expect_error.h"

namespace biglittle {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Graph graph_of(const Shape& input) {
  Graph graph;
  graph.append("input", Input{input});
  return graph;
}

void expect_refused(const std::string& message, Graph graph, const std::string& name, Op op,
                    std::vector<std::string> inputs = {"input"}) {
  testing::expect_error(ErrorKind::bad_data, message,
                        [&] { graph.append(name, std::move(op), std::move(inputs)); });
}

TEST(Graph, InfersConvolutionShapesWithStrideAndUnevenPadding) {
  Graph graph = graph_of({3, 11, 8});
  // rows: (11 + 1 + 2 - 5) / 2 + 1 = 5; columns: (8 + 0 + 1 - 3) / 3 + 1 = 3.
  graph.append("conv", Conv2d{4, {5, 3, 2, 3, 1, 0, 2, 1}, 1, true}, {"input"});
  EXPECT_EQ(graph.node("conv").shape, (Shape{4, 5, 3}));
}

TEST(Graph, InfersTheShapesOfEveryOtherOp) {
  Graph graph = graph_of({4, 7, 9});
  graph.append("bn", BatchNorm{}, {"input"});
  graph.append("relu", Relu{}, {"bn"});
  graph.append("relu6", Relu6{}, {"relu"});
  graph.append("max", MaxPool{square_window(2, 2, 0)}, {"relu6"});  // 4x3x4
  graph.append("avg", AvgPool{square_window(3, 1, 1)}, {"max"});    // 4x3x4
  graph.append("sum", Add{}, {"max", "avg"});
  graph.append("drop", Dropout{0.25}, {"sum"});
  graph.append("global", GlobalAvgPool{}, {"drop"});
  graph.append("flat", Flatten{}, {"drop"});
  graph.append("fc", Linear{10, true}, {"flat"});
  const Shape pooled = {4, 3, 4};
  EXPECT_EQ(graph.node("relu6").shape, (Shape{4, 7, 9}));
  EXPECT_EQ(graph.node("max").shape, pooled);
  EXPECT_EQ(graph.node("avg").shape, pooled);
  EXPECT_EQ(graph.node("drop").shape, pooled);
  EXPECT_EQ(graph.node("global").shape, (Shape{4, 1, 1}));
  EXPECT_EQ(graph.node("flat").shape, (Shape{48, 1, 1}));
  EXPECT_EQ(graph.node("fc").shape, (Shape{10, 1, 1}));
  EXPECT_EQ(graph.input_shape(graph.node("fc")), (Shape{48, 1, 1}));
  EXPECT_EQ(graph.input().name, "input");
  EXPECT_EQ(graph.output().name, "fc");
}

TEST(Graph, AcceptsAWindowAsLargeAsThePaddedInputAndRefusesALargerOne) {
  Graph graph = graph_of({1, 3, 3});
  graph.append("fits", Conv2d{1, square_window(5, 1, 1), 1, true}, {"input"});
  EXPECT_EQ(graph.node("fits").shape, (Shape{1, 1, 1}));
  expect_refused("node 'conv': the 6x6 window is larger than its padded input of 5x5",
                 graph_of({1, 3, 3}), "conv", Conv2d{1, square_window(6, 1, 1), 1, true});
}

TEST(Graph, ListsWeightsInOrderWithTheirShapes) {
  Graph graph = graph_of({4, 5, 5});
  graph.append("dw", Conv2d{8, square_window(3, 1, 1), 4, false}, {"input"});
  graph.append("bn", BatchNorm{}, {"dw"});
  graph.append("pool", GlobalAvgPool{}, {"bn"});
  graph.append("fc", Linear{3, true}, {"pool"});
  std::vector<std::string> lines;
  for (const WeightSpec& spec : graph.weights()) {
    std::string line = spec.name;
    for (const std::int64_t size : spec.shape) line.append(" ").append(std::to_string(size));
    lines.push_back(line + (spec.trainable ? "" : " kept"));
  }
  EXPECT_THAT(lines,
              ElementsAre("dw.weight 8 1 3 3", "bn.weight 8", "bn.bias 8", "bn.running_mean 8 kept",
                          "bn.running_var 8 kept", "fc.weight 3 8", "fc.bias 3"));
}

TEST(Graph, KnowsWhoReadsANode) {
  Graph graph = graph_of({1, 4, 4});
  graph.append("a", Relu{}, {"input"});
  graph.append("b", Relu6{}, {"a"});
  graph.append("twice", Add{}, {"a", "a"});
  graph.append("sum", Add{}, {"b", "twice"});
  EXPECT_THAT(graph.consumers("a"), ElementsAre("b", "twice"));
  EXPECT_THAT(graph.consumers("sum"), IsEmpty());
  testing::expect_error(ErrorKind::internal, "the graph has no node 'c'", [&] { graph.node("c"); });
  testing::expect_error(ErrorKind::internal, "node 'input' has no input",
                        [&] { graph.input_shape(graph.input()); });
}

TEST(Graph, RefusesBadNames) {
  const std::string rule = "the name must be letters, digits and '_', starting with a letter";
  expect_refused("node '': " + rule, graph_of({1, 1, 1}), "", Relu{});
  expect_refused("node '1st': " + rule, graph_of({1, 1, 1}), "1st", Relu{});
  expect_refused("node 'a.b': " + rule, graph_of({1, 1, 1}), "a.b", Relu{});
  expect_refused("node 'input': the name is used twice", graph_of({1, 1, 1}), "input", Relu{});
}

TEST(Graph, RefusesWrongInputs) {
  const Graph graph = graph_of({1, 4, 4});
  expect_refused("node 'x': the first node must be the input, not relu", Graph{}, "x", Relu{}, {});
  expect_refused("node 'x': only the first node can be an input", graph, "x", Input{{1, 1, 1}}, {});
  expect_refused("node 'x': reads 'y', which is no earlier node", graph, "x", Relu{}, {"y"});
  expect_refused("node 'x': relu takes 1 inputs but has 0", graph, "x", Relu{}, {});
  expect_refused("node 'x': add takes 2 inputs but has 1", graph, "x", Add{});
  Graph two = graph;
  two.append("half", MaxPool{square_window(2, 2, 0)}, {"input"});
  expect_refused("node 'x': adds tensors of different shapes 1x4x4 and 1x2x2", two, "x", Add{},
                 {"input", "half"});
}

TEST(Graph, RefusesAttributesThatDoNotFit) {
  const Graph graph = graph_of({6, 4, 4});
  expect_refused("node 'x': shape must be at least 1, not 0", Graph{}, "x", Input{{3, 0, 4}}, {});
  expect_refused("node 'x': shape has more than 2147483648 elements", Graph{}, "x",
                 Input{{1 << 20, 1 << 20, 1 << 30}}, {});
  expect_refused("node 'x': 6 input and 8 output channels are not divisible by groups = 4", graph,
                 "x", Conv2d{8, {}, 4, true});
  expect_refused("node 'x': groups must be at least 1, not 0", graph, "x", Conv2d{8, {}, 0, true});
  expect_refused("node 'x': out_channels must be at least 1, not 0", graph, "x",
                 Conv2d{0, {}, 1, true});
  expect_refused("node 'x': weight has more than 2147483648 elements", graph, "x",
                 Conv2d{1 << 27, square_window(4, 1, 0), 1, true});
  expect_refused("node 'x': kernel and stride must be in [1, 65536], not 0", graph, "x",
                 Conv2d{1, square_window(1, 0, 0), 1, true});
  expect_refused("node 'x': padding must be in [0, 65536], not -1", graph, "x",
                 Conv2d{1, square_window(1, 1, -1), 1, true});
  expect_refused("node 'x': the padding of a pool must be smaller than its kernel", graph, "x",
                 MaxPool{square_window(2, 2, 2)});
  expect_refused(
      "node 'x': needs a vector but its input is 6x4x4; put flatten or "
      "global_avg_pool before it",
      graph, "x", Linear{3, true});
  expect_refused("node 'x': epsilon must be above 0", graph, "x", BatchNorm{0.0, 0.1});
  expect_refused("node 'x': momentum must be in [0, 1]", graph, "x", BatchNorm{1e-5, 1.5});
  expect_refused("node 'x': rate must be in [0, 1)", graph, "x", Dropout{1.0});
}

TEST(Graph, PoolsMayBePaddedByOneLessThanTheirKernel) {
  Graph graph = graph_of({1, 3, 3});
  graph.append("pool", MaxPool{square_window(2, 2, 1)}, {"input"});
  EXPECT_EQ(graph.output().shape, (Shape{1, 2, 2}));
}

TEST(Graph, HasAtMostTenThousandNodes) {
  Graph graph = graph_of({1, 1, 1});
  std::string last = "input";
  for (int i = 1; i < 10000; ++i) {
    last = graph.append(std::string("n").append(std::to_string(i)), Relu{}, {last});
  }
  expect_refused("node 'x': a graph has at most 10000 nodes", graph, "x", Relu{}, {last});
}

}  // namespace
}  // namespace biglittle
