// SPDX-License-Identifier: MIT
#include "graph/zoo.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "graph/cost.h"
#include "graph/fold.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

std::vector<std::string> names(const Graph& graph) {
  std::vector<std::string> all;
  for (const Node& node : graph.nodes()) all.push_back(node.name);
  return all;
}

void expect_refused(const std::string& message, const NetworkOptions& options,
                    const Shape& input = {1, 28, 28}, std::int64_t classes = 10) {
  testing::expect_error(ErrorKind::config, message,
                        [&] { build_network(options, input, classes); });
}

TEST(Zoo, EveryArchitectureEndsInAClassifierAndFoldsAway) {
  for (int i = 0; i < 6; ++i) {
    NetworkOptions options;
    options.arch = static_cast<Architecture>(i);
    options.dropout = 0.2;
    const Graph graph = build_network(options, {3, 32, 32}, 7);
    EXPECT_EQ(graph.output().name, "classifier");
    EXPECT_EQ(graph.output().shape, (Shape{7, 1, 1}));
    EXPECT_EQ(graph_from_json(to_json(graph), "f"), graph);
    const Graph folded = fold_graph(graph);
    for (const Node& node : folded.nodes()) {
      EXPECT_FALSE(std::holds_alternative<BatchNorm>(node.op)) << node.name;
      EXPECT_FALSE(std::holds_alternative<Dropout>(node.op)) << node.name;
      EXPECT_THAT(node.name, Not(::testing::HasSubstr("_bn")));
    }
  }
}

TEST(Zoo, ConvolutionsBeforeBatchNormHaveNoBias) {
  for (int i = 0; i < 6; ++i) {
    NetworkOptions options;
    options.arch = static_cast<Architecture>(i);
    const Graph graph = build_network(options, {3, 32, 32}, 10);
    for (const Node& node : graph.nodes()) {
      if (!std::holds_alternative<BatchNorm>(node.op)) continue;
      EXPECT_FALSE(std::get<Conv2d>(graph.node(node.inputs.front()).op).bias) << node.name;
    }
  }
}

TEST(Zoo, ClassicLeNetHas61706ParametersOnBothClassicInputs) {
  NetworkOptions options;
  options.arch = Architecture::lenet;
  options.width = 6;
  EXPECT_EQ(count_cost(build_network(options, {1, 32, 32}, 10)).parameters, 61706);
  const Cost padded = count_cost(build_network(options, {1, 28, 28}, 10));
  EXPECT_EQ(padded.parameters, 61706);
  // 28*28*6*25 + 10*10*16*150 + 400*120 + 120*84 + 84*10
  EXPECT_EQ(padded.macs, 117600 + 240000 + 48000 + 10080 + 840);
}

TEST(Zoo, ResNet20HasTheParametersAndMacsOfThePaper) {
  NetworkOptions options;
  options.arch = Architecture::resnet;
  const Cost cost = count_cost(build_network(options, {3, 32, 32}, 10));
  // He et al. 2016, table 6: 0.27 M. Convolutions 432 + 6*2304 + 4608 + 5*9216 + 18432 + 5*36864,
  // two projections 512 + 2048, batch norms 2*(7*16 + 7*32 + 7*64), classifier 650.
  EXPECT_EQ(cost.parameters, 432 + 13824 + 50688 + 202752 + 2560 + 2 * 784 + 650);
  // 442,368 + 6*2,359,296 + 2*(1,179,648 + 5*2,359,296) + 2*131,072 + 640
  EXPECT_EQ(cost.macs, 40813184);
}

TEST(Zoo, ResNet9HasTheLayersOfTheDawnBenchFamily) {
  NetworkOptions options;
  options.arch = Architecture::resnet9;
  options.width = 32;
  const Graph graph = build_network(options, {1, 28, 28}, 10);
  EXPECT_EQ(graph.node("prep_conv").shape, (Shape{32, 28, 28}));
  EXPECT_EQ(graph.node("layer1_residual_add").shape, (Shape{64, 14, 14}));
  EXPECT_EQ(graph.node("layer2_pool").shape, (Shape{128, 7, 7}));
  EXPECT_EQ(graph.node("layer3_residual_add").shape, (Shape{256, 3, 3}));
  EXPECT_FALSE(graph.contains("layer2_residual_add"));
  const Cost cost = count_cost(graph);
  // 225,792 + 4 * 14,450,688 + 2 * 256*256*9*9 + 2,560
  EXPECT_EQ(cost.macs, 68647936);
  EXPECT_EQ(cost.parameters, 288 + 18432 + 2 * 36864 + 73728 + 294912 + 2 * 589824 +
                                 2 * (32 + 3 * 64 + 128 + 3 * 256) + 2570);
}

TEST(Zoo, VggPoolsAfterEachPairAndDoublesChannels) {
  NetworkOptions options;
  options.arch = Architecture::vgg;
  options.width = 8;
  options.depth = 5;
  const Graph graph = build_network(options, {1, 28, 28}, 10);
  EXPECT_EQ(graph.node("block1_conv2").shape, (Shape{8, 28, 28}));
  EXPECT_EQ(graph.node("block2_pool").shape, (Shape{16, 7, 7}));
  EXPECT_EQ(graph.node("block3_conv1").shape, (Shape{32, 7, 7}));
  EXPECT_FALSE(graph.contains("block3_pool"));
}

