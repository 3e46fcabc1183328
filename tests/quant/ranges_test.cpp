// SPDX-License-Identifier: MIT
#include "quant/ranges.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "quant/float_engine.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

TEST(QuantizationOf, MapsTheRangeToAllSteps) {
  EXPECT_EQ(quantization_of({0.0, 25.5}), (Quantization{0.1f, -128}));
  EXPECT_EQ(quantization_of({-12.8, 12.7}), (Quantization{0.1f, 0}));
  EXPECT_EQ(quantization_of({-25.5, 0.0}), (Quantization{0.1f, 127}));
  EXPECT_EQ(quantization_of({-1.0, 24.5}), (Quantization{0.1f, -118}));
}

TEST(QuantizationOf, AlwaysContainsZero) {
  EXPECT_EQ(quantization_of({10.0, 25.5}), (Quantization{0.1f, -128}));
  EXPECT_EQ(quantization_of({-25.5, -10.0}), (Quantization{0.1f, 127}));
}

TEST(QuantizationOf, StaysWithinThePermittedScales) {
  EXPECT_EQ(quantization_of({0.0, 0.0}), (Quantization{1.0f / 255.0f, -128}));
  EXPECT_EQ(quantization_of({0.0, 1e-30}).scale, kSmallestScale);
  EXPECT_EQ(quantization_of({0.0, 1e30}).scale, kLargestScale);
}

TEST(WidenRange, HoldsAllValues) {
  const std::vector<float> values = {3.0f, -0.5f, 1.0f};
  EXPECT_EQ(widen_range({}, values), (Range{-0.5, 3.0}));
  EXPECT_EQ(widen_range({-1.0, 1.0}, values), (Range{-1.0, 3.0}));
}

/// 0.5, 1.5, ... up to `count`: one value in the middle of each of `count` bins of [0, 2048].
std::vector<float> one_per_bin(int count) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i) values.push_back(static_cast<float>(i) + 0.5f);
  return values;
}

TEST(Histogram, MinMaxKeepsTheObservedRange) {
  Histogram histogram({-3.0, 5.0});
  histogram.add(std::vector<float>{-3.0f, 5.0f});
  EXPECT_EQ(histogram.choose(RangeMethod::min_max, 50.0), (Range{-3.0, 5.0}));
}

TEST(Histogram, PercentileLeavesItsShareOutsideOnEachSide) {
  Histogram histogram({0.0, 2048.0});
  histogram.add(one_per_bin(2048));
  // 6.25 % of 2048 is 128 values.
  EXPECT_EQ(histogram.choose(RangeMethod::percentile, 93.75), (Range{0.0, 1920.0}));
  EXPECT_EQ(histogram.choose(RangeMethod::percentile, 100.0), (Range{0.0, 2048.0}));
}

TEST(Histogram, PercentileCountsExactZeros) {
  Histogram histogram({0.0, 2048.0});
  histogram.add(one_per_bin(2048));
  histogram.add(std::vector<float>(2048, 0.0f));
  EXPECT_EQ(histogram.choose(RangeMethod::percentile, 93.75), (Range{0.0, 1792.0}));
}

TEST(Histogram, PercentileCutsBothSides) {
  Histogram histogram({-1024.0, 1024.0});
  for (int i = -1024; i < 1024; ++i) {
    histogram.add(std::vector<float>{static_cast<float>(i) + 0.5f});
  }
  EXPECT_EQ(histogram.choose(RangeMethod::percentile, 93.75), (Range{-896.0, 896.0}));
}

TEST(Histogram, LeastSquaresKeepsUniformValuesWhole) {
  Histogram histogram({0.0, 2048.0});
  histogram.add(one_per_bin(2048));
  const Range range = histogram.choose(RangeMethod::mse, 0.0);
  EXPECT_GE(range.high, 2000.0);
}

TEST(Histogram, LeastSquaresClipsARareOutlier) {
  // 100,000 values in [0, 1] and one at 10: keeping it costs (10/255)^2/12 a value, about 12.8 in
  // all; clipping it at 2 costs 64 and (2/255)^2/12 a value: more. With a million values keeping
  // costs 128, clipping 64 + 5: less.
  const auto chosen_high = [](int thousands) {
    Histogram histogram({0.0, 10.0});
    std::vector<float> values;
    std::mt19937 random(3);
    for (int i = 0; i < 1000; ++i) values.push_back(static_cast<float>(random() % 999983) * 1e-6f);
    for (int i = 0; i < thousands; ++i) histogram.add(values);
    histogram.add(std::vector<float>{10.0f});
    return histogram.choose(RangeMethod::mse, 0.0).high;
  };
  EXPECT_GT(chosen_high(100), 8.0);
  EXPECT_LT(chosen_high(2000), 4.0);
}

