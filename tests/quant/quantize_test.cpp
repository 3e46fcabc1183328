// SPDX-License-Identifier: MIT
#include "quant/quantize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "core/version.h"
#include "quant/float_engine.h"
#include "quant/interpreter.h"
#include "quant/noise.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using testing::expect_error;
using testing::FloatEngine;

/// Two bytes a and b around 128; logits 127 a + 0.1 b and 127 a - 0.1 b. In int8 the last layer's
/// scale is 1, so 0.1 becomes 0 and the classes tie.
Checkpoint tying_checkpoint() {
  Checkpoint checkpoint;
  checkpoint.network.graph.append("input", Input{{2, 1, 1}});
  checkpoint.network.graph.append("logits", Linear{2, false}, {"input"});
  checkpoint.network.weights["logits.weight"] =
      Tensor::of<float>({2, 2}, std::vector<float>{127.0f, 0.1f, 127.0f, -0.1f});
  checkpoint.classes = {"above", "below"};
  checkpoint.preprocessing = {SampleType::u8, 1.0, 128.0};
  return checkpoint;
}

/// a = 1, b = +10 or -10.
const Samples kTune{{2, 1, 1}, std::vector<std::uint8_t>{129, 138, 129, 118, 129, 138, 129, 118}};
const std::vector<std::int64_t> kLabels = {0, 1, 0, 1};

TEST(Quantize, ReportsAccuracyAgreementAndNoise) {
  const auto result = quantize(tying_checkpoint(), kTune, kLabels, {}, {}, FloatEngine());
  EXPECT_EQ(result.float_accuracy, 1.0);
  EXPECT_EQ(result.int8_accuracy, 0.5) << "a tie is the lower class";
  EXPECT_EQ(result.agreement, 0.5);
  ASSERT_EQ(result.noise.size(), 2u);
  EXPECT_EQ(result.noise[0].node, "input");
  EXPECT_EQ(result.noise[0].sqnr_db, 120.0) << "raw bytes are exact";
  EXPECT_EQ(result.noise[1].node, "logits");
  // Signal 128^2 + 126^2 a sample, noise 1 + 1.
  EXPECT_NEAR(result.noise[1].sqnr_db, 10.0 * std::log10(32260.0 / 2.0), 1e-4);
}

TEST(CheckDrop, FailsNamingTheWorstLayers) {
  const auto result = quantize(tying_checkpoint(), kTune, kLabels, {}, {}, FloatEngine());
  EXPECT_NO_THROW(check_drop(result, 0.5));
  expect_error(ErrorKind::gate,
               "int8 accuracy on tune is 50.00 %, 50.00 points below float (100.00 %), more than "
               "max_drop = 0.49; noisiest layers: logits (42.1 dB), input (120.0 dB); try another "
               "range method, more range_samples, fine_tune.epochs or a wider network",
               [&] { check_drop(result, 0.49); });
}

TEST(QuantizeResultJson, ListsEveryLayerAndNamesTheNoisiest) {
  const Json json = to_json(quantize(tying_checkpoint(), kTune, kLabels, {}, {}, FloatEngine()));
  EXPECT_EQ(json["float_accuracy"], 1.0);
  EXPECT_EQ(json["int8_accuracy"], 0.5);
  EXPECT_EQ(json["agreement"], 0.5);
  EXPECT_EQ(json["noisiest"], "logits (42.1 dB), input (120.0 dB)");
  ASSERT_EQ(json["layers"].size(), 2u);
  EXPECT_EQ(json["layers"][0]["node"], "input");
  EXPECT_EQ(json["layers"][0]["sqnr_db"], 120.0);
}

TEST(Quantize, ReportsTheLossOfTheRealLogits) {
  const auto result = quantize(tying_checkpoint(), kTune, kLabels, {}, {}, FloatEngine());
  EXPECT_NEAR(result.int8_loss, std::log(2.0), 1e-12) << "both classes tie";
  EXPECT_EQ(result.drop, 0.5);
}

TEST(NameWorst, ListsTheLowestFirstAndNoMoreThanAsked) {
  const std::vector<LayerNoise> noise = {{"a", 30.0}, {"b", 10.04}, {"c", 20.0}, {"d", 15.0}};
  EXPECT_EQ(name_worst(noise, 3), "b (10.0 dB), d (15.0 dB), c (20.0 dB)");
  EXPECT_EQ(name_worst(noise, 9), "b (10.0 dB), d (15.0 dB), c (20.0 dB), a (30.0 dB)");
}

TEST(Quantize, KeepsWhatTheCheckpointSaysAboutItself) {
  Checkpoint checkpoint = tying_checkpoint();
  checkpoint.priority = PriorityMap{{0, 1, 1}, {"above", "below"}, true};
  checkpoint.config_toml = "seed = 3\n";
  const Int8Model model = quantize(checkpoint, kTune, kLabels, {}, {}, FloatEngine()).model;
  EXPECT_EQ(model.classes, checkpoint.classes);
  EXPECT_EQ(model.priority, checkpoint.priority);
  EXPECT_EQ(model.config_toml, "seed = 3\n");
  EXPECT_EQ(model.source_digest, network_digest(checkpoint.network));
  EXPECT_EQ(model.program_version, program_version());
}

