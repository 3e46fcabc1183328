// SPDX-License-Identifier: MIT
#include "quant/int8_model.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <set>

#include "core/files.h"
#include "core/safetensors.h"
#include "quant/random_model.h"
#include "testing/expect_error.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using testing::expect_error;
using testing::TemporaryFolder;

template <typename T>
Tensor tensor(std::vector<std::int64_t> shape, const std::vector<T>& values) {
  return Tensor::of<T>(std::move(shape), std::span<const T>(values));
}

/// input 2x4x4 -> conv (3 channels) -> relu -> mean -> logits (2 classes).
Int8Model small_model() {
  Int8Model model;
  model.graph.append("input", Input{{2, 4, 4}});
  model.graph.append("conv", Conv2d{3, Window{}, 1, true}, {"input"});
  model.graph.append("relu", Relu{}, {"conv"});
  model.graph.append("mean", GlobalAvgPool{}, {"relu"});
  model.graph.append("logits", Linear{2}, {"mean"});
  model.preprocessing = {SampleType::u8, 0.02, 30.0};
  model.activations = {{"input", {0.02f, -98}},
                       {"conv", {0.1f, -128}},
                       {"relu", {0.1f, -128}},
                       {"mean", {0.05f, -128}}};
  model.weights = {{"conv.weight", tensor<std::int8_t>({3, 2, 1, 1}, {1, -2, 3, -4, 5, -127})},
                   {"conv.bias", tensor<std::int32_t>({3}, {10, -20, 30})},
                   {"conv.weight_scale", tensor<float>({3}, {0.01f, 0.02f, 0.03f})},
                   {"logits.weight", tensor<std::int8_t>({2, 3}, {1, 2, 3, 4, 5, 6})},
                   {"logits.bias", tensor<std::int32_t>({2}, {7, 8})},
                   {"logits.weight_scale", tensor<float>({2}, {0.04f, 0.04f})}};
  model.classes = {"boot", "other"};
  model.priority = PriorityMap{{1, 0, 1}, {"boot", "other"}, true};
  model.source_digest = "abc";
  model.config_toml = "[quantize]\nrange = \"mse\"\n";
  model.program_version = "0.1.0";
  return model;
}

void expect_same(const Int8Model& a, const Int8Model& b) {
  EXPECT_EQ(a.graph, b.graph);
  EXPECT_EQ(a.activations, b.activations);
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_EQ(a.preprocessing, b.preprocessing);
  EXPECT_EQ(a.input_step, b.input_step);
  EXPECT_EQ(a.classes, b.classes);
  EXPECT_EQ(a.priority, b.priority);
  EXPECT_EQ(a.source_digest, b.source_digest);
  EXPECT_EQ(a.config_toml, b.config_toml);
  EXPECT_EQ(a.program_version, b.program_version);
}

TEST(Int8File, GivesBackWhatWasSaved) {
  const TemporaryFolder folder;
  const Int8Model model = small_model();
  save_int8_model(folder / "little-int8.safetensors", model);
  expect_same(load_int8_model(folder / "little-int8.safetensors"), model);
}

TEST(Int8File, GivesBackRandomNetworksWithFloatSamplesAndNoPriority) {
  const TemporaryFolder folder;
  for (std::uint64_t seed = 1; seed < 21; seed += 2) {
    const Int8Model model = testing::random_case(seed).model;
    save_int8_model(folder / "a", model);
    expect_same(load_int8_model(folder / "a"), model);
  }
}

TEST(Int8File, HasTheSameBytesForTheSameModel) {
  const TemporaryFolder folder;
  save_int8_model(folder / "a", small_model());
  save_int8_model(folder / "b", small_model());
  EXPECT_EQ(read_bytes(folder / "a"), read_bytes(folder / "b"));
}

TEST(Int8File, IsNotWrittenForAModelThatDoesNotPassTheCheck) {
  const TemporaryFolder folder;
  Int8Model model = small_model();
  model.classes.pop_back();
  EXPECT_THROW(save_int8_model(folder / "a", model), Error);
  EXPECT_FALSE(std::filesystem::exists(folder / "a"));
}

/// Saves the small model, changes its metadata and expects the loader to refuse with `message`.
void expect_refused_file(const std::function<void(SafetensorsFile&)>& change,
                         const std::string& message) {
  const TemporaryFolder folder;
  const auto file = folder / "m.safetensors";
  save_int8_model(file, small_model());
  SafetensorsFile content = read_safetensors(file);
  change(content);
  write_safetensors(file, content);
  expect_error(ErrorKind::bad_data, file.string() + ": " + message, [&] { load_int8_model(file); });
}

