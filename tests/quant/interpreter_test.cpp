// SPDX-License-Identifier: MIT
#include "quant/interpreter.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "quant/naive_int8.h"
#include "quant/random_model.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using testing::expect_error;
using testing::random_case;
using testing::RandomCase;

std::vector<std::int64_t> widened(auto values) {
  return std::vector<std::int64_t>(values.begin(), values.end());
}

TEST(Interpreter, EqualsTheNaiveLoopsOnEveryNodeOfRandomNetworks) {
  std::set<std::string> ops;
  std::int64_t compared = 0;
  std::int64_t inner = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const RandomCase test = random_case(seed);
    const Interpreter interpreter(test.model);
    const auto all = interpreter.run(test.samples, 1);
    const auto outputs = test.model.classes.size();
    for (std::int64_t row = 0; row < test.samples.count(); ++row) {
      const auto naive = testing::run_naive(test.model, test.samples, row);
      const auto accumulators = interpreter.trace(
          test.samples, row, [&](std::string_view node, std::span<const std::int8_t> values) {
            ASSERT_EQ(widened(values), naive.at(std::string(node)))
                << "seed " << seed << " node " << node;
            compared += static_cast<std::int64_t>(values.size());
            for (const auto value : values) inner += value > -128 && value < 127 ? 1 : 0;
          });
      const std::string& last = test.model.graph.output().name;
      ASSERT_EQ(widened(accumulators), naive.at(last)) << "seed " << seed;
      const auto first = all.begin() + static_cast<std::ptrdiff_t>(outputs) * row;
      ASSERT_EQ(std::vector<std::int32_t>(first, first + static_cast<std::ptrdiff_t>(outputs)),
                accumulators)
          << "seed " << seed;
    }
    for (const Node& node : test.model.graph.nodes()) ops.insert(std::string(op_name(node.op)));
  }
  EXPECT_EQ(ops.size(), 10u) << "every op of int8 networks must occur";
  EXPECT_GT(compared, 400000);
  EXPECT_GT(inner, compared / 2) << "most values must not be saturated, or little is compared";
}

/// Hand-worked: 1x2x2 bytes, mean 100, one 2x2 convolution, one linear layer of two classes.
Int8Model hand_model() {
  Int8Model model;
  model.graph.append("input", Input{{1, 2, 2}});
  model.graph.append("conv", Conv2d{.out_channels = 1, .window = square_window(2, 1, 0)},
                     {"input"});
  model.graph.append("logits", Linear{2}, {"conv"});
  model.preprocessing = {SampleType::u8, 0.5, 100.0};
  model.activations = {{"input", {0.5f, -28}}, {"conv", {2.0f, -10}}};
  model.weights["conv.weight"] =
      Tensor::of<std::int8_t>({1, 1, 2, 2}, std::vector<std::int8_t>{1, -2, 3, 4});
  model.weights["conv.bias"] = Tensor::of<std::int32_t>({1}, std::vector<std::int32_t>{6});
  model.weights["conv.weight_scale"] = Tensor::of<float>({1}, std::vector<float>{1.0f});
  model.weights["logits.weight"] = Tensor::of<std::int8_t>({2, 1}, std::vector<std::int8_t>{5, -7});
  model.weights["logits.bias"] = Tensor::of<std::int32_t>({2}, std::vector<std::int32_t>{1, 2});
  model.weights["logits.weight_scale"] = Tensor::of<float>({2}, std::vector<float>{0.1f, 0.1f});
  model.classes = {"a", "b"};
  return model;
}

Samples bytes(const Shape& shape, std::vector<std::uint8_t> values) {
  return {shape, std::move(values)};
}

TEST(Interpreter, GivesTheNumbersWorkedByHand) {
  const Interpreter interpreter(hand_model());
  // q - z = byte - 100: 1, 2, -3, 10; acc = 6 + 1 - 4 - 9 + 40 = 34; m = 0.5 * 1 / 2 = 0.25;
  // 8.5 -> 8, - 10 = -2. Linear: 1 + 5 * 8 = 41, 2 - 7 * 8 = -54.
  const auto accumulators = interpreter.run(bytes({1, 2, 2}, {101, 102, 97, 110}));
  EXPECT_EQ(accumulators, (std::vector<std::int32_t>{41, -54}));
}