TEST(Quantize, RefusesTuneThatDoesNotFit) {
  const Samples none{{2, 1, 1}, std::vector<std::uint8_t>{}};
  expect_error(ErrorKind::bad_data, "tune has no samples to quantize with",
               [&] { quantize(tying_checkpoint(), none, {}, {}, {}, FloatEngine()); });
  expect_error(ErrorKind::internal, "1 labels for 4 tune samples", [&] {
    quantize(tying_checkpoint(), kTune, std::vector<std::int64_t>{0}, {}, {}, FloatEngine());
  });
  expect_error(ErrorKind::internal, "a tune label is not a class of the checkpoint", [&] {
    const std::vector<std::int64_t> labels = {0, 1, 2, 1};
    quantize(tying_checkpoint(), kTune, labels, {}, {}, FloatEngine());
  });
}

TEST(Quantize, RefusesALayerWhoseAccumulatorCouldOverflow) {
  Checkpoint checkpoint;
  checkpoint.network.graph.append("input", Input{{33200, 1, 1}});
  checkpoint.network.graph.append("logits", Linear{2, false}, {"input"});
  checkpoint.network.weights["logits.weight"] =
      Tensor::of<float>({2, 33200}, std::vector<float>(66400, 1.0f));
  checkpoint.classes = {"a", "b"};
  checkpoint.preprocessing = {SampleType::u8, 1.0, 0.0};
  const Samples tune{{33200, 1, 1}, std::vector<std::uint8_t>(33200, 1)};
  // 33200 * 127 * 255
  expect_error(
      ErrorKind::bad_data,
      "int8 network: accumulators of logits can reach 1075182000, expected less than 2^30; "
      "the layer sums too many inputs",
      [&] { quantize(checkpoint, tune, std::vector<std::int64_t>{0}, {}, {}, FloatEngine()); });
}

/// Random weights; running_var positive, so that the network can be folded.
TensorMap random_weights(const Graph& graph, std::mt19937& random) {
  std::normal_distribution<float> normal(0.0f, 1.0f);
  TensorMap weights;
  for (const WeightSpec& spec : graph.weights()) {
    Tensor tensor(DType::f32, spec.shape);
    const auto values = tensor.values<float>();
    const float fan_in =
        static_cast<float>(values.size() / static_cast<std::size_t>(spec.shape[0]));
    for (float& value : values) value = normal(random) * std::sqrt(2.0f / fan_in);
    if (spec.name.ends_with("running_var")) {
      for (float& value : values) value = value * value + 0.5f;
    }
    weights[spec.name] = std::move(tensor);
  }
  return weights;
}

/// Every op of training networks: batch norm (also before a relu6 and alone after an add), dropout,
/// both poolings, depthwise, residual.
Checkpoint rich_checkpoint(SampleType type) {
  Checkpoint checkpoint;
  Graph& graph = checkpoint.network.graph;
  const auto conv = [](std::int64_t channels, std::int64_t kernel, std::int64_t groups) {
    return Conv2d{channels, square_window(kernel, 1, kernel / 2), groups, false};
  };
  graph.append("input", Input{{2, 8, 8}});
  graph.append("stem", conv(12, 3, 1), {"input"});
  graph.append("stem_norm", BatchNorm{}, {"stem"});
  graph.append("stem_relu", Relu{}, {"stem_norm"});
  graph.append("depthwise", conv(12, 3, 12), {"stem_relu"});
  graph.append("depthwise_norm", BatchNorm{}, {"depthwise"});
  graph.append("depthwise_relu", Relu6{}, {"depthwise_norm"});
  graph.append("pointwise", conv(12, 1, 1), {"depthwise_relu"});
  graph.append("sum", Add{}, {"stem_relu", "pointwise"});
  graph.append("sum_norm", BatchNorm{}, {"sum"});
  graph.append("sum_relu", Relu{}, {"sum_norm"});
  graph.append("pool", MaxPool{square_window(2, 2, 0)}, {"sum_relu"});
  graph.append("average", AvgPool{square_window(2, 2, 0)}, {"pool"});
  graph.append("flat", Flatten{}, {"average"});
  graph.append("hidden", Linear{16, true}, {"flat"});
  graph.append("hidden_relu", Relu{}, {"hidden"});
  graph.append("drop", Dropout{}, {"hidden_relu"});
  graph.append("logits", Linear{5, true}, {"drop"});
  std::mt19937 random(11);
  checkpoint.network.weights = random_weights(graph, random);
  checkpoint.classes = {"a", "b", "c", "d", "e"};
  checkpoint.preprocessing = {type, 0.02, type == SampleType::u8 ? 120.0 : 1.5};
  return checkpoint;
}

Samples rich_samples(SampleType type, std::size_t count) {
  std::mt19937 random(5);
  if (type == SampleType::u8) {
    std::vector<std::uint8_t> bytes(count * 128);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random() % 256);
    return {{2, 8, 8}, bytes};
  }
  std::normal_distribution<float> normal(1.5f, 50.0f);
  std::vector<float> floats(count * 128);
  for (float& value : floats) value = normal(random);
  return {{2, 8, 8}, floats};
}

