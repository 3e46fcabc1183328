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
  const DeviceProgram program = plan_device_program(model, DeviceLayout::tight);
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
  const DeviceProgram program = plan_device_program(model, DeviceLayout::tight);
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
  const DeviceProgram program = plan_device_program(model, DeviceLayout::tight);
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
  const DeviceProgram program = plan_device_program(model, DeviceLayout::tight);
  ASSERT_EQ(step_names(program), (std::vector<std::string>{"input", "fc"}));
  EXPECT_EQ(program.steps[1].flattened_map, (Shape{3, 4, 5}));
}

TEST(DeviceProgram, ReadsBytesWhereTheCallerHasThem) {
  Graph graph;
  graph.append("input", Input{{1, 4, 4}});
  graph.append("conv", Conv2d{3, square_window(3, 1, 1)}, {"input"});
  graph.append("relu", Relu{}, {"conv"});
  graph.append("mean", GlobalAvgPool{}, {"relu"});
  graph.append("fc", Linear{3}, {"mean"});
  const auto arena = [&](SampleType type) {
    const Int8Model model = testing::random_int8_model(graph, 1, type);
    return plan_device_program(model, DeviceLayout::tight).arena.bytes;
  };
  // Output 48 and a window of 9 values in words for four pixels, 48; floats are quantized
  // first, 16.
  EXPECT_EQ(arena(SampleType::u8), 48 + 48);
  EXPECT_EQ(arena(SampleType::f32), 48 + 48 + 16);
}

TEST(DeviceProgram, NeverWritesToTheCallersInput) {
  Graph graph;
  graph.append("input", Input{{2, 4, 4}});
  graph.append("relu", Relu{}, {"input"});
  graph.append("add", Add{}, {"input", "relu"});
  graph.append("mean", GlobalAvgPool{}, {"add"});
  graph.append("fc", Linear{3}, {"mean"});
  Int8Model model = testing::random_int8_model(graph, 1);
  for (const char* node : {"input", "relu"}) model.activations[node] = {0.1f, -20};
  const DeviceProgram program = plan_device_program(model, DeviceLayout::tight);
  ASSERT_EQ(step_names(program), (std::vector<std::string>{"input", "relu", "add", "mean", "fc"}));
  EXPECT_NE(program.steps[1].output, program.steps[0].output);
  EXPECT_EQ(program.steps[2].output, program.steps[1].output) << "the add can run in the relu's";
}

const Padding kNone;

TEST(DeviceProgram, WideMapsCarryThePaddingThatTheirReadersWant) {
  Graph graph;
  graph.append("input", Input{{3, 9, 8}});
  // Windows begin at rows -1, 1, 3, 5, 7, the last ends at row 9, one below the image; at columns
  // -2, 0, 2, 4, the last ends at column 7, inside it.
  graph.append("first", Conv2d{8, Window{3, 4, 2, 2, 1, 2, 1, 1}}, {"input"});
  graph.append("second", Conv2d{8, square_window(5, 1, 2), 8}, {"first"});
  graph.append("third", Conv2d{8, square_window(3, 1, 1)}, {"first"});
  graph.append("add", Add{}, {"second", "third"});
  graph.append("mean", GlobalAvgPool{}, {"add"});
  graph.append("fc", Linear{3}, {"mean"});
  const Int8Model model = testing::random_int8_model(graph, 1);
  const DeviceProgram program = plan_device_program(model, DeviceLayout::wide);
  const auto padding = [&](std::size_t step) {
    return program.tensors[program.steps[step].output].padding;
  };
  EXPECT_EQ(padding(0), (Padding{1, 2, 1, 0}));
  EXPECT_EQ(padding(1), (Padding{2, 2, 2, 2})) << "the larger of two readers";
  EXPECT_EQ(padding(2), kNone);
  EXPECT_TRUE(program.steps[0].fills_padding);
  EXPECT_TRUE(program.steps[1].fills_padding);
  EXPECT_FALSE(program.steps[2].fills_padding);
  for (const DeviceStep& step : program.steps) EXPECT_FALSE(step.scratch);
}

TEST(DeviceProgram, ATensorWithPaddingIsLaidOutAroundItsFirstPixel) {
  const DeviceTensor tensor{.shape = {3, 9, 8}, .padding = {1, 2, 1, 0}};
  EXPECT_EQ(tensor.row_bytes(), 10 * 3);
  EXPECT_EQ(tensor.first_pixel(), 30 + 6);
  EXPECT_EQ(tensor.bytes(), 11 * 30);
}

TEST(DeviceProgram, AFlattenedMapStaysWithoutGaps) {
  Graph graph;
  graph.append("input", Input{{1, 6, 6}});
  graph.append("conv", Conv2d{2, square_window(3, 1, 1)}, {"input"});
  graph.append("flat", Flatten{}, {"conv"});
  graph.append("wide", Conv2d{2, square_window(3, 1, 1)}, {"conv"});
  graph.append("other", Flatten{}, {"wide"});
  graph.append("add", Add{}, {"flat", "other"});
  graph.append("fc", Linear{3}, {"add"});
  const Int8Model model = testing::random_int8_model(graph, 1);
  const DeviceProgram program = plan_device_program(model, DeviceLayout::wide);
  ASSERT_EQ(step_names(program),
            (std::vector<std::string>{"input", "conv", "flat", "wide", "other", "add", "fc"}));
  EXPECT_EQ(program.tensors[program.steps[1].output].padding, (Padding{1, 1, 1, 1}));
  EXPECT_NE(program.steps[2].output, program.steps[1].output);
}

}  // namespace
}  // namespace biglittle
