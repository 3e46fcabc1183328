// SPDX-License-Identifier: MIT
#include "bundle/arena_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "bundle/device_program.h"
#include "bundle/random_int8_model.h"
#include "graph/cost.h"
#include "graph/zoo.h"

namespace biglittle {
namespace {

/// Checks every pair that is alive at a common step, byte by byte.
void expect_no_overlap(const std::vector<ArenaTensor>& tensors, const ArenaPlan& plan) {
  ASSERT_EQ(plan.offsets.size(), tensors.size());
  for (std::size_t a = 0; a < tensors.size(); ++a) {
    EXPECT_GE(plan.offsets[a], 0);
    EXPECT_EQ(plan.offsets[a] % kArenaAlignment, 0);
    EXPECT_LE(plan.offsets[a] + tensors[a].bytes, plan.bytes);
    for (std::size_t b = 0; b < a; ++b) {
      const bool apart_in_time =
          tensors[a].last < tensors[b].first || tensors[b].last < tensors[a].first;
      const bool apart_in_memory = plan.offsets[a] + tensors[a].bytes <= plan.offsets[b] ||
                                   plan.offsets[b] + tensors[b].bytes <= plan.offsets[a];
      EXPECT_TRUE(apart_in_time || apart_in_memory) << "tensors " << b << " and " << a;
    }
  }
}

TEST(ArenaPlan, ReusesTheMemoryOfDeadTensors) {
  // A chain: 100 -> 60 -> 100 -> 4. The largest pair that lives together is 100 + 60.
  const std::vector<ArenaTensor> tensors = {{100, 0, 1}, {60, 1, 2}, {100, 2, 3}, {4, 3, 3}};
  const ArenaPlan plan = plan_arena(tensors);
  expect_no_overlap(tensors, plan);
  EXPECT_EQ(liveness_bound(tensors), 160);
  EXPECT_EQ(plan.bytes, 160);
}

TEST(ArenaPlan, KeepsWhatALaterStepStillReads) {
  // The first tensor is added again at step 3, as in a residual block.
  const std::vector<ArenaTensor> tensors = {{64, 0, 3}, {32, 1, 2}, {64, 2, 3}};
  EXPECT_EQ(liveness_bound(tensors), 160);
  const ArenaPlan plan = plan_arena(tensors);
  expect_no_overlap(tensors, plan);
  EXPECT_EQ(plan.bytes, 160);
}

TEST(ArenaPlan, RoundsSizesUpToTheAlignment) {
  const std::vector<ArenaTensor> tensors = {{5, 0, 1}, {3, 0, 1}};
  EXPECT_EQ(liveness_bound(tensors), 12);
  EXPECT_EQ(plan_arena(tensors).bytes, 12);
}

TEST(ArenaPlan, NeverOverlapsLiveTensorsOfRandomPrograms) {
  std::mt19937 random(5);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<ArenaTensor> tensors;
    for (std::int64_t step = 0; step < 12; ++step) {
      tensors.push_back({static_cast<std::int64_t>(random() % 500 + 1), step,
                         std::min<std::int64_t>(11, step + 1 + random() % 4)});
    }
    const ArenaPlan plan = plan_arena(tensors);
    expect_no_overlap(tensors, plan);
    EXPECT_GE(plan.bytes, liveness_bound(tensors));
    EXPECT_EQ(plan.offsets, plan_arena(tensors).offsets) << "the plan depends on chance";
  }
}

/// The graph without batch norm and dropout, as folding leaves it.
Graph inference_form(const Graph& graph) {
  Graph folded;
  std::map<std::string, std::string> stands_for;
  for (const Node& node : graph.nodes()) {
    if (std::holds_alternative<BatchNorm>(node.op) || std::holds_alternative<Dropout>(node.op)) {
      stands_for[node.name] = stands_for.at(node.inputs[0]);
      continue;
    }
    std::vector<std::string> inputs;
    for (const std::string& input : node.inputs) inputs.push_back(stands_for.at(input));
    stands_for[node.name] = folded.append(node.name, node.op, inputs);
  }
  return folded;
}

TEST(ArenaPlan, ReachesTheLivenessBoundOnTheZoo) {
  for (const Architecture arch :
       {Architecture::mlp, Architecture::lenet, Architecture::vgg, Architecture::resnet,
        Architecture::resnet9, Architecture::ds_cnn}) {
    NetworkOptions options;
    options.arch = arch;
    const Graph graph = inference_form(build_network(options, Shape{3, 32, 32}, 4));
    const Int8Model model = testing::random_int8_model(graph, 3);
    for (const DeviceLayout layout : {DeviceLayout::tight, DeviceLayout::wide}) {
      const DeviceProgram program = plan_device_program(model, layout);
      const std::vector<ArenaTensor> tensors = arena_tensors(program);
      expect_no_overlap(tensors, program.arena);
      const auto bound = static_cast<double>(liveness_bound(tensors));
      EXPECT_LE(static_cast<double>(program.arena.bytes), 1.05 * bound) << static_cast<int>(arch);
    }
    // The cost table counts live activations in its own way; the accumulators come on top here.
    const DeviceProgram program = plan_device_program(model, DeviceLayout::tight);
    EXPECT_LE(program.arena.bytes, count_cost(graph).int8_peak_ram_bytes * 105 / 100 + 64)
        << static_cast<int>(arch);
  }
}

}  // namespace
}  // namespace biglittle
