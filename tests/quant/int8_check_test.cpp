// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "quant/int8_model.h"
#include "quant/small_model.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using testing::expect_error;
using testing::small_model;

/// Applies one change to the small model; check_int8_model must refuse it with `message`.
void expect_refused(const std::function<void(Int8Model&)>& change, const std::string& message) {
  Int8Model model = small_model();
  change(model);
  expect_error(ErrorKind::bad_data, "m: " + message, [&] { check_int8_model(model, "m"); });
}

TEST(CheckInt8Model, AcceptsTheSmallModel) {
  EXPECT_NO_THROW(check_int8_model(small_model(), "m"));
}

TEST(CheckInt8Model, RefusesAGraphThatIsNoInt8Network) {
  expect_refused([](Int8Model& m) { m.graph = Graph(); }, "the graph has no nodes");
  expect_refused([](Int8Model& m) { m.graph.append("end", Relu{}, {"logits"}); },
                 "the int8 network ends in relu node end, expected a linear layer");
  expect_refused(
      [](Int8Model& m) {
        m.graph.append("drop", Dropout{}, {"logits"});
        m.graph.append("end", Linear{2}, {"drop"});
      },
      "node drop is a dropout, which an int8 network does not have; fold it first");
  expect_refused(
      [](Int8Model& m) {
        m.graph.append("norm", BatchNorm{}, {"logits"});
        m.graph.append("end", Linear{2}, {"norm"});
      },
      "node norm is a batch_norm, which an int8 network does not have; fold it first");
}

TEST(CheckInt8Model, RefusesScalesOutsideTheirLimits) {
  const std::string range = ", expected 2^-40 to 2^20";
  const auto set_scale = [](float scale) {
    return [scale](Int8Model& m) { m.activations["mean"].scale = scale; };
  };
  expect_refused(set_scale(0.0f), "scale of node mean is 0" + range);
  expect_refused(set_scale(-1.0f), "scale of node mean is -1" + range);
  expect_refused(set_scale(std::numeric_limits<float>::infinity()),
                 "scale of node mean is inf" + range);
  expect_refused(set_scale(std::numeric_limits<float>::quiet_NaN()),
                 "scale of node mean is nan" + range);
  expect_refused(set_scale(0x1.8p20f), "scale of node mean is 1572864" + range);
  Int8Model model = small_model();
  for (const float limit : {kSmallestScale, kLargestScale}) {
    set_scale(limit)(model);
    EXPECT_NO_THROW(check_int8_model(model, "m"));
  }
  expect_refused([](Int8Model& m) { m.weights["conv.weight_scale"].values<float>()[1] = 0.0f; },
                 "a value of conv.weight_scale is 0" + range);
}

TEST(CheckInt8Model, RefusesZeroPointsOutsideInt8) {
  const auto set_zero = [](std::int32_t zero) {
    return [zero](Int8Model& m) { m.activations["mean"].zero_point = zero; };
  };
  expect_refused(set_zero(128), "zero point of node mean is 128, expected -128 to 127");
  expect_refused(set_zero(-129), "zero point of node mean is -129, expected -128 to 127");
  Int8Model model = small_model();
  set_zero(127)(model);
  EXPECT_NO_THROW(check_int8_model(model, "m"));
}

TEST(CheckInt8Model, RefusesQuantizationsThatAreMissingTooManyOrNotShared) {
  expect_refused([](Int8Model& m) { m.activations.erase("mean"); },
                 "node mean has no quantization");
  expect_refused([](Int8Model& m) { m.activations["logits"] = {}; },
                 "quantization for logits, which is no node with an int8 output");
  expect_refused([](Int8Model& m) { m.activations["relu"].scale = 0.2f; },
                 "node relu is a relu and must carry the quantization of its input conv");
}

TEST(CheckInt8Model, RefusesAnInputThatIsNotTheRawByte) {
  expect_refused([](Int8Model& m) { m.preprocessing.with_mirror = true; },
                 "preprocessing asks for a mirror image, expected none in int8");
  expect_refused([](Int8Model& m) { m.preprocessing.offset = 30.5; },
                 "preprocessing offset is 30.5, expected a whole byte for uint8 samples");
  expect_refused([](Int8Model& m) { m.preprocessing.offset = 256.0; },
                 "preprocessing offset is 256, expected a whole byte for uint8 samples");
  expect_refused([](Int8Model& m) { m.activations["input"].zero_point = -97; },
                 "quantization of the input is not the preprocessing: expected scale "
                 "0.02 and zero point -98");
  expect_refused([](Int8Model& m) { m.activations["input"].scale = 0.03f; },
                 "quantization of the input is not the preprocessing: expected scale "
                 "0.02 and zero point -98");
}

void take_floats(Int8Model& model) {
  model.preprocessing = {SampleType::f32, 2.0, 0.25};
  model.input_step = 0.5f;
  model.activations["input"] = {1.0f, 5};
}

TEST(CheckInt8Model, AcceptsFloatSamplesWithTheirStep) {
  Int8Model model = small_model();
  take_floats(model);
  EXPECT_NO_THROW(check_int8_model(model, "m"));
}

