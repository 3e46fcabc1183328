// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "graph/graph.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

/// One node of every op, with attributes that differ from the defaults.
Graph every_op() {
  Graph graph;
  graph.append("input", Input{{2, 9, 7}});
  graph.append("conv", Conv2d{4, {3, 2, 2, 1, 1, 0, 2, 1}, 2, false}, {"input"});
  graph.append("bn", BatchNorm{1.0 / 3.0, 0.3}, {"conv"});
  graph.append("relu", Relu{}, {"bn"});
  graph.append("relu6", Relu6{}, {"relu"});
  graph.append("max", MaxPool{{2, 3, 1, 1, 1, 2, 0, 0}}, {"relu6"});
  graph.append("avg", AvgPool{{2, 3, 1, 1, 1, 2, 0, 0}}, {"relu6"});
  graph.append("add", Add{}, {"max", "avg"});
  graph.append("global", GlobalAvgPool{}, {"add"});
  graph.append("flat", Flatten{}, {"global"});
  graph.append("drop", Dropout{0.1}, {"flat"});
  graph.append("fc", Linear{3, false}, {"drop"});
  return graph;
}

TEST(GraphJson, RoundTripsEveryOp) {
  const Graph graph = every_op();
  const Json json = to_json(graph);
  EXPECT_EQ(graph_from_json(json, "file"), graph);
  EXPECT_EQ(graph_from_json(Json::parse(json.dump()), "file"), graph);
}

TEST(GraphJson, WritesEveryAttributeInAFixedOrder) {
  EXPECT_EQ(to_json(every_op())["nodes"][1].dump(),
            R"({"name":"conv","op":"conv2d","out_channels":4,"kernel":[3,2],"stride":[2,1],)"
            R"("padding":[1,0,2,1],"groups":2,"bias":false,"inputs":["input"]})");
  EXPECT_EQ(to_json(every_op())["nodes"][0].dump(),
            R"({"name":"input","op":"input","shape":[2,9,7],"inputs":[]})");
}

/// A graph whose second node is `node`.
void expect_refused(const std::string& message, const std::string& node) {
  const std::string text =
      R"({"nodes": [{"name": "input", "op": "input", "shape": [1, 4, 4], "inputs": []}, )" + node +
      "]}";
  testing::expect_error(ErrorKind::bad_data, "f: " + message,
                        [&] { graph_from_json(Json::parse(text), "f"); });
}

TEST(GraphJson, RefusesUnknownOpsAndKeysWithTheClosestKnownOne) {
  expect_refused("nodes[1]: 'op' is the unknown 'reul', did you mean 'relu'?",
                 R"({"name": "x", "op": "reul", "inputs": ["input"]})");
  expect_refused("nodes[1]: unknown key 'input', did you mean 'inputs'?",
                 R"({"name": "x", "op": "relu", "inputs": ["input"], "input": 1})");
}

TEST(GraphJson, RefusesMissingAttributesAndWrongTypes) {
  expect_refused("nodes[1]: 'name' is missing", R"({"op": "relu", "inputs": ["input"]})");
  expect_refused("nodes[1]: 'name' must be a string",
                 R"({"name": 5, "op": "relu", "inputs": ["input"]})");
  expect_refused("nodes[1]: 'inputs' is missing", R"({"name": "x", "op": "relu"})");
  expect_refused("nodes[1]: 'inputs' must be a list of node names",
                 R"({"name": "x", "op": "relu", "inputs": [1]})");
  expect_refused("nodes[1]: 'inputs' must be a list of node names",
                 R"({"name": "x", "op": "relu", "inputs": "input"})");
  expect_refused("nodes[1]: 'bias' must be true or false",
                 R"({"name": "x", "op": "linear", "out_features": 3, "bias": 1, "inputs": []})");
  expect_refused("nodes[1]: 'rate' must be a number",
                 R"({"name": "x", "op": "dropout", "rate": null, "inputs": ["input"]})");
  expect_refused("nodes[1]: 'kernel' must be a list of 2 whole numbers",
                 R"({"name": "x", "op": "max_pool", "kernel": [2], "inputs": ["input"]})");
  for (const char* number : {"2.0", "\"2\"", "9223372036854775808"}) {
    expect_refused("nodes[1]: 'out_features' must hold whole numbers below 2^62",
                   R"({"name": "x", "op": "linear", "out_features": )" + std::string(number) + "}");
  }
  expect_refused("nodes[1]: must be an object", "[]");
}

TEST(GraphJson, RefusesMisfitsAndNodesThatNobodyReads) {
  expect_refused("node 'input': the name is used twice",
                 R"({"name": "input", "op": "relu", "inputs": ["input"]})");
  expect_refused("node 'x': is read by no other node",
                 R"({"name": "x", "op": "relu", "inputs": ["input"]},)"
                 R"({"name": "y", "op": "relu", "inputs": ["input"]})");
}

TEST(GraphJson, RefusesAnythingButAnObjectWithNodes) {
  for (const char* text :
       {"[]", "{}", R"({"nodes": {}})", R"({"nodes": []})", R"({"nodes": [], "version": 1})"}) {
    testing::expect_error(ErrorKind::bad_data, "f: a graph must be an object with one list 'nodes'",
                          [&] { graph_from_json(Json::parse(text), "f"); });
  }
}

}  // namespace
}  // namespace biglittle
