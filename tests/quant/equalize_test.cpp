// SPDX-License-Identifier: MIT
#include "quant/equalize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "quant/float_engine.h"
#include "quant/quantize.h"

namespace biglittle {
namespace {

using testing::FloatEngine;

/// Row by row, the largest |weight|.
std::vector<double> largest_of_rows(const Tensor& weight) {
  const auto rows = static_cast<std::size_t>(weight.shape().at(0));
  const auto values = weight.values<float>();
  std::vector<double> largest(rows, 0.0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    double& of_row = largest[i / (values.size() / rows)];
    of_row = std::max(of_row, std::abs(double{values[i]}));
  }
  return largest;
}

TEST(EqualizeLayers, BalancesAPairByTheSquareRoot) {
  Network network;
  network.graph.append("input", Input{{1, 1, 1}});
  network.graph.append("hidden", Linear{2, true}, {"input"});
  network.graph.append("relu", Relu{}, {"hidden"});
  network.graph.append("logits", Linear{2, false}, {"relu"});
  network.weights = {
      {"hidden.weight", Tensor::of<float>({2, 1}, std::vector<float>{16.0f, 1.0f})},
      {"hidden.bias", Tensor::of<float>({2}, std::vector<float>{8.0f, 3.0f})},
      {"logits.weight", Tensor::of<float>({2, 2}, std::vector<float>{0.5f, -4.0f, 1.0f, 2.0f})}};
  const Network equal = equalize_layers(network);
  // Channel 0: r1 = 16, r2 = 1, s = 4; channel 1: r1 = 1, r2 = 4, s = 1/2.
  EXPECT_EQ(equal.weights.at("hidden.weight"),
            Tensor::of<float>({2, 1}, std::vector<float>{4.0f, 2.0f}));
  EXPECT_EQ(equal.weights.at("hidden.bias"),
            Tensor::of<float>({2}, std::vector<float>{2.0f, 6.0f}));
  EXPECT_EQ(equal.weights.at("logits.weight"),
            Tensor::of<float>({2, 2}, std::vector<float>{2.0f, -2.0f, 4.0f, 1.0f}));
}

TEST(EqualizeLayers, LeavesChannelsAloneThatAreZeroOnOneSide) {
  Network network;
  network.graph.append("input", Input{{1, 1, 1}});
  network.graph.append("hidden", Linear{2, false}, {"input"});
  network.graph.append("logits", Linear{2, false}, {"hidden"});
  network.weights = {
      {"hidden.weight", Tensor::of<float>({2, 1}, std::vector<float>{0.0f, 9.0f})},
      {"logits.weight", Tensor::of<float>({2, 2}, std::vector<float>{3.0f, 0.0f, 5.0f, 0.0f})}};
  EXPECT_EQ(equalize_layers(network).weights, network.weights);
}

/// A MobileNet-like block whose channels differ a thousandfold: `spread` of 1 gives none.
Checkpoint depthwise_checkpoint(bool relu6, float spread) {
  Checkpoint checkpoint;
  Graph& graph = checkpoint.network.graph;
  const auto clamp = relu6 ? Op{Relu6{}} : Op{Relu{}};
  graph.append("input", Input{{2, 8, 8}});
  graph.append("stem", Conv2d{8, square_window(3, 1, 1)}, {"input"});
  graph.append("stem_relu", clamp, {"stem"});
  graph.append("depthwise", Conv2d{8, square_window(3, 1, 1), 8}, {"stem_relu"});
  graph.append("depthwise_relu", clamp, {"depthwise"});
  graph.append("pool", MaxPool{square_window(2, 2, 0)}, {"depthwise_relu"});
  graph.append("pointwise", Conv2d{12, Window{}, 2}, {"pool"});
  graph.append("pointwise_relu", clamp, {"pointwise"});
  graph.append("average", AvgPool{square_window(2, 2, 0)}, {"pointwise_relu"});
  graph.append("flat", Flatten{}, {"average"});
  graph.append("logits", Linear{4, true}, {"flat"});
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0.0f, 1.0f);
  for (const WeightSpec& spec : graph.weights()) {
    Tensor tensor(DType::f32, spec.shape);
    const auto values = tensor.values<float>();
    const auto row = values.size() / static_cast<std::size_t>(spec.shape[0]);
    for (float& value : values) value = normal(random) / std::sqrt(static_cast<float>(row));
    checkpoint.network.weights[spec.name] = std::move(tensor);
  }
  // The function stays the same when a channel is scaled in one layer and back in the next.
  TensorMap& weights = checkpoint.network.weights;
  for (std::size_t c = 0; c < 8; ++c) {
    const float factor = std::pow(spread, static_cast<float>(c) / 7.0f);
    for (std::size_t i = 0; i < 18; ++i)
      weights.at("stem.weight").values<float>()[c * 18 + i] *= factor;
    weights.at("stem.bias").values<float>()[c] *= factor;
    for (std::size_t i = 0; i < 9; ++i) {
      weights.at("depthwise.weight").values<float>()[c * 9 + i] /= factor;
    }
  }
  checkpoint.classes = {"a", "b", "c", "d"};
  checkpoint.preprocessing = {SampleType::u8, 0.02, 120.0};
  return checkpoint;
}

Samples random_samples(std::size_t count) {
  std::mt19937 random(5);
  std::vector<std::uint8_t> bytes(count * 128);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random() % 256);
  return {{2, 8, 8}, bytes};
}

