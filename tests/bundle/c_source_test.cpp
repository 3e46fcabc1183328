// SPDX-License-Identifier: MIT
// Generated device code, compiled with warnings as errors and compared with the interpreter.

#include "bundle/c_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "bundle/device_cases.h"
#include "bundle/random_int8_model.h"
#include "quant/interpreter.h"
#include "testing/device_program_runner.h"
#include "testing/expect_error.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using testing::count_differences;
using testing::generate;
using testing::kStrictC99;
using testing::margin_policy;
using testing::random_graph;
using testing::random_int8_model;
using testing::random_samples;
using testing::rich_graph;

void expect_equal_to_interpreter(const Int8Model& model, const std::string& compiler,
                                 std::int64_t sample_count,
                                 const std::string& runtime = "bl_runtime.c") {
  const testing::TemporaryFolder folder;
  const EscalationPolicy policy = margin_policy(model);
  testing::write_files(folder.path(), generate(model, policy).files);
  const Samples samples = random_samples(model, sample_count, 4242);
  const auto answers = testing::run_device_code(folder.path(), compiler, samples, runtime);
  EXPECT_EQ(count_differences(model, answers, samples, policy), 0) << compiler;
}

bool is_there(const std::string& program) {
  return testing::run_command("command -v " + program).exit_code == 0;
}

struct Build {
  std::string compiler;  ///< skipped when this program is not there
  std::string flags;
};

class DeviceCode : public ::testing::TestWithParam<Build> {};

TEST_P(DeviceCode, GivesTheIntegersOfTheInterpreter) {
  if (!is_there(GetParam().compiler)) GTEST_SKIP() << GetParam().compiler << " is not installed";
  expect_equal_to_interpreter(random_int8_model(rich_graph(), 11),
                              GetParam().compiler + " " + GetParam().flags, 300);
}

INSTANTIATE_TEST_SUITE_P(
    Builds, DeviceCode,
    ::testing::Values(
        Build{"cc", kStrictC99 + "-O2"}, Build{"gcc", kStrictC99 + "-O0"},
        Build{"gcc", kStrictC99 + "-O3 -ffp-contract=off"},
        // Fused multiply-add allowed: the clamp between product and sum forbids its use.
        Build{"gcc", kStrictC99 + "-O3 -march=native -ffp-contract=fast"},
        Build{"gcc", kStrictC99 + "-O2 -DBL_SOFT_FLOAT=1"},
        Build{"gcc", kStrictC99 + "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"},
        Build{"clang", kStrictC99 + "-O0"}, Build{"clang", kStrictC99 + "-O3"},
        Build{"g++", "-x c++ -std=c++17 -Wall -Wextra -Wpedantic -Wconversion -Werror -O2"}));

TEST(DeviceSource, RandomNetworksGiveTheIntegersOfTheInterpreter) {
  const testing::TemporaryFolder folder;
  const std::string object = folder / "bl_runtime.o";
  ASSERT_EQ(testing::run_command(
                "cc -std=c99 -O2 -c " BIGLITTLE_RUNTIME_FOLDER "/bl_runtime.c -o " + object)
                .exit_code,
            0);
  for (std::uint32_t seed = 1; seed <= 24; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const SampleType type = seed % 4 == 0 ? SampleType::f32 : SampleType::u8;
    const Int8Model model = random_int8_model(random_graph(seed, 4 + seed % 9), seed, type);
    expect_equal_to_interpreter(model, "cc " + kStrictC99 + "-O0", 100, object);
  }
}

TEST(DeviceSource, DecidesBothWaysAtTheThreshold) {
  const Int8Model model = random_int8_model(rich_graph(), 11);
  const Samples samples = random_samples(model, 50, 8);
  const std::vector<std::int32_t> accumulators = Interpreter(model).run(samples, 1);
  // The margin of some priority answer: at it the device answers, one above it escalates.
  std::size_t sample = 0;
  Decision decision;
  do {
    decision = decide(std::span(accumulators).subspan(5 * sample++, 5));
  } while (decision.top >= 4);
  for (const std::int64_t above : {0, 1}) {
    const testing::TemporaryFolder folder;
    const EscalationPolicy policy = margin_policy(model, decision.margin + above);
    testing::write_files(folder.path(), generate(model, policy).files);
    const auto answers = testing::run_device_code(folder.path(), "cc -std=c99 -O1", samples);
    EXPECT_EQ(answers.at(sample - 1).escalate, above == 1);
    EXPECT_EQ(count_differences(model, answers, samples, policy), 0);
  }
}

