// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "core/files.h"
#include "core/safetensors.h"
#include "quant/int8_model.h"
#include "quant/random_model.h"
#include "quant/small_model.h"
#include "testing/expect_error.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using testing::expect_error;
using testing::small_model;
using testing::TemporaryFolder;

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

}  // namespace
}  // namespace biglittle