Graph branching_graph() {
  Graph graph;
  graph.append("input", Input{{1, 2, 2}});
  graph.append("conv", Conv2d{1, Window{}, 1, true}, {"input"});
  graph.append("relu", Relu{}, {"conv"});
  graph.append("shared", Conv2d{1, Window{}, 1, true}, {"relu"});
  graph.append("relu_of_shared", Relu6{}, {"shared"});
  graph.append("sum", Add{}, {"shared", "relu_of_shared"});
  graph.append("relu_of_sum", Relu6{}, {"sum"});
  graph.append("pool", MaxPool{square_window(2, 1, 0)}, {"relu_of_sum"});
  graph.append("mean", GlobalAvgPool{}, {"pool"});
  graph.append("relu_of_mean", Relu{}, {"mean"});
  graph.append("flat", Flatten{}, {"relu_of_mean"});
  graph.append("hidden", Linear{2, true}, {"flat"});
  graph.append("logits", Linear{2, true}, {"hidden"});
  return graph;
}

TEST(RangeSource, IsTheReluThatAloneReadsALayerOrASum) {
  const Graph graph = branching_graph();
  const auto source = [&](const char* node) { return range_source(graph, graph.node(node)).name; };
  EXPECT_EQ(source("conv"), "relu");
  EXPECT_EQ(source("shared"), "shared") << "read twice";
  EXPECT_EQ(source("sum"), "relu_of_sum");
  EXPECT_EQ(source("mean"), "mean") << "pooling keeps its own range";
  EXPECT_EQ(source("hidden"), "hidden") << "not read by a relu";
  EXPECT_EQ(source("input"), "input");
}

TEST(HasOwnRange, IsFalseForNodesThatCarryTheirInputs) {
  const Graph graph = branching_graph();
  for (const auto* node : {"relu", "relu_of_shared", "pool", "flat"}) {
    EXPECT_FALSE(has_own_range(graph.node(node))) << node;
  }
  for (const auto* node : {"input", "conv", "sum", "mean", "hidden"}) {
    EXPECT_TRUE(has_own_range(graph.node(node))) << node;
  }
}

/// x -> -2 x + 1 -> relu -> identity, for one pixel.
Network two_layers() {
  Network network;
  network.graph.append("input", Input{{1, 1, 1}});
  network.graph.append("conv", Conv2d{1, Window{}, 1, true}, {"input"});
  network.graph.append("relu", Relu{}, {"conv"});
  network.graph.append("logits", Linear{1, false}, {"relu"});
  network.weights["conv.weight"] = Tensor::of<float>({1, 1, 1, 1}, std::vector<float>{-2.0f});
  network.weights["conv.bias"] = Tensor::of<float>({1}, std::vector<float>{1.0f});
  network.weights["logits.weight"] = Tensor::of<float>({1, 1}, std::vector<float>{1.0f});
  return network;
}

TEST(ObserveRanges, AreThoseOfTheValuesSeen) {
  const Samples samples{{1, 1, 1}, std::vector<float>{-3.0f, 0.0f, 2.0f}};
  QuantizeOptions options;
  options.range = RangeMethod::min_max;
  const auto ranges = observe_ranges(two_layers(), {SampleType::f32, 0.5, 1.0}, samples, options,
                                     testing::FloatEngine(2));
  // The network sees (x - 1) / 2: -2, -0.5, 0.5; conv gives 5, 2, 0.
  const std::map<std::string, Range> expected = {{"input", {-2.0, 0.5}}, {"relu", {0.0, 5.0}}};
  EXPECT_EQ(ranges, expected);
}

TEST(ObserveRanges, RefuseInfiniteValues) {
  const Samples samples{{1, 1, 1}, std::vector<float>{-3e38f}};
  testing::expect_error(ErrorKind::bad_data, "values of node relu are infinite on tune", [&] {
    observe_ranges(two_layers(), {SampleType::f32, 1.0, 0.0}, samples, {}, testing::FloatEngine());
  });
}

}  // namespace
}  // namespace biglittle
