// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

#include "bundle/process.h"
#include "bundle/random_int8_model.h"
#include "core/safetensors.h"
#include "engines/engine_cases.h"
#include "graph/zoo.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using testing::EngineCases;

constexpr int kNotInstalled = 69;

bool engines_required() {
  const char* value = std::getenv("BIGLITTLE_REQUIRE_ENGINES");
  return value != nullptr && std::string_view(value) == "1";
}

/// Ends the calling test: skipped, or failed where engines are required.
#define SKIP_WITHOUT(what)                                              \
  do {                                                                  \
    if (engines_required()) FAIL() << (what);                           \
    GTEST_SKIP() << (what) << " (BIGLITTLE_REQUIRE_ENGINES=1 forbids)"; \
  } while (false)

ProcessResult run_program(std::vector<std::string> arguments) {
  return run_process(arguments, BIGLITTLE_ENGINE_TESTS, std::chrono::seconds(300));
}

void expect_engines_agree(const EngineCases& cases, const std::filesystem::path& folder) {
  cases.finish();
  const auto node = find_program("node");
  if (!node) SKIP_WITHOUT("node is not installed");
  const ProcessResult result = run_program({node->string(), "run_cases.mjs", folder.string()});
  if (result.exit_code == kNotInstalled) SKIP_WITHOUT(result.output);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  // Every case ran: a script that looks at nothing must not pass.
  EXPECT_NE(
      result.output.find("wasm all " + cases.models().back().substr(folder.string().size() + 1)),
      std::string::npos)
      << result.output;
}

/// A Python that has the onnx package; a version manager's may come first on the PATH without it.
std::optional<std::string> python_with_onnx() {
  for (const char* name : {"python3", "/usr/bin/python3"}) {
    const auto python = find_program(name);
    if (python && run_program({python->string(), "-c", "import onnx"}).exit_code == 0) {
      return python->string();
    }
  }
  return std::nullopt;
}