TEST(EqualizeLayers, KeepsTheFunctionOfTheNetwork) {
  const Checkpoint checkpoint = depthwise_checkpoint(false, 1000.0f);
  const Samples samples = random_samples(10);
  const Network equal = equalize_layers(checkpoint.network);
  EXPECT_NE(equal.weights, checkpoint.network.weights);
  const auto before =
      FloatEngine().logits(checkpoint.network, checkpoint.preprocessing, samples, {});
  const auto after = FloatEngine().logits(equal, checkpoint.preprocessing, samples, {});
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_NEAR(after[i], before[i], 1e-5 * (1.0 + std::abs(before[i])));
  }
}

TEST(EqualizeLayers, MakesBothSidesOfEachChannelEqual) {
  const Network equal = equalize_layers(depthwise_checkpoint(false, 1000.0f).network);
  const auto stem = largest_of_rows(equal.weights.at("stem.weight"));
  const auto depthwise = largest_of_rows(equal.weights.at("depthwise.weight"));
  for (std::size_t c = 0; c < 8; ++c) EXPECT_NEAR(stem[c] / depthwise[c], 1.0, 1e-3) << c;
  // Flattened: channel c of 12 is columns 4 c ... 4 c + 3 of the last layer.
  const auto pointwise = largest_of_rows(equal.weights.at("pointwise.weight"));
  const auto logits = equal.weights.at("logits.weight").values<float>();
  for (std::size_t c = 0; c < 12; ++c) {
    double largest = 0.0;
    for (std::size_t o = 0; o < 4; ++o) {
      for (std::size_t i = 0; i < 4; ++i) {
        largest = std::max(largest, std::abs(double{logits[o * 48 + 4 * c + i]}));
      }
    }
    EXPECT_NEAR(pointwise[c] / largest, 1.0, 1e-3) << c;
  }
}

TEST(EqualizeLayers, DoesNotReachAcrossRelu6OrTwoReaders) {
  const Network limited = depthwise_checkpoint(true, 1000.0f).network;
  EXPECT_EQ(equalize_layers(limited).weights, limited.weights);

  Network residual;
  residual.graph.append("input", Input{{1, 1, 1}});
  residual.graph.append("a", Linear{1, false}, {"input"});
  residual.graph.append("b", Linear{1, false}, {"a"});
  residual.graph.append("sum", Add{}, {"a", "b"});
  residual.graph.append("logits", Linear{2, false}, {"sum"});
  residual.weights = {{"a.weight", Tensor::of<float>({1, 1}, std::vector<float>{100.0f})},
                      {"b.weight", Tensor::of<float>({1, 1}, std::vector<float>{1.0f})},
                      {"logits.weight", Tensor::of<float>({2, 1}, std::vector<float>{9.0f, 4.0f})}};
  EXPECT_EQ(equalize_layers(residual).weights, residual.weights);
}

double logits_decibels(const Checkpoint& checkpoint, bool equalize) {
  const Samples tune = random_samples(100);
  QuantizeOptions options;
  options.equalize = equalize;
  const QuantizeResult result =
      quantize(checkpoint, tune, std::vector<std::int64_t>(100, 0), options, {}, FloatEngine());
  EXPECT_EQ(result.noise.back().node, "logits");
  return result.noise.back().sqnr_db;
}

TEST(Quantize, LosesLessOfABadlyScaledDepthwiseNetworkWhenEqualized) {
  const double well_scaled = logits_decibels(depthwise_checkpoint(false, 1.0f), false);
  const Checkpoint badly_scaled = depthwise_checkpoint(false, 1000.0f);
  const double before = logits_decibels(badly_scaled, false);
  const double after = logits_decibels(badly_scaled, true);
  EXPECT_LT(before, well_scaled - 8.0) << "the network is meant to suffer";
  EXPECT_GT(after, well_scaled - 3.0);
}

}  // namespace
}  // namespace biglittle