TEST(Zoo, MlpHasItsHiddenLayersWithDropout) {
  NetworkOptions options;
  options.arch = Architecture::mlp;
  options.hidden = {5};
  options.dropout = 0.5;
  EXPECT_THAT(
      names(build_network(options, {1, 2, 3}, 2)),
      ElementsAre("input", "flatten", "hidden1", "hidden1_relu", "hidden1_dropout", "classifier"));
  options.hidden = {};
  EXPECT_THAT(names(build_network(options, {6, 1, 1}, 2)), ElementsAre("input", "classifier"));
}

TEST(Zoo, DsCnnHalvesAndDoublesWhereDownsampleSays) {
  NetworkOptions options;
  options.arch = Architecture::ds_cnn;
  options.depth = 2;
  options.downsample = {2};
  options.relu6 = true;
  const Graph graph = build_network(options, {1, 28, 28}, 4);
  EXPECT_THAT(
      names(graph),
      ElementsAre("input", "stem_conv", "stem_conv_bn", "stem_conv_relu", "block1_dw",
                  "block1_dw_bn", "block1_dw_relu", "block1_pw", "block1_pw_bn", "block1_pw_relu",
                  "block2_dw", "block2_dw_bn", "block2_dw_relu", "block2_pw", "block2_pw_bn",
                  "block2_pw_relu", "global_pool", "classifier"));
  EXPECT_EQ(graph.node("stem_conv").shape, (Shape{16, 14, 14}));
  EXPECT_EQ(graph.node("block1_pw").shape, (Shape{16, 14, 14}));
  EXPECT_EQ(graph.node("block2_dw").shape, (Shape{16, 7, 7}));
  EXPECT_EQ(graph.node("block2_pw").shape, (Shape{32, 7, 7}));
  EXPECT_EQ(op_name(graph.node("block2_pw_relu").op), "relu6");
  EXPECT_EQ(std::get<Conv2d>(graph.node("block1_dw").op).groups, 16);
  options.double_channels = false;
  EXPECT_EQ(build_network(options, {1, 28, 28}, 4).node("block2_pw").shape, (Shape{16, 7, 7}));
}

TEST(Zoo, TheDefaultDsCnnIsSmallEnoughForAMicrocontroller) {
  NetworkOptions options;
  options.arch = Architecture::ds_cnn;
  const Cost cost = count_cost(build_network(options, {1, 28, 28}, 4));
  // Stem 144; blocks at 14, 7, 7 and 4 pixels with 16, 16, 32 and 32 channels in, 16, 32, 32 and 64
  // out; two numbers a channel of each batch norm; classifier 260.
  EXPECT_EQ(cost.parameters, 144 + (144 + 256) + (144 + 512) + (288 + 1024) + (288 + 2048) +
                                 2 * (16 + 16 + 16 + 16 + 32 + 32 + 32 + 32 + 64) + 260);
  EXPECT_EQ(cost.macs,
            196 * (144 + 144 + 256) + 49 * (144 + 512 + 288 + 1024) + 16 * (288 + 2048) + 256);
}

TEST(Zoo, SignalsOfHeightOneKeepTheirHeight) {
  NetworkOptions options;
  options.arch = Architecture::ds_cnn;
  const Graph graph = build_network(options, {3, 1, 128}, 4);
  EXPECT_EQ(graph.node("stem_conv").shape, (Shape{16, 1, 64}));
  EXPECT_EQ(std::get<Conv2d>(graph.node("block1_dw").op).window, (Window{1, 3, 1, 1, 0, 1, 0, 1}));
}

TEST(Zoo, NamesTheOptionThatDoesNotFit) {
  NetworkOptions options;
  options.arch = Architecture::resnet;
  for (const std::int64_t depth : {2, 19, 21}) {
    options.depth = depth;
    expect_refused("arch = \"resnet\": depth = " + std::to_string(depth) +
                       " is not 6n + 2; choose 8, 14, 20, 26, 32, 44, 56 or 110",
                   options);
  }
  options.arch = Architecture::resnet9;
  options.depth = 18;
  expect_refused("arch = \"resnet9\": depth = 18 is not possible; leave it out or write 9",
                 options);
  options.depth = 0;
  expect_refused(
      "arch = \"resnet9\": pools 3 times but samples of 1x7x7 allow 2; choose another "
      "arch",
      options, {1, 7, 7});
  options.arch = Architecture::mlp;
  options.depth = 2;
  expect_refused("arch = \"mlp\": depth = 2 is not possible; leave it out and use hidden", options);
  options.arch = Architecture::ds_cnn;
  options.downsample = {3};
  expect_refused("arch = \"ds-cnn\": downsample names block 3 of 2", options);
  options.depth = 4;
  expect_refused("arch = \"ds-cnn\": needs at least 2 classes, not 1", options, {1, 28, 28}, 1);
  options.arch = Architecture::vgg;
  options.depth = 10;
  expect_refused(
      "arch = \"vgg\": pools 5 times but samples of 1x28x28 allow 4; choose a smaller "
      "depth than 10",
      options);
  options.depth = 9;
  build_network(options, {1, 28, 28}, 10);
  options.arch = Architecture::lenet;
  options.depth = 5;
  expect_refused(
      "arch = \"lenet\": does not fit samples of 1x8x8: node 'conv2': the 5x5 window "
      "is larger than its padded input of 4x4",
      options, {1, 8, 8});
}

}  // namespace
}  // namespace biglittle