void expect_checker_accepts(const EngineCases& cases) {
  const auto python = python_with_onnx();
  if (!python) SKIP_WITHOUT("python3-onnx is not installed");
  std::vector<std::string> arguments = {*python, "check_onnx.py"};
  arguments.insert(arguments.end(), cases.models().begin(), cases.models().end());
  const ProcessResult result = run_program(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

/// 16 graphs of random ops and sizes, bytes and floats in turn: 1,024 samples.
void add_random_int8(EngineCases& cases) {
  for (std::uint32_t seed = 1; seed <= 16; ++seed) {
    const SampleType type = seed % 4 == 0 ? SampleType::f32 : SampleType::u8;
    const Int8Model model =
        testing::random_int8_model(testing::random_graph(seed, 4 + seed), seed, type);
    cases.add_int8("random" + std::to_string(seed), model,
                   testing::random_samples(model, 64, seed));
  }
}

/// The zoo's networks over 28x28 bytes, without the batch norms that int8 networks do not have.
void add_zoo_int8(EngineCases& cases, const NetworkOptions& options, std::uint32_t seed) {
  const Graph graph = fold_graph(build_network(options, {1, 28, 28}, 4));
  const Int8Model model = testing::random_int8_model(graph, seed);
  cases.add_int8(std::string(name_of(options.arch)), model,
                 testing::random_samples(model, 64, seed));
}

TEST(Engines, OnnxRuntimeComputesTheSameAccumulatorsOfRandomNetworks) {
  const testing::TemporaryFolder folder;
  EngineCases cases(folder.path());
  add_random_int8(cases);
  expect_engines_agree(cases, folder.path());
}

TEST(Engines, OnnxRuntimeComputesTheSameAccumulatorsOfTheZoo) {
  const testing::TemporaryFolder folder;
  EngineCases cases(folder.path());
  for (std::uint32_t arch = 0; arch < EnumNames<Architecture>::names.size(); ++arch) {
    NetworkOptions options;
    options.arch = static_cast<Architecture>(arch);
    options.width = 8;
    if (options.arch == Architecture::resnet) options.depth = 8;
    add_zoo_int8(cases, options, arch + 1);
  }
  expect_engines_agree(cases, folder.path());
}

TEST(Engines, OnnxRuntimeComputesFloatNetworksWithinTolerance) {
  const testing::TemporaryFolder folder;
  EngineCases cases(folder.path());
  for (std::uint32_t seed = 1; seed <= 8; ++seed) {
    const SampleType type = seed % 2 == 0 ? SampleType::f32 : SampleType::u8;
    const Graph graph = testing::random_graph(seed, 4 + seed);
    const Int8Model model = testing::random_int8_model(graph, seed, type);
    cases.add_float("random" + std::to_string(seed), testing::random_float_network(graph, seed),
                    {type, 0.015, type == SampleType::u8 ? 120.0 : -1.25},
                    testing::random_samples(model, 16, seed));
  }
  expect_engines_agree(cases, folder.path());
}

TEST(Engines, OnnxRuntimeComputesFoldedZooNetworksWithinTolerance) {
  const testing::TemporaryFolder folder;
  EngineCases cases(folder.path());
  for (int arch = 0; arch < static_cast<int>(EnumNames<Architecture>::names.size()); ++arch) {
    NetworkOptions options;
    options.arch = static_cast<Architecture>(arch);
    options.width = 4;
    options.dropout = 0.1;
    options.relu6 = arch % 2 == 1;
    if (options.arch == Architecture::resnet) options.depth = 8;
    const Graph graph = build_network(options, {1, 28, 28}, 10);
    const Int8Model shape_only = testing::random_int8_model(fold_graph(graph), 1);
    cases.add_float(std::string(name_of(options.arch)), testing::random_float_network(graph, 3),
                    {SampleType::u8, 0.012, 73.0}, testing::random_samples(shape_only, 4, 3));
  }
  expect_engines_agree(cases, folder.path());
}

/// A folder with the three ONNX files of a bundle, and the samples that check_bundle.mjs wants.
/// `error` is added to one accumulator.
void write_checked_bundle(const std::filesystem::path& folder, std::int32_t error) {
  const Graph graph = testing::random_graph(5, 6);
  const Int8Model model = testing::random_int8_model(graph, 5);
  const Samples samples = testing::random_samples(model, 150, 5);
  EngineCases cases(folder);
  cases.add_int8("int8", model, samples);
  cases.add_float("float", testing::random_float_network(graph, 5), {SampleType::u8, 0.015, 120.0},
                  samples);
  for (const char* network : {"little", "big"}) {
    std::filesystem::create_directory(folder / network);
    std::filesystem::copy(folder / "float.onnx", folder / network / "model.onnx");
  }
  std::filesystem::copy(folder / "int8.qdq.onnx", folder / "little" / "model.int8.onnx");
  SafetensorsFile expected = read_safetensors(folder / "int8.safetensors");
  expected.tensors.at("accumulators").values<std::int32_t>()[7] += error;
  expected.tensors["logits"] = read_safetensors(folder / "float.safetensors").tensors.at("logits");
  expected.tensors["big_logits"] = expected.tensors.at("logits");
  write_safetensors(folder / "samples.safetensors", expected);
}

TEST(Engines, CheckBundleTellsOneWrongAccumulator) {
  const auto node = find_program("node");
  if (!node) SKIP_WITHOUT("node is not installed");
  for (const std::int32_t error : {0, 1}) {
    const testing::TemporaryFolder folder;
    write_checked_bundle(folder.path(), error);
    const ProcessResult result =
        run_program({node->string(), "check_bundle.mjs", folder.path().string(),
                     (folder / "samples.safetensors").string()});
    if (result.exit_code == kNotInstalled) SKIP_WITHOUT(result.output);
    EXPECT_EQ(result.exit_code, error) << result.output;
    const std::string line = error == 0 ? "ok native little/model.int8.onnx: 0 of "
                                        : "FAILED native little/model.int8.onnx: 1 of ";
    EXPECT_NE(result.output.find(line), std::string::npos) << result.output;
  }
}

TEST(Engines, OnnxCheckerAcceptsEveryExport) {
  const testing::TemporaryFolder folder;
  EngineCases cases(folder.path());
  add_random_int8(cases);
  NetworkOptions options;
  options.arch = Architecture::ds_cnn;
  add_zoo_int8(cases, options, 1);
  const Graph graph = testing::random_graph(7, 12);
  cases.add_float(
      "float", testing::random_float_network(graph, 7), {SampleType::f32, 2.0, 1.0},
      testing::random_samples(testing::random_int8_model(graph, 7, SampleType::f32), 1, 7));
  expect_checker_accepts(cases);
}

}  // namespace
}  // namespace biglittle
