// SPDX-License-Identifier: MIT
#include "quant/lowering.h"

#include <gtest/gtest.h>

#include "testing/expect_error.h"

namespace biglittle {
namespace {

Tensor floats(std::vector<std::int64_t> shape, const std::vector<float>& values) {
  return Tensor::of<float>(std::move(shape), std::span<const float>(values));
}

std::vector<std::int64_t> integers(const Int8Model& model, const std::string& name) {
  const Tensor& tensor = model.weights.at(name);
  if (tensor.dtype() == DType::i8) {
    const auto values = tensor.values<std::int8_t>();
    return {values.begin(), values.end()};
  }
  const auto values = tensor.values<std::int32_t>();
  return {values.begin(), values.end()};
}

std::vector<float> scales(const Int8Model& model, const std::string& layer) {
  const auto values = model.weights.at(layer + ".weight_scale").values<float>();
  return {values.begin(), values.end()};
}

/// input of one byte, a 1x1 convolution with three channels, relu6, two classes.
Network small_network() {
  Network network;
  network.graph.append("input", Input{{1, 1, 1}});
  network.graph.append("conv", Conv2d{3, Window{}, 1, true}, {"input"});
  network.graph.append("relu", Relu6{}, {"conv"});
  network.graph.append("logits", Linear{2, false}, {"relu"});
  network.weights["conv.weight"] = floats({3, 1, 1, 1}, {127.0f, -0.25f, 0.0f});
  network.weights["conv.bias"] = floats({3}, {3.0f, -1.0f, 0.5f});
  network.weights["logits.weight"] = floats({2, 3}, {127.0f, -254.0f, 3.0f, 5.0f, 7.0f, 1.0f});
  return network;
}

const Preprocessing kBytes{SampleType::u8, 0.5, 100.0};
const std::map<std::string, Range> kRanges = {{"relu", {0.0, 6.0}}};

TEST(Lower, TakesTheRawByteAsInput) {
  const Int8Model model = lower(small_network(), kBytes, kRanges);
  EXPECT_EQ(model.activations.at("input"), (Quantization{0.5f, -28}));
  EXPECT_EQ(model.preprocessing, kBytes);
}

TEST(Lower, GivesAFloatInputItsStepInRawUnits) {
  auto ranges = kRanges;
  ranges["input"] = {-1.0, 24.5};  // scale 0.1, zero point -118
  const Int8Model model = lower(small_network(), {SampleType::f32, 0.2, 7.0}, ranges);
  EXPECT_NEAR(model.input_step, 0.5, 1e-7);
  EXPECT_EQ(model.activations.at("input").zero_point, -118);
  EXPECT_EQ(model.activations.at("input").scale,
            static_cast<float>(0.2 * double{model.input_step}));
}

TEST(Lower, GivesALayerBeforeAReluTheRelusRange) {
  const Int8Model model = lower(small_network(), kBytes, kRanges);
  const Quantization expected{static_cast<float>(6.0 / 255.0), -128};
  EXPECT_EQ(model.activations.at("conv"), expected);
  EXPECT_EQ(model.activations.at("relu"), expected);
  EXPECT_FALSE(model.activations.contains("logits"));
}

TEST(Lower, ScalesWeightsByChannelAndTheLastLayerAsOne) {
  const Int8Model model = lower(small_network(), kBytes, kRanges);
  EXPECT_EQ(scales(model, "conv")[0], 1.0f);
  EXPECT_EQ(scales(model, "conv")[1], static_cast<float>(0.25 / 127.0));
  EXPECT_EQ(integers(model, "conv.weight"), (std::vector<std::int64_t>{127, -127, 0}));
  EXPECT_EQ(scales(model, "logits"), (std::vector<float>{2.0f, 2.0f}));
  // 127 / 2 = 63.5 -> 64, 3 / 2 = 1.5 -> 2, 5 / 2 = 2.5 -> 2, 7 / 2 = 3.5 -> 4, 1 / 2 -> 0
  EXPECT_EQ(integers(model, "logits.weight"), (std::vector<std::int64_t>{64, -127, 2, 2, 4, 0}));
}

TEST(Lower, ScalesTheBiasByInputAndWeight) {
  const Int8Model model = lower(small_network(), kBytes, kRanges);
  // 3 / (0.5 * 1) = 6; -1 / (0.5 * 0.25 / 127) = -1016
  EXPECT_EQ(integers(model, "conv.bias")[0], 6);
  EXPECT_EQ(integers(model, "conv.bias")[1], -1016);
  EXPECT_EQ(integers(model, "logits.bias"), (std::vector<std::int64_t>{0, 0}));
}

TEST(Lower, KeepsTheBiasOfAChannelWithoutWeightsExact) {
  const Int8Model model = lower(small_network(), kBytes, kRanges);
  const double scale = scales(model, "conv")[2];
  EXPECT_GE(scale, kSmallestScale);
  EXPECT_NEAR(static_cast<double>(integers(model, "conv.bias")[2]) * 0.5 * scale, 0.5, 1e-6);
}

TEST(Lower, GivesAChannelOfZerosTheSmallestScale) {
  Network network = small_network();
  network.weights["conv.bias"] = floats({3}, {3.0f, -1.0f, 0.0f});
  EXPECT_EQ(scales(lower(network, kBytes, kRanges), "conv")[2], kSmallestScale);
}

TEST(Lower, EnlargesAWeightScaleThatTheBiasWouldOverflow) {
  Network network = small_network();
  network.weights["conv.weight"] = floats({3, 1, 1, 1}, {1e-9f, 1.0f, 1.0f});
  network.weights["conv.bias"] = floats({3}, {4.0f, 0.0f, 0.0f});
  Int8Model model = lower(network, kBytes, kRanges);
  model.classes = {"a", "b"};
  EXPECT_NO_THROW(check_int8_model(model, "m"));
  EXPECT_EQ(integers(model, "conv.bias")[0], 1 << 28);
  EXPECT_EQ(scales(model, "conv")[0], 0x1p-25f);  // 4 / (0.5 * 2^28)
}

TEST(Lower, GivesEveryLayerABias) {
  const Int8Model model = lower(small_network(), kBytes, kRanges);
  EXPECT_TRUE(std::get<Linear>(model.graph.output().op).bias);
}

TEST(Lower, RefusesANetworkThatDoesNotEndInALinearLayer) {
  Network network = small_network();
  network.graph.append("end", Relu{}, {"logits"});
  testing::expect_error(ErrorKind::bad_data,
                        "the network ends in relu node end, but int8 needs a linear layer last",
                        [&] { lower(network, kBytes, kRanges); });
}

}  // namespace
}  // namespace biglittle