TEST(CheckInt8Model, RefusesFloatSamplesWhoseStepDoesNotFit) {
  expect_refused(
      [](Int8Model& m) {
        take_floats(m);
        m.input_step = 0.0f;
      },
      "input_step is 0, expected 2^-40 to 2^20");
  expect_refused(
      [](Int8Model& m) {
        take_floats(m);
        m.input_step = 0.25f;
      },
      "scale of the input is 1, expected preprocessing scale times input_step");
  expect_refused(
      [](Int8Model& m) {
        take_floats(m);
        m.preprocessing.offset = 1e31;
      },
      "preprocessing offset is 1e+31, expected at most 1e30");
}

TEST(CheckInt8Model, RefusesTensorsThatAreNotTheGraphs) {
  expect_refused([](Int8Model& m) { m.weights.erase("conv.bias"); }, "tensor conv.bias is missing");
  expect_refused([](Int8Model& m) { m.weights["extra"] = Tensor(DType::i8, {1}); },
                 "tensor extra belongs to no layer");
  expect_refused(
      [](Int8Model& m) {
        m.weights["conv.weight"] = Tensor(DType::u8, {3, 2, 1, 1});
      },
      "tensor conv.weight is U8, expected I8");
  expect_refused(
      [](Int8Model& m) {
        m.weights["conv.weight"] = Tensor(DType::i8, {3, 2, 1, 2});
      },
      "tensor conv.weight has shape [3,2,1,2], expected [3,2,1,1]");
  expect_refused([](Int8Model& m) { m.weights["logits.weight_scale"] = Tensor(DType::f32, {1}); },
                 "tensor logits.weight_scale has shape [1], expected [2]");
}

TEST(CheckInt8Model, RefusesAWeightOfMinus128) {
  expect_refused([](Int8Model& m) { m.weights["conv.weight"].values<std::int8_t>()[3] = -128; },
                 "tensor conv.weight contains -128, expected -127 to 127");
}

TEST(CheckInt8Model, RefusesALastLayerWhoseAccumulatorsDoNotCompare) {
  expect_refused([](Int8Model& m) { m.weights["logits.weight_scale"].values<float>()[1] = 0.05f; },
                 "the rows of the last layer logits have different scales, so its accumulators do "
                 "not compare");
}

TEST(CheckInt8Model, RefusesAnAccumulatorThatCanReachTheLimit) {
  // Row 0 of logits: sum |w| = 6, input zero point -128: at most 6 * 255 = 1530 beside the bias.
  const auto set_bias = [](std::int32_t bias) {
    return [bias](Int8Model& m) { m.weights["logits.bias"].values<std::int32_t>()[0] = bias; };
  };
  expect_refused(
      set_bias((1 << 30) - 1530),
      "accumulators of logits can reach 1073741824, expected less than 2^30; the layer sums "
      "too many inputs");
  expect_refused(
      set_bias(-(1 << 30) + 1530),
      "accumulators of logits can reach 1073741824, expected less than 2^30; the layer sums "
      "too many inputs");
  expect_refused(
      set_bias(std::numeric_limits<std::int32_t>::min()),
      "accumulators of logits can reach 2147485178, expected less than 2^30; the layer sums "
      "too many inputs");
  Int8Model model = small_model();
  set_bias((1 << 30) - 1531)(model);
  EXPECT_NO_THROW(check_int8_model(model, "m"));
}

TEST(AccumulatorBounds, UseTheFartherEndOfTheInputsRange) {
  // input zero point -98: |q - z| is at most 225; rows 1 + 2, 3 + 4, 5 + 127.
  const Int8Model model = small_model();
  EXPECT_EQ(accumulator_bounds(model, model.graph.node("conv")),
            (std::vector<std::int64_t>{3 * 225 + 10, 7 * 225 + 20, 132 * 225 + 30}));
}

/// input 1 x side x side -> mean -> logits.
Int8Model pooling_model(std::int64_t side) {
  Int8Model model = small_model();
  model.graph = Graph();
  model.graph.append("input", Input{{3, side, side}});
  model.graph.append("mean", GlobalAvgPool{}, {"input"});
  model.graph.append("logits", Linear{2}, {"mean"});
  model.activations.erase("conv");
  model.activations.erase("relu");
  for (const std::string part : {"weight", "bias", "weight_scale"}) {
    model.weights.erase("conv." + part);
  }
  return model;
}

TEST(CheckInt8Model, RefusesPoolingWhoseSumFloatCannotHold) {
  // 255 * 65536 < 2^24 = 16777216 < 255 * 66049
  EXPECT_NO_THROW(check_int8_model(pooling_model(256), "m"));
  expect_error(ErrorKind::bad_data,
               "m: global_avg_pool mean averages 66049 values, expected at most 65793",
               [] { check_int8_model(pooling_model(257), "m"); });
}

TEST(CheckInt8Model, RefusesClassNamesThatDoNotFit) {
  expect_refused([](Int8Model& m) { m.classes.push_back("third"); }, "3 class names for 2 outputs");
  expect_refused([](Int8Model& m) { m.priority->names[0] = "shoe"; },
                 "the priority map names other classes than the network");
  expect_refused(
      [](Int8Model& m) {
        m.graph.append("one", Linear{1}, {"logits"});
        m.activations["logits"] = {1.0f, 0};
        m.weights["one.weight"] = Tensor(DType::i8, {1, 2});
        m.weights["one.bias"] = Tensor(DType::i32, {1});
        m.weights["one.weight_scale"] = Tensor::of<float>({1}, std::vector<float>{1.0f});
        m.classes = {"only"};
      },
      "the network has one output, expected at least 2");
}

}  // namespace
}  // namespace biglittle
