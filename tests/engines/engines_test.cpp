// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

#include "bundle/process.h"
#include "bundle/random_int8_model.h"
#include "calibrate/policy.h"
#include "core/files.h"
#include "core/safetensors.h"
#include "engines/decisions.h"
#include "engines/engine_cases.h"
#include "graph/zoo.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using testing::add_decisions;
using testing::EngineCases;
using ::testing::HasSubstr;

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
    if (options.arch == Architecture::mlp || options.arch == Architecture::resnet) {
      cases.add_float(std::string(name_of(options.arch)) + "-mirror",
                      testing::random_float_network(graph, 3), {SampleType::u8, 0.012, 73.0, true},
                      testing::random_samples(shape_only, 4, 3));
    }
  }
  expect_engines_agree(cases, folder.path());
}

/// What is wrong with the samples that check_bundle.mjs is given.
enum class Wrong { nothing, accumulator, score };

/// A gate with a threshold for every class; each class answers about half of its inputs.
EscalationPolicy gate_policy(const PriorityMap& map) {
  EscalationPolicy policy;
  policy.rule = {ScoreKind::gate, 170001, 90017, {}};
  for (std::int64_t i = 0; i < map.classes(); ++i) {
    policy.rule.offsets.push_back((std::int64_t{1} << 50) - 1000 * i);
    policy.thresholds.push_back((std::int64_t{1} << 50) + 1000000000 + i);
  }
  return policy;
}

/// A folder with a bundle's three ONNX files, policy and classes, and the samples that
/// check_bundle.mjs wants.
void write_checked_bundle(const std::filesystem::path& folder, Wrong wrong) {
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
  const PriorityMap& map = *model.priority;
  const EscalationPolicy policy = gate_policy(map);
  add_decisions(expected, policy, map);
  if (wrong == Wrong::accumulator) {
    expected.tensors.at("accumulators").values<std::int32_t>()[7] += 1;
  } else if (wrong == Wrong::score) {
    expected.tensors.at("score").values<std::int64_t>()[7] += 1;
  }
  write_file(folder / "policy.json", to_text(to_json(policy)));
  const Json other = map.has_other ? Json(map.priorities()) : Json(nullptr);
  write_file(folder / "classes.json", to_text({{"other", other}}));
  expected.tensors["logits"] = read_safetensors(folder / "float.safetensors").tensors.at("logits");
  expected.tensors["big_logits"] = expected.tensors.at("logits");
  write_safetensors(folder / "samples.safetensors", expected);
}

TEST(Engines, CheckBundleTellsOneWrongInteger) {
  const auto node = find_program("node");
  if (!node) SKIP_WITHOUT("node is not installed");
  const auto line = [](Wrong wrong, Wrong about, const std::string& what) {
    return fmt::format("{} native little/model.int8.onnx{}: {} of ",
                       wrong == about ? "FAILED" : "ok", what, wrong == about ? 1 : 0);
  };
  for (const Wrong wrong : {Wrong::nothing, Wrong::accumulator, Wrong::score}) {
    const testing::TemporaryFolder folder;
    write_checked_bundle(folder.path(), wrong);
    const ProcessResult result =
        run_program({node->string(), "check_bundle.mjs", folder.path().string(),
                     (folder / "samples.safetensors").string()});
    if (result.exit_code == kNotInstalled) SKIP_WITHOUT(result.output);
    EXPECT_EQ(result.exit_code, wrong == Wrong::nothing ? 0 : 1) << result.output;
    EXPECT_THAT(result.output, HasSubstr(line(wrong, Wrong::accumulator, "")));
    EXPECT_THAT(result.output, HasSubstr(line(wrong, Wrong::score, " score")));
    EXPECT_THAT(result.output, HasSubstr("ok wasm little/model.int8.onnx escalate: 0 of 150"));
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