/// What the float network answers, so that its accuracy is 1.
std::vector<std::int64_t> float_answers(const Checkpoint& checkpoint, const Samples& samples) {
  const auto logits =
      FloatEngine().logits(checkpoint.network, checkpoint.preprocessing, samples, {});
  std::vector<std::int64_t> answers;
  for (auto row = logits.begin(); row != logits.end(); row += 5) {
    answers.push_back(std::max_element(row, row + 5) - row);
  }
  return answers;
}

class QuantizeRichNetwork : public ::testing::TestWithParam<std::tuple<SampleType, RangeMethod>> {};

TEST_P(QuantizeRichNetwork, StaysCloseToFloat) {
  const auto [type, range] = GetParam();
  const Checkpoint checkpoint = rich_checkpoint(type);
  const Samples tune = rich_samples(type, 150);
  QuantizeOptions options;
  options.range = range;
  const auto result =
      quantize(checkpoint, tune, float_answers(checkpoint, tune), options, {}, FloatEngine());
  EXPECT_EQ(result.float_accuracy, 1.0);
  EXPECT_GE(result.int8_accuracy, 0.93);
  EXPECT_EQ(result.agreement, result.int8_accuracy);
  std::vector<std::string> nodes;
  for (const LayerNoise& layer : result.noise) {
    nodes.push_back(layer.node);
    EXPECT_GT(layer.sqnr_db, 22.0) << layer.node;
  }
  EXPECT_EQ(nodes, (std::vector<std::string>{"input", "stem_relu", "depthwise_relu", "pointwise",
                                             "sum", "sum_relu", "pool", "average", "flat",
                                             "hidden_relu", "logits"}));
}

INSTANTIATE_TEST_SUITE_P(AllWays, QuantizeRichNetwork,
                         ::testing::Combine(::testing::Values(SampleType::u8, SampleType::f32),
                                            ::testing::Values(RangeMethod::min_max,
                                                              RangeMethod::percentile,
                                                              RangeMethod::mse)));

TEST(Quantize, DoesNotDependOnThreadsOrBatches) {
  const Checkpoint checkpoint = rich_checkpoint(SampleType::u8);
  const Samples tune = rich_samples(SampleType::u8, 60);
  const auto labels = float_answers(checkpoint, tune);
  const QuantizeOptions options;
  ComputeOptions one;
  one.threads = 1;
  ComputeOptions three;
  three.threads = 3;
  const auto a = quantize(checkpoint, tune, labels, options, one, FloatEngine(4));
  const auto b = quantize(checkpoint, tune, labels, options, three, FloatEngine(60));
  EXPECT_EQ(int8_digest(a.model), int8_digest(b.model));
  EXPECT_EQ(a.int8_accuracy, b.int8_accuracy);
}

TEST(Quantize, TakesRangesFromSamplesSpreadOverTune) {
  // The first half of tune is dark: ranges from it alone would clip the second.
  Checkpoint checkpoint = tying_checkpoint();
  Graph graph;
  graph.append("input", Input{{2, 1, 1}});
  graph.append("hidden", Linear{1, false}, {"input"});
  graph.append("logits", Linear{2, false}, {"hidden"});
  checkpoint.network.graph = graph;
  checkpoint.network.weights = {
      {"hidden.weight", Tensor::of<float>({1, 2}, std::vector<float>{1.0f, 0.0f})},
      {"logits.weight", Tensor::of<float>({2, 1}, std::vector<float>{1.0f, -1.0f})}};
  std::vector<std::uint8_t> bytes(40, 129);
  bytes.resize(80, 228);
  const Samples tune{{2, 1, 1}, bytes};
  QuantizeOptions options;
  options.range = RangeMethod::min_max;
  options.range_samples = 4;
  const auto result =
      quantize(checkpoint, tune, std::vector<std::int64_t>(40, 0), options, {}, FloatEngine());
  EXPECT_EQ(result.model.activations.at("hidden"),
            (Quantization{static_cast<float>(100.0 / 255.0), -128}));
}

TEST(QuantizeOptions, AreReadFromToml) {
  QuantizeOptions options;
  const DescribeOptions all = [&](OptionVisitor& visitor) { describe(options, visitor); };
  read_toml_text("range = \"percentile\"\npercentile = 99.5\nrange_samples = 10\nmax_drop = 0.02\n",
                 "t.toml", ".", all);
  EXPECT_EQ(options.range, RangeMethod::percentile);
  EXPECT_EQ(options.percentile, 99.5);
  EXPECT_EQ(options.range_samples, 10);
  EXPECT_EQ(options.max_drop, 0.02);
  for (const auto* bad : {"max_drop = 1.5", "max_drop = -0.1", "range_samples = 0",
                          "percentile = 100.5", "percentile = 49.0", "range = \"best\""}) {
    EXPECT_THROW(read_toml_text(bad, "t.toml", ".", all), Error) << bad;
  }
}

}  // namespace
}  // namespace biglittle
