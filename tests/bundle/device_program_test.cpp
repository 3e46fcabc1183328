// SPDX-License-Identifier: MIT
#include "bundle/device_program.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bundle/random_int8_model.h"

namespace biglittle {
namespace {

std::vector<std::string> step_names(const DeviceProgram& program) {
  std::vector<std::string> names;
  for (const DeviceStep& step : program.steps) names.push_back(step.node->name);
  return names;
}

TEST(DeviceProgram, MergesAReluIntoTheLayerThatOnlyItReads) {
  Graph graph;
  graph.append("input", Input{{1, 6, 6}});
  graph.append("conv", Conv2d{4, square_window(3, 1, 1)}, {"input"});
  graph.append("relu", Relu6{}, {"conv"});
  graph.append("pool", GlobalAvgPool{}, {"relu"});
  graph.append("fc", Linear{3}, {"pool"});
  Int8Model model = testing::random_int8_model(graph, 1);
  model.activations["conv"] = model.activations["relu"] = Quantization{0.1f, -20};
  const DeviceProgram program = plan_device_program(model);
  EXPECT_EQ(step_names(program), (std::vector<std::string>{"input", "conv", "pool", "fc"}));
  EXPECT_EQ(program.steps[1].low, -20);
  EXPECT_EQ(program.steps[1].high, 40);  // 6 / 0.1 - 20
}

TEST(DeviceProgram, KeepsAReluApartWhenSomethingElseReadsTheLayer) {
  Graph graph;
  graph.append("input", Input{{1, 6, 6}});
  graph.append("conv", Conv2d{4, square_window(3, 1, 1)}, {"input"});
  graph.append("pool", MaxPool{square_window(3, 1, 1)}, {"conv"});  // reads before the relu does
  graph.append("relu", Relu{}, {"conv"});
  graph.append("add", Add{}, {"pool", "relu"});
  graph.append("mean", GlobalAvgPool{}, {"add"});
  graph.append("fc", Linear{3}, {"mean"});
  Int8Model model = testing::random_int8_model(graph, 1);
  for (const char* node : {"conv", "pool", "relu"}) model.activations[node] = {0.1f, -20};
  const DeviceProgram program = plan_device_program(model);
  ASSERT_EQ(step_names(program),
            (std::vector<std::string>{"input", "conv", "pool", "relu", "add", "mean", "fc"}));
  EXPECT_EQ(program.steps[1].low, -128);
  EXPECT_EQ(program.steps[3].low, -20);
  EXPECT_EQ(program.steps[3].output, program.steps[3].inputs[0]) << "the relu can run in place";
  EXPECT_EQ(program.steps[4].output, program.steps[4].inputs[0]) << "the add can run in place";
}

TEST(DeviceProgram, DoesNotOverwriteWhatALaterNodeReads) {
  Graph graph;
  graph.append("input", Input{{2, 5, 5}});
  graph.append("conv", Conv2d{2, square_window(3, 1, 1)}, {"input"});
  graph.append("first", Add{}, {"input", "conv"});   // input and conv are read again below
  graph.append("second", Add{}, {"first", "conv"});  // conv is read again below, first is not
  graph.append("third", Add{}, {"conv", "input"});
  graph.append("fourth", Add{}, {"second", "third"});
  graph.append("mean", GlobalAvgPool{}, {"fourth"});
  graph.append("fc", Linear{3}, {"mean"});
  const Int8Model model = testing::random_int8_model(graph, 1);
  const DeviceProgram program = plan_device_program(model);
  const DeviceStep& first = program.steps[2];
  EXPECT_NE(first.output, first.inputs[0]);
  EXPECT_NE(first.output, first.inputs[1]);
  const DeviceStep& second = program.steps[3];
  EXPECT_EQ(second.output, second.inputs[0]);
  EXPECT_EQ(program.steps[4].output, program.steps[4].inputs[0]);
}

TEST(DeviceProgram, LeavesAFlattenedMapInPlaceForLinearReaders) {
  Graph graph;
  graph.append("input", Input{{3, 4, 5}});
  graph.append("flat", Flatten{}, {"input"});
  graph.append("fc", Linear{3}, {"flat"});
  const Int8Model model = testing::random_int8_model(graph, 1);
  const DeviceProgram program = plan_device_program(model);
  ASSERT_EQ(step_names(program), (std::vector<std::string>{"input", "fc"}));
  EXPECT_EQ(program.steps[1].flattened_map, (Shape{3, 4, 5}));
}

}  // namespace
}  // namespace biglittle