const std::string kSelftest =
    " -DBL_SELFTEST_MAIN bl_model.c bl_runtime.c bl_selftest.c -o selftest && ./selftest";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(DeviceSelfTest, PassesAsExportedAndWithAnotherThreshold) {
  const testing::TemporaryFolder folder;
  DeviceSource source = generate(random_int8_model(rich_graph(), 11));
  const std::string command =
      "cd " + folder.path().string() + " && cc " + kStrictC99 + "-O1" + kSelftest;
  testing::write_files(folder.path(), source.files);
  EXPECT_EQ(testing::run_command(command).output, "bl_selftest: 3 vectors passed\n");
  source.files["bl_model.c"] =
      replaced(source.files["bl_model.c"], "INT64_C(5000),\n", "INT64_C(1),\n");
  testing::write_files(folder.path(), source.files);
  EXPECT_EQ(testing::run_command(command).output, "bl_selftest: 3 vectors passed\n");
}

TEST(DeviceSelfTest, NamesTheFirstVectorThatDiffers) {
  const testing::TemporaryFolder folder;
  DeviceSource source = generate(random_int8_model(rich_graph(), 11));
  source.files["bl_model.c"] = replaced(source.files["bl_model.c"], "bl_model_fc_bias[5] = {\n    ",
                                        "bl_model_fc_bias[5] = {\n    1 + ");
  testing::write_files(folder.path(), source.files);
  const auto result =
      testing::run_command("cd " + folder.path().string() + " && cc -std=c99" + kSelftest);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output, "bl_selftest: vector 1 of 3 differs\n");
}

TEST(DeviceSelfTest, RunsUnderTheShippedCMakeProject) {
  const testing::TemporaryFolder folder;
  testing::write_files(folder.path(), generate(random_int8_model(rich_graph(), 11)).files);
  const auto result = testing::run_command(
      "cd " + folder.path().string() +
      " && cmake -S . -B build && cmake --build build && ctest --test-dir build");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, ::testing::HasSubstr("100% tests passed"));
}

TEST(DeviceSource, UsesOnlyItsOwnSymbolsAndTwoOfTheCLibrary) {
  if (!is_there("nm")) GTEST_SKIP() << "nm is not installed";
  const testing::TemporaryFolder folder;
  testing::write_files(folder.path(), generate(random_int8_model(rich_graph(), 11)).files);
  const auto result = testing::run_command(
      "cd " + folder.path().string() +
      " && cc -std=c99 -O2 -fno-stack-protector -c bl_model.c bl_runtime.c bl_selftest.c"
      " && nm -g bl_model.o bl_runtime.o bl_selftest.o");
  ASSERT_EQ(result.exit_code, 0) << result.output;
  std::istringstream lines(result.output);
  int symbols = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.back() == ':') continue;
    const std::string symbol = line.substr(line.rfind(' ') + 1);
    ++symbols;
    EXPECT_TRUE(symbol.starts_with("bl_") || symbol == "memcpy" || symbol == "memset" ||
                symbol == "_GLOBAL_OFFSET_TABLE_")
        << line;
  }
  EXPECT_GT(symbols, 15);
}

TEST(DeviceSource, TheSameModelGivesTheSameText) {
  const Int8Model model = random_int8_model(rich_graph(), 11);
  EXPECT_EQ(generate(model).files, generate(model).files);
}

TEST(DeviceSource, ReportsItsFootprint) {
  Graph graph;
  graph.append("input", Input{{1, 4, 4}});
  graph.append("conv", Conv2d{2, square_window(3, 1, 1)}, {"input"});
  graph.append("mean", GlobalAvgPool{}, {"conv"});
  graph.append("fc", Linear{3}, {"mean"});
  const DeviceSource source = generate(random_int8_model(graph, 1));
  // conv: 18 weights, 2 biases, 2 multipliers; fc: 6 weights, 3 biases.
  EXPECT_EQ(source.footprint.constant_bytes, 18 + 2 * 4 + 2 * 4 + 6 + 3 * 4);
  // The conv's 32 bytes and four windows of 9, each rounded up to 12; the input is the caller's.
  EXPECT_EQ(source.footprint.arena_bytes, 32 + 4 * 12);
  // One block of 16 channels each: rows of 3 taps as 4; 2 inputs as 4.
  EXPECT_EQ(source.footprint.wide_constant_bytes, 3 * 4 * 16 + 16 * 4 + 16 * 4 + 4 * 16 + 16 * 4);
  // The input with a pixel of padding on each side, the conv's map, and what kernels read behind.
  EXPECT_EQ(source.footprint.wide_arena_bytes, 6 * 6 + 32 + 64);
  const std::string& header = source.files.at("bl_model.h");
  EXPECT_THAT(header, ::testing::HasSubstr("#define BL_MODEL_ARENA_BYTES 80\n"));
  EXPECT_THAT(header, ::testing::HasSubstr("#define BL_MODEL_ARENA_BYTES 132\n"));
}

