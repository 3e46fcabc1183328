// SPDX-License-Identifier: MIT
// The memory that a device folder says it takes, against linker maps, the compiler's stack accounts
// and what is needed at least.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/networks.h"
#include "bundle/c_source.h"
#include "bundle/device_cases.h"
#include "bundle/device_memory.h"
#include "bundle/device_program.h"
#include "bundle/random_int8_model.h"
#include "cortex_m/cortex_m.h"
#include "install/object_files.h"
#include "testing/device_program_runner.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using ::testing::HasSubstr;

Int8Model named_network(const std::string& name) {
  if (name == "every-kernel") return testing::random_int8_model(testing::rich_graph(), 11);
  return bench::make_network(name).int8;
}

std::string section(const std::string& text, const std::string& title, const std::string& next) {
  const std::size_t first = text.find(title);
  return text.substr(first, text.find(next, first) - first);
}

class BenchNetwork : public ::testing::TestWithParam<std::string> {};

TEST_P(BenchNetwork, ConstantsAreLittleMoreThanItsWeights) {
  const Int8Model model = named_network(GetParam());
  std::int64_t weights = 0, channels = 0;
  for (const auto& [name, tensor] : model.weights) {
    if (name.ends_with(".weight")) weights += tensor.count();
    if (name.ends_with(".bias")) channels += tensor.count();
  }
  const DeviceFootprint footprint = device_footprint(model);
  EXPECT_GE(footprint.constant_bytes, weights + 4 * channels);
  EXPECT_LE(footprint.constant_bytes * 100, (weights + 9 * channels) * 105);
}

TEST_P(BenchNetwork, ArenaIsLittleMoreThanTheLargestLiveSet) {
  const Int8Model model = named_network(GetParam());
  const DeviceFootprint footprint = device_footprint(model);
  for (const DeviceLayout layout : {DeviceLayout::tight, DeviceLayout::wide}) {
    const std::int64_t least = liveness_bound(arena_tensors(plan_device_program(model, layout)));
    const bool wide = layout == DeviceLayout::wide;
    const std::int64_t arena =
        wide ? footprint.wide_arena_bytes - 64 : footprint.arena_bytes;  // what kernels read behind
    EXPECT_GE(arena, least);
    EXPECT_LE(arena * 100, least * 105) << (wide ? "wide" : "tight");
  }
}

INSTANTIATE_TEST_SUITE_P(All, BenchNetwork, ::testing::ValuesIn(bench::network_names()));

class CortexImage : public ::testing::TestWithParam<std::string> {};

TEST_P(CortexImage, TakesWhatTheReadmeStates) {
  if (!testing::has_cortex_tools()) return;
  const testing::TemporaryFolder folder;
  const Int8Model network = named_network(GetParam());
  // With the longer of the two decisions.
  DeviceSource source = testing::generate(network, testing::gate_policy(network));
  const DeviceFootprint& footprint = source.footprint;
  source.files["main.c"] = "#include \"bl_model.h\"\nint main(void) { return bl_selftest(); }\n";
  testing::write_files(folder.path(), source.files);
  const testing::CortexRun run = testing::run_on_cortex_m(folder.path(), testing::CortexCore::m4,
                                                          "-O2 -save-temps -fcallgraph-info=su");
  EXPECT_EQ(run.exit_code, 0) << run.output;

  const auto objects = testing::read_linker_map(folder / "program.map");
  const testing::ObjectBytes model = objects.at("program.elf-bl_model.o");
  const testing::ObjectBytes runtime = objects.at("program.elf-bl_runtime.o");
  EXPECT_EQ(model.zeroed, footprint.arena_bytes);
  EXPECT_EQ(runtime.zeroed, 0);
  const std::int64_t code = model.flash + runtime.flash - footprint.constant_bytes;
  EXPECT_GT(code, 0);
  EXPECT_LE(code, footprint.code_bytes);

  const std::int64_t stack = testing::deepest_stack(folder.path(), "bl_model_run");
  EXPECT_LE(stack, kDeviceStackBytes);
  EXPECT_LE(run.stack_bytes, kDeviceStackBytes);
  EXPECT_GT(run.stack_bytes, 64);  // a layer's arguments alone
  RecordProperty("model", fmt::format("{}", model.flash - footprint.constant_bytes));
  RecordProperty("code", fmt::format("{} of {}", code, footprint.code_bytes));
  RecordProperty("stack", fmt::format("{} by frames, {} by paint", stack, run.stack_bytes));

  const std::string memory = section(source.files.at("README.md"), "## Memory", "## Build");
  EXPECT_THAT(memory, HasSubstr(fmt::format("| {} | {} |\n", footprint.constant_bytes,
                                            footprint.wide_constant_bytes)));
  EXPECT_THAT(memory, HasSubstr(fmt::format("| {} | {} |\n", footprint.arena_bytes,
                                            footprint.wide_arena_bytes)));
  EXPECT_THAT(memory, HasSubstr(fmt::format("at most\n{} bytes with `-O2", footprint.code_bytes)));
  EXPECT_THAT(memory,
              HasSubstr(fmt::format("together at most {} bytes of flash and {} bytes of RAM",
                                    footprint.code_bytes + footprint.constant_bytes,
                                    footprint.arena_bytes + kDeviceStackBytes)));
}

