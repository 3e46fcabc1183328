// SPDX-License-Identifier: MIT
// Whole exported networks on bare cores: the accumulators of the interpreter, and no more
// instructions, flash and RAM than promised. QEMU counts the same on every machine, so limits can
// be tests; they hold for GCC 12 at -O2.

#include "bench/networks.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "bundle/device_cases.h"
#include "cortex_m/cortex_m.h"
#include "quant/interpreter.h"
#include "testing/temporary_folder.h"

namespace biglittle::testing {
namespace {

constexpr std::int64_t kKilobyte = 1024;

/// The first sample in the order in which a device takes it, channels innermost.
std::vector<std::uint8_t> device_sample(const Samples& samples) {
  const Shape& shape = samples.shape;
  const std::int64_t pixels = shape.height * shape.width;
  std::vector<std::uint8_t> bytes;
  for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::int64_t channel = 0; channel < shape.channels; ++channel) {
      bytes.push_back(samples.bytes()[static_cast<std::size_t>(channel * pixels + pixel)]);
    }
  }
  return bytes;
}

/// A program that runs one sample, which is part of its flash, and prints the accumulators.
std::string main_source(std::span<const std::uint8_t> sample) {
  std::string text =
      "#include \"bl_model.h\"\n#include \"cortex_device.h\"\n"
      "static const uint8_t sample[BL_MODEL_INPUT_COUNT] = {";
  for (const std::uint8_t byte : sample) text += std::to_string(byte) + ",";
  return text + R"(};
int main(void) {
  cortex_count_begin();
  const bl_result result = bl_model_run(sample);
  cortex_count_end();
  for (int32_t i = 0; i < BL_MODEL_CLASSES; ++i) {
    cortex_print_number(result.accumulators[i]);
    cortex_print(" ");
  }
  return 0;
}
)";
}

std::vector<std::int32_t> numbers(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::int32_t> values;
  for (std::int32_t value = 0; stream >> value;) values.push_back(value);
  return values;
}

struct Measured {
  CortexRun run;
  std::int64_t image_bytes = 0;  ///< without the sample
  std::int64_t arena_bytes = 0;
};

/// Exports and runs a network; its accumulators are checked here.
Measured measure(std::string_view name, CortexCore core, const std::string& flags = "-O2") {
  const bench::BenchNetwork network = bench::make_network(name);
  DeviceSource source = generate(network.int8);
  source.files.erase("bl_selftest.c");
  const std::vector<std::uint8_t> sample = device_sample(network.samples);
  source.files["main.c"] = main_source(sample);
  const TemporaryFolder folder;
  write_files(folder.path(), source.files);
  Measured measured{run_on_cortex_m(folder.path(), core, flags)};
  measured.image_bytes = measured.run.image_bytes - std::ssize(sample);
  measured.arena_bytes = source.footprint.arena_bytes;
  std::vector<std::int32_t> expected = Interpreter(network.int8).run(network.samples, 1);
  expected.resize(network.int8.classes.size());
  EXPECT_EQ(numbers(measured.run.output), expected);
  EXPECT_EQ(measured.run.exit_code, 0);
  return measured;
}

class CortexMNetworks : public ::testing::Test {
 protected:
  void SetUp() override { has_cortex_tools(); }
};

TEST_F(CortexMNetworks, Resnet8OnCortexM4) {
  const Measured resnet = measure("resnet-8", CortexCore::m4);
  EXPECT_LE(resnet.run.instructions, 20'000'000);
  EXPECT_LE(resnet.image_bytes, 84 * kKilobyte);
  EXPECT_GE(resnet.run.data_bytes, resnet.arena_bytes);
  EXPECT_LE(resnet.run.data_bytes, resnet.arena_bytes + 128) << "the arena is all of the RAM";
}

TEST_F(CortexMNetworks, DsCnnOnCortexM4) {
  const Measured ds_cnn = measure("ds-cnn", CortexCore::m4);
  EXPECT_LE(ds_cnn.run.instructions, 6'800'000);
  EXPECT_LE(ds_cnn.image_bytes, 33 * kKilobyte);
}

TEST_F(CortexMNetworks, LeNet5OnCortexM4) {
  EXPECT_LE(measure("lenet-5", CortexCore::m4).run.instructions, 1'100'000);
}

TEST_F(CortexMNetworks, MobileNetOnCortexM4) {
  EXPECT_LE(measure("mobilenet-0.25", CortexCore::m4).run.instructions, 18'000'000);
}

TEST_F(CortexMNetworks, Resnet8OnCortexM3) {
  // 1.1 times the 41.8 M of CMSIS-NN.
  EXPECT_LE(measure("resnet-8", CortexCore::m3).run.instructions, 45'980'000);
}

TEST_F(CortexMNetworks, DsCnnOnCortexM0Plus) {
  EXPECT_GT(measure("ds-cnn", CortexCore::m0_plus, "-Os").run.instructions, 2'000'000);
}

}  // namespace
}  // namespace biglittle::testing