TEST(Interpreter, GivesTheSameForAnyNumberOfThreads) {
  RandomCase test = random_case(12);
  std::vector<std::uint8_t> many;
  for (std::int64_t i = 0; i < 53 * test.samples.shape.count(); ++i) {
    many.push_back(static_cast<std::uint8_t>(i * 37 % 251));
  }
  const Samples samples = bytes(test.samples.shape, many);
  const Interpreter interpreter(test.model);
  const auto one = interpreter.run(samples, 1);
  EXPECT_EQ(one.size(), 53 * test.model.classes.size());
  EXPECT_EQ(interpreter.run(samples, 2), one);
  EXPECT_EQ(interpreter.run(samples, 7), one);
  EXPECT_EQ(interpreter.run(samples, 100), one);
  EXPECT_EQ(interpreter.run(samples), one);
}

TEST(Interpreter, GivesNothingForNoSamples) {
  const Interpreter interpreter(hand_model());
  EXPECT_TRUE(interpreter.run(bytes({1, 2, 2}, {})).empty());
}

TEST(Interpreter, RefusesSamplesOfAnotherShape) {
  const Interpreter interpreter(hand_model());
  expect_error(ErrorKind::bad_data, "samples are 1x2x3 but the int8 network expects 1x2x2", [&] {
    interpreter.run(bytes({1, 2, 3}, {1, 2, 3, 4, 5, 6}));
  });
}

TEST(Interpreter, RefusesSamplesOfAnotherType) {
  const Interpreter interpreter(hand_model());
  expect_error(ErrorKind::bad_data, "samples are float32 but the int8 network expects uint8", [&] {
    interpreter.run(Samples{{1, 2, 2}, std::vector<float>(4)});
  });
  expect_error(ErrorKind::bad_data, "samples are uint8 but the int8 network expects float32", [&] {
    const RandomCase floats = random_case(1);
    const auto count = static_cast<std::size_t>(floats.samples.shape.count());
    Interpreter(floats.model).run(bytes(floats.samples.shape, std::vector<std::uint8_t>(count)));
  });
}

TEST(Interpreter, RefusesToTraceASampleThatIsNotThere) {
  const Interpreter interpreter(hand_model());
  const Samples one = bytes({1, 2, 2}, {1, 2, 3, 4});
  expect_error(ErrorKind::internal, "there is no sample 1",
               [&] { interpreter.trace(one, 1, [](auto, auto) {}); });
}

TEST(Interpreter, RefusesAModelThatDoesNotPassTheCheck) {
  Int8Model model = hand_model();
  model.activations["conv"].scale = 0.0f;
  expect_error(ErrorKind::bad_data, "int8 network: scale of node conv is 0, expected 2^-40 to 2^20",
               [&] { Interpreter{model}; });
}

TEST(Decide, TakesTheLargestAndTheMargin) {
  const std::vector<std::int32_t> accumulators = {3, 90, -5, 40};
  const Decision decision = decide(accumulators);
  EXPECT_EQ(decision.top, 1);
  EXPECT_EQ(decision.second, 3);
  EXPECT_EQ(decision.margin, 50);
}

TEST(Decide, TakesTheLowestIndexOnATie) {
  const Decision first = decide(std::vector<std::int32_t>{7, 7, 7});
  EXPECT_EQ(first.top, 0);
  EXPECT_EQ(first.second, 1);
  EXPECT_EQ(first.margin, 0);
  const Decision second = decide(std::vector<std::int32_t>{1, 4, 9, 4});
  EXPECT_EQ(second.top, 2);
  EXPECT_EQ(second.second, 1);
  EXPECT_EQ(second.margin, 5);
}

TEST(Decide, DoesNotOverflowOnOppositeAccumulators) {
  const Decision decision = decide(std::vector<std::int32_t>{-2147483647 - 1, 2147483647});
  EXPECT_EQ(decision.margin, 4294967295);
}

TEST(Decide, RefusesOneClass) {
  expect_error(ErrorKind::internal, "a decision needs at least two classes",
               [] { decide(std::vector<std::int32_t>{1}); });
}

}  // namespace
}  // namespace biglittle
