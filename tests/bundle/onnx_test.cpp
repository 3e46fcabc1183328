// SPDX-License-Identifier: MIT
#include "bundle/onnx.h"

#include <gmock/gmock.h>

#include <string>

#include "bundle/onnx_writer.h"
#include "bundle/random_int8_model.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Graph classifier(bool with_norm) {
  Graph graph;
  graph.append("input", Input{{2, 4, 4}});
  graph.append("conv", Conv2d{3, square_window(3, 1, 1), 1, true}, {"input"});
  if (with_norm) graph.append("norm", BatchNorm{}, {"conv"});
  graph.append("pool", GlobalAvgPool{}, {graph.output().name});
  graph.append("fc", Linear{2, true}, {"pool"});
  return graph;
}

Network zero_network(const Graph& graph) {
  Network network{graph, {}};
  for (const WeightSpec& spec : graph.weights()) {
    network.weights.emplace(spec.name, Tensor(DType::f32, spec.shape));
  }
  return network;
}

std::string text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(Onnx, SameNetworkGivesTheSameBytesAndCarriesItsMetadata) {
  const Int8Model model = testing::random_int8_model(classifier(false), 1);
  const OnnxMetadata metadata = {{"classes", "[\"a\", \"b\"]"}, {"digest", "0123abcd"}};
  const std::string first = text(int8_onnx(model, metadata));
  EXPECT_EQ(first, text(int8_onnx(model, metadata)));
  for (const char* part : {"biglittle", "digest", "0123abcd", "accumulators", "logits"}) {
    EXPECT_THAT(first, HasSubstr(part));
  }
}

TEST(Onnx, TheTwoInt8FormsDifferInTheirConvolutions) {
  const Int8Model model = testing::random_int8_model(classifier(false), 1);
  const std::string qdq = text(int8_onnx(model, {}, Int8OnnxForm::qdq));
  const std::string qoperator = text(int8_onnx(model, {}, Int8OnnxForm::qoperator));
  EXPECT_THAT(qdq, Not(HasSubstr("QLinearConv")));
  EXPECT_THAT(qoperator, HasSubstr("QLinearConv"));
}

TEST(Onnx, RefusesFloatNetworksThatCannotBeExported) {
  testing::expect_error(ErrorKind::internal, "node 'norm' must be folded before export",
                        [] { float_onnx(zero_network(classifier(true)), {}, {}); });
  Graph open_end;
  open_end.append("input", Input{{2, 4, 4}});
  testing::expect_error(ErrorKind::bad_data,
                        "a network can be exported when its last node is linear",
                        [&] { float_onnx(zero_network(open_end), {}, {}); });
}

TEST(Onnx, RefusesInt8NetworksThatBreakTheirRules) {
  Int8Model model = testing::random_int8_model(classifier(false), 1);
  model.weights.erase("conv.bias");
  try {
    int8_onnx(model, {});
    ADD_FAILURE() << "accepted a network without a bias";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_data);
    EXPECT_THAT(error.what(), HasSubstr("conv.bias"));
  }
}

TEST(OnnxWriter, SharesEqualConstantsAndRefusesDifferentOnesOfOneName) {
  OnnxWriter writer;
  EXPECT_EQ(writer.scalar("six", 6.0f), "six");
  EXPECT_EQ(writer.scalar("six", 6.0f), "six");
  testing::expect_error(ErrorKind::internal, "two different ONNX constants are named six",
                        [&] { writer.scalar("six", 7.0f); });
}

TEST(OnnxWriter, RefusesTwoNodesThatMakeOneTensor) {
  OnnxWriter writer;
  writer.node("Relu", {"x"}, "y");
  testing::expect_error(ErrorKind::internal, "two ONNX nodes make y",
                        [&] { writer.node("Relu", {"x"}, "y"); });
}

}  // namespace
}  // namespace biglittle
