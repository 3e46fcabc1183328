// SPDX-License-Identifier: MIT
#include "graph/cost.h"

#include <gtest/gtest.h>

namespace biglittle {
namespace {

TEST(Cost, CountsOfASmallNetworkWorkedByHand) {
  Graph graph;
  graph.append("input", Input{{2, 6, 6}});
  graph.append("conv", Conv2d{4, square_window(3, 2, 1), 1, false}, {"input"});  // 4x3x3
  graph.append("bn", BatchNorm{}, {"conv"});
  graph.append("relu", Relu{}, {"bn"});
  graph.append("dw", Conv2d{4, square_window(3, 1, 1), 4, true}, {"relu"});  // 4x3x3
  graph.append("drop", Dropout{}, {"dw"});
  graph.append("pool", GlobalAvgPool{}, {"drop"});
  graph.append("fc", Linear{3, true}, {"pool"});
  const Cost cost = count_cost(graph);
  ASSERT_EQ(cost.nodes.size(), 8u);
  EXPECT_EQ(cost.nodes[1].parameters, 72);
  EXPECT_EQ(cost.nodes[1].macs, 72 * 9);
  EXPECT_EQ(cost.nodes[2].parameters, 8);
  EXPECT_EQ(cost.nodes[2].macs, 0);
  EXPECT_EQ(cost.nodes[4].parameters, 40);
  EXPECT_EQ(cost.nodes[4].macs, 36 * 9);
  EXPECT_EQ(cost.nodes[7].parameters, 15);
  EXPECT_EQ(cost.nodes[7].macs, 12);
  EXPECT_EQ(cost.parameters, 72 + 8 + 40 + 15);
  EXPECT_EQ(cost.macs, 648 + 324 + 12);
  EXPECT_EQ(cost.int8_weight_bytes, 72 + 36 + 12);
  EXPECT_EQ(cost.int8_flash_bytes, 120 + 9 * (4 + 4 + 3));
  // The convolution holds its input of 72 and its output of 36 bytes; relu works in place.
  EXPECT_EQ(cost.int8_peak_ram_bytes, 72 + 36);
}

TEST(Cost, KeepsTheShortcutOfAResidualBlockInMemory) {
  Graph graph;
  graph.append("input", Input{{1, 4, 4}});
  graph.append("stem", Conv2d{4, {}, 1, true}, {"input"});  // 64 bytes, read twice
  graph.append("one", Conv2d{4, {}, 1, true}, {"stem"});
  graph.append("two", Conv2d{4, {}, 1, true}, {"one"});
  graph.append("sum", Add{}, {"two", "stem"});
  EXPECT_EQ(count_cost(graph).int8_peak_ram_bytes, 3 * 64);
}

TEST(Cost, AReluWhoseInputIsReadLaterNeedsMemoryOfItsOwn) {
  Graph graph;
  graph.append("input", Input{{1, 4, 4}});
  graph.append("stem", Conv2d{4, {}, 1, true}, {"input"});
  graph.append("relu", Relu{}, {"stem"});
  graph.append("sum", Add{}, {"relu", "stem"});
  EXPECT_EQ(count_cost(graph).int8_peak_ram_bytes, 3 * 64);
}

TEST(Cost, CountsFourBytesForEachAccumulatorOfTheLastLinear) {
  Graph graph;
  graph.append("input", Input{{2, 1, 1}});
  graph.append("fc", Linear{10, true}, {"input"});
  EXPECT_EQ(count_cost(graph).int8_peak_ram_bytes, 2 + 40);
}

TEST(Cost, ABatchNormOfItsOwnCostsAMultiplicationAnElement) {
  Graph graph;
  graph.append("input", Input{{3, 5, 5}});
  graph.append("bn", BatchNorm{}, {"input"});
  graph.append("pool", GlobalAvgPool{}, {"bn"});
  const Cost cost = count_cost(graph);
  EXPECT_EQ(cost.macs, 75);
  EXPECT_EQ(cost.int8_weight_bytes, 3);
}

}  // namespace
}  // namespace biglittle