INSTANTIATE_TEST_SUITE_P(All, CortexImage,
                         ::testing::Values("every-kernel", "resnet-8", "ds-cnn", "lenet-5"));

struct Build {
  std::string compiler;
  std::int64_t stack_bytes;
};

class Stack : public ::testing::TestWithParam<Build> {};

TEST_P(Stack, StaysWithinWhatTheReadmeStates) {
  const std::string& compiler = GetParam().compiler;
  const bool is_arm = compiler.starts_with("arm-none-eabi-gcc");
  if (is_arm && !testing::has_cortex_tools()) return;
  if (!is_arm && testing::run_command(compiler + " -E -x c /dev/null").exit_code != 0) {
    GTEST_SKIP() << "not here: " << compiler;
  }
  const testing::TemporaryFolder folder;
  testing::write_files(folder.path(), testing::generate(named_network("every-kernel")).files);
  const auto compiled =
      testing::run_command("cd " + folder.path().string() + " && " + compiler +
                           " -std=c99 -fcallgraph-info=su -c bl_model.c bl_runtime.c");
  ASSERT_EQ(compiled.exit_code, 0) << compiled.output;
  const std::int64_t stack = testing::deepest_stack(folder.path(), "bl_model_run");
  EXPECT_LE(stack, GetParam().stack_bytes) << compiler;
  EXPECT_GT(stack, 64);
  RecordProperty("stack", fmt::format("{} {}", stack, compiler));
}

INSTANTIATE_TEST_SUITE_P(
    Forms, Stack,
    ::testing::Values(
        Build{"arm-none-eabi-gcc -O3 -mthumb -mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16",
              kDeviceStackBytes},
        Build{"arm-none-eabi-gcc -O2 -mthumb -mcpu=cortex-m3", kDeviceStackBytes},
        Build{"arm-none-eabi-gcc -O3 -mthumb -mcpu=cortex-m0plus", kDeviceStackBytes},
        Build{"gcc -O2 -DBL_FORM=BL_FORM_PORTABLE", kDeviceStackBytes},
        Build{"gcc -O3 -DBL_FORM=BL_FORM_PORTABLE", kDeviceStackBytes},
        Build{"gcc -O2 -mavx2", kWideDeviceStackBytes},
        Build{"gcc -O3 -mavx2", kWideDeviceStackBytes},
        Build{"gcc -O2 -march=icelake-server", kWideDeviceStackBytes},
        Build{"gcc -O3 -march=icelake-server", kWideDeviceStackBytes},
        Build{"aarch64-linux-gnu-gcc -O3", kWideDeviceStackBytes},
        Build{"aarch64-linux-gnu-gcc -O3 -march=armv8.2-a+dotprod", kWideDeviceStackBytes}));

}  // namespace
}  // namespace biglittle
