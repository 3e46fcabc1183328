// SPDX-License-Identifier: MIT
// Random graphs in every form of the kernels: scripts/soak graphs in small.
#include "engines/random_graphs.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include "bundle/random_int8_model.h"
#include "testing/temporary_folder.h"

namespace biglittle::testing {
namespace {

/// What is hard about a graph, in words.
void note_features(const Graph& graph, std::set<std::string>& features) {
  std::map<std::string, std::set<std::string>> paddings;
  const std::string& input = graph.nodes().front().name;
  std::int64_t input_readers = 0;
  for (const Node& node : graph.nodes()) {
    features.insert(std::string(op_name(node.op)));
    input_readers += std::ranges::count(node.inputs, input);
    if (std::holds_alternative<Add>(node.op)) {
      if (std::ranges::count(node.inputs, input) > 0) features.insert("input added");
      if (node.inputs[0] == node.inputs[1]) features.insert("added to itself");
    }
    const auto* conv = std::get_if<Conv2d>(&node.op);
    if (conv == nullptr) continue;
    const Window& w = conv->window;
    const Node& source = graph.node(node.inputs[0]);
    const std::int64_t depth = source.shape.channels;
    paddings[source.name].insert(
        fmt::format("{} {} {} {}", w.pad_top, w.pad_left, w.pad_bottom, w.pad_right));
    if (w.pad_top != w.pad_bottom || w.pad_left != w.pad_right) features.insert("one side padded");
    if (w.stride_height != w.stride_width) features.insert("two strides");
    if (conv->groups > 1 && conv->groups < depth) features.insert("groups");
    if (conv->groups > 1 && conv->groups == depth) {
      features.insert(conv->out_channels == depth ? "depthwise" : "depthwise with a multiplier");
    }
    if (std::holds_alternative<Flatten>(source.op)) features.insert("flatten convolved");
  }
  if (input_readers > 1) features.insert("input read twice");
  for (const auto& [name, wanted] : paddings) {
    if (wanted.size() > 1) features.insert("readers want different padding");
  }
  if (graph.input().shape.height == 1) features.insert("height 1");
}

TEST(RandomGraphs, DrawsEverythingThatIsHard) {
  std::set<std::string> features;
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    note_features(random_graph(seed, 1 + seed % 19), features);
  }
  EXPECT_THAT(features, ::testing::IsSupersetOf({"input",
                                                 "conv2d",
                                                 "relu",
                                                 "relu6",
                                                 "max_pool",
                                                 "avg_pool",
                                                 "global_avg_pool",
                                                 "add",
                                                 "flatten",
                                                 "linear",
                                                 "input added",
                                                 "added to itself",
                                                 "one side padded",
                                                 "two strides",
                                                 "groups",
                                                 "depthwise",
                                                 "depthwise with a multiplier",
                                                 "flatten convolved",
                                                 "input read twice",
                                                 "readers want different padding",
                                                 "height 1"}));
}

void expect_equal_to_plain_loops(std::vector<DeviceEngine> engines, int batches, std::size_t size) {
  if (engines.empty()) {
    const char* required = std::getenv("BIGLITTLE_REQUIRE_ENGINES");
    if (required != nullptr && std::string_view(required) == "1") {
      FAIL() << "gcc or clang is not installed";
    }
    GTEST_SKIP() << "gcc or clang is not installed";
  }
  const TemporaryFolder folder;
  EXPECT_EQ(check_random_graphs(RandomGraphs(folder.path(), std::move(engines)), batches, size),
            "");
}

TEST(RandomGraphsOfGeneratedCode, EqualPlainLoopsUnderSanitizers) {
  expect_equal_to_plain_loops(sanitized_engines(), 1, 40);
}

TEST(RandomGraphsOfGeneratedCode, EqualPlainLoopsInEveryForm) {
  expect_equal_to_plain_loops(plain_engines(), 1, 40);
}

}  // namespace
}  // namespace biglittle::testing