TEST(Int8File, IsRefusedWhenItIsOfAnotherKind) {
  expect_refused_file([](auto& file) { file.metadata["kind"] = "biglittle-checkpoint"; },
                      "not an int8 network: kind is 'biglittle-checkpoint', expected "
                      "'biglittle-int8'");
  expect_refused_file([](auto& file) { file.metadata.erase("kind"); },
                      "not an int8 network: kind is missing, expected 'biglittle-int8'");
}

TEST(Int8File, IsRefusedWhenItsVersionIsUnknown) {
  expect_refused_file([](auto& file) { file.metadata["format_version"] = "2"; },
                      "format version 2, expected 1; make it again with this program");
}

TEST(Int8File, IsRefusedWithoutAnyOneOfItsKeys) {
  for (const std::string key :
       {"format_version", "graph", "activations", "preprocessing", "input_step", "classes",
        "source_digest", "config", "program_version"}) {
    expect_refused_file([&](auto& file) { file.metadata.erase(key); },
                        "metadata '" + key + "' is missing");
  }
}

TEST(Int8File, IsRefusedForNumbersThatAreNone) {
  expect_refused_file([](auto& file) { file.metadata["input_step"] = "\"1\""; },
                      "input_step is not a number");
  expect_refused_file([](auto& file) { file.metadata["input_step"] = "1e300"; },
                      "input_step does not fit float32");
  expect_refused_file([](auto& file) { file.metadata["activations"] = "[]"; },
                      "activations is not an object");
  expect_refused_file(
      [](auto& file) {
        file.metadata["activations"] = R"({"conv": {"scale": 1, "zero_point": 0.5}})";
      },
      "zero point of conv is not a whole number");
}

TEST(Int8File, IsRefusedForMetadataOfTheWrongType) {
  const TemporaryFolder folder;
  for (const std::string key : {"graph", "activations", "preprocessing", "classes", "priority"}) {
    for (const std::string text : {"7", "{", "[1]", R"({"conv": 1})"}) {
      save_int8_model(folder / "m", small_model());
      SafetensorsFile content = read_safetensors(folder / "m");
      content.metadata[key] = text;
      write_safetensors(folder / "m", content);
      try {
        load_int8_model(folder / "m");
        ADD_FAILURE() << key << " = " << text << " was accepted";
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::bad_data) << error.what();
      }
    }
  }
}

TEST(Int8File, IsMissingInputWhenItIsNotThere) {
  const TemporaryFolder folder;
  try {
    load_int8_model(folder / "none");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::missing_input);
  }
}

TEST(Int8Digest, ChangesWithEverythingThatDecidesIntegersOrNames) {
  std::set<std::string> digests = {int8_digest(small_model())};
  std::size_t changes = 1;
  const auto expect_new = [&](const std::function<void(Int8Model&)>& change) {
    Int8Model model = small_model();
    change(model);
    digests.insert(int8_digest(model));
    EXPECT_EQ(digests.size(), ++changes);
  };
  expect_new([](Int8Model& m) { m.weights["conv.weight"].values<std::int8_t>()[0] = 2; });
  expect_new([](Int8Model& m) { m.weights["conv.bias"].values<std::int32_t>()[0] = 11; });
  expect_new([](Int8Model& m) { m.weights["logits.weight_scale"].values<float>()[0] = 0.05f; });
  expect_new([](Int8Model& m) { m.activations["conv"].zero_point = -127; });
  expect_new([](Int8Model& m) { m.activations["mean"].scale = 0.06f; });
  expect_new([](Int8Model& m) { m.preprocessing.offset = 31.0; });
  expect_new([](Int8Model& m) { m.input_step = 2.0f; });
  expect_new([](Int8Model& m) { m.classes[0] = "shoe"; });
  expect_new([](Int8Model& m) { m.graph.append("again", Linear{2}, {"logits"}); });
}

TEST(Int8Digest, DoesNotDependOnHowTheNetworkWasMade) {
  Int8Model model = small_model();
  model.config_toml = "other";
  model.program_version = "9";
  EXPECT_EQ(int8_digest(model), int8_digest(small_model()));
  EXPECT_EQ(int8_digest(model).size(), 64u);
}

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
        m.weights["one.weight_scale"] = tensor<float>({1}, {1.0f});
        m.classes = {"only"};
      },
      "the network has one output, expected at least 2");
}

}  // namespace
}  // namespace biglittle