TEST(DeviceSource, StatesHowFarAccumulatorsCanGo) {
  Graph graph;
  graph.append("input", Input{{2, 1, 1}});
  graph.append("fc", Linear{2}, {"input"});
  Int8Model model = random_int8_model(graph, 1);
  ASSERT_EQ(model.activations.at("input").zero_point, -51);  // q - z is at most 178
  const std::vector<std::int8_t> weights = {100, -127, 3, 4};
  const std::vector<std::int32_t> biases = {-1000, 50};
  model.weights.at("fc.weight") = Tensor::of<std::int8_t>({2, 2}, weights);
  model.weights.at("fc.bias") = Tensor::of<std::int32_t>({2}, biases);
  EXPECT_THAT(generate(model).files.at("README.md"),
              ::testing::HasSubstr("beyond " + std::to_string(227 * 178 + 1000) + ","));
}

TEST(DeviceSource, ShipsTheRuntimeByteForByte) {
  const DeviceSource source = generate(random_int8_model(rich_graph(), 11));
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(BIGLITTLE_RUNTIME_FOLDER)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("bl_")) continue;
    ++files;
    std::ifstream file(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    EXPECT_EQ(source.files.at(name), text.str()) << name;
  }
  EXPECT_GE(files, 7) << "the header, the source and the kernels of every form";
}

TEST(DeviceSource, KeepsClassNamesOfAnyText) {
  Graph graph;
  graph.append("input", Input{{2, 1, 1}});
  graph.append("fc", Linear{2}, {"input"});
  Int8Model model = random_int8_model(graph, 1);
  model.classes = model.priority->names = {"\"quoted\" */ ?\?/", "\xc3\xa4\n%d"};
  const testing::TemporaryFolder folder;
  testing::write_files(folder.path(), generate(model).files);
  testing::write_files(folder.path(), {{"print.c",
                                        "#include <stdio.h>\n#include \"bl_model.h\"\n"
                                        "int main(void) { fputs(bl_model_class_names[0], stdout); "
                                        "fputs(bl_model_class_names[1], stdout); return 0; }\n"}});
  const auto result = testing::run_command("cd " + folder.path().string() + " && cc " + kStrictC99 +
                                           "bl_model.c bl_runtime.c print.c -o print && ./print");
  EXPECT_EQ(result.output, "\"quoted\" */ ?\?/\xc3\xa4\n%d");
}

TEST(DeviceSource, RefusesPartsThatDoNotFit) {
  const Int8Model model = random_int8_model(rich_graph(), 11);
  const Samples vectors = random_samples(model, 2, 1);
  const std::vector<std::int32_t> accumulators(10);
  const EscalationPolicy good = margin_policy(model);
  Int8Model without = model;
  without.priority.reset();
  testing::expect_error(ErrorKind::bad_data,
                        "the int8 network has no priority classes, so there is nothing to decide "
                        "on a device; derive it with derive-little",
                        [&] { device_source(without, good, vectors, accumulators); });
  Int8Model fewer = model;
  fewer.priority->names.pop_back();
  testing::expect_error(ErrorKind::bad_data,
                        "the int8 network has 5 classes but its priority map has 4; at least 2 and "
                        "equally many are needed",
                        [&] { device_source(fewer, good, vectors, accumulators); });
  testing::expect_error(
      ErrorKind::bad_data,
      "the self-test has 2 vectors and 9 accumulators, expected at least 1 vector and 5 "
      "accumulators for each",
      [&] { device_source(model, good, vectors, std::span(accumulators).first(9)); });
  Samples floats = random_samples(random_int8_model(rich_graph(), 1, SampleType::f32), 2, 1);
  testing::expect_error(ErrorKind::bad_data,
                        "the self-test's vectors are float32 3x13x11, but the int8 network takes "
                        "uint8 3x13x11",
                        [&] { device_source(model, good, floats, accumulators); });
}

}  // namespace
}  // namespace biglittle
