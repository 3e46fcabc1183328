// SPDX-License-Identifier: MIT
#include "cortex_m/cortex_m.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>

#include "testing/device_program_runner.h"

namespace biglittle::testing {
namespace {

/// Instructions that device/start.c runs to learn how long a tick of the system timer is.
constexpr double kCalibration = 2e6;

struct Machine {
  std::string compiler_flags;
  std::string qemu_flags;
};

Machine machine_of(CortexCore core) {
  switch (core) {
    case CortexCore::m4:
      return {"-mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16", "-M mps2-an386"};
    case CortexCore::m3:
      return {"-mcpu=cortex-m3", "-M mps2-an385"};
    case CortexCore::m0_plus:
      // With the memory that device/cortex.ld promises, more than the real board has.
      return {"-mcpu=cortex-m0plus",
              "-M microbit -global nrf51-soc.flash-size=0x200000 "
              "-global nrf51-soc.sram-size=0x100000"};
  }
  throw std::logic_error("unknown core");
}

std::string quoted(const std::filesystem::path& path) { return fmt::format("'{}'", path.string()); }

std::string checked_output(const std::string& command) {
  const CommandResult result = run_command(command);
  if (result.exit_code != 0) throw std::runtime_error(command + ":\n" + result.output);
  return result.output;
}

void build(const std::filesystem::path& folder, const Machine& machine, const std::string& flags) {
  const std::filesystem::path device = std::filesystem::path(BIGLITTLE_CORTEX_M) / "device";
  checked_output(fmt::format(
      "cd {} && arm-none-eabi-gcc -std=c99 -mthumb -ffp-contract=off -ffunction-sections "
      "-fdata-sections --specs=nano.specs -nostartfiles {} {} -I . -I {} *.c {} {} -T {} "
      "-Wl,--gc-sections -Wl,-Map=program.map -o program.elf",
      quoted(folder), machine.compiler_flags, flags, quoted(device), quoted(device / "start.c"),
      quoted(device / "system_calls.c"), quoted(device / "cortex.ld")));
}

/// Sizes from the columns text, data, bss of arm-none-eabi-size.
void read_sizes(const std::filesystem::path& folder, CortexRun& run) {
  std::istringstream table(checked_output(
      fmt::format("arm-none-eabi-size {} | tail -n 1", quoted(folder / "program.elf"))));
  std::int64_t text = 0, data = 0, bss = 0;
  if (!(table >> text >> data >> bss)) throw std::runtime_error("unreadable: " + table.str());
  run.image_bytes = text + data;
  run.data_bytes = data + bss;
}

/// Takes the last line, written by device/start.c, off the output.
void read_report(CortexRun& run) {
  const std::string mark = "\n@cortex-m ";
  const std::size_t place = run.output.rfind(mark);
  if (place == std::string::npos) {
    throw std::runtime_error("the program did not reach its end:\n" + run.output);
  }
  std::istringstream line(run.output.substr(place + mark.size()));
  std::uint64_t high = 0, low = 0, calibration = 0;
  if (!(line >> high >> low >> calibration >> run.stack_bytes) || calibration == 0) {
    throw std::runtime_error("unreadable report:\n" + run.output);
  }
  const double ticks = static_cast<double>((high << 32) + low);
  run.instructions = std::llround(ticks * kCalibration / static_cast<double>(calibration));
  run.output.resize(place);
}

}  // namespace

std::string missing_cortex_tools() {
  std::string missing;
  for (const char* tool : {"arm-none-eabi-gcc", "arm-none-eabi-size", "qemu-system-arm"}) {
    if (run_command(std::string("command -v ") + tool).exit_code == 0) continue;
    missing += (missing.empty() ? "" : ", ") + std::string(tool);
  }
  return missing;
}

bool has_cortex_tools() {
  const std::string missing = missing_cortex_tools();
  if (missing.empty()) return true;
  const char* required = std::getenv("BIGLITTLE_REQUIRE_ENGINES");
  if (required != nullptr && std::strcmp(required, "1") == 0) {
    ADD_FAILURE() << "not installed: " << missing;
  } else {
    [&] { GTEST_SKIP() << "not installed: " << missing; }();
  }
  return false;
}

CortexRun run_on_cortex_m(const std::filesystem::path& folder, CortexCore core,
                          const std::string& flags, std::chrono::seconds limit) {
  const Machine machine = machine_of(core);
  build(folder, machine, flags);
  const CommandResult result = run_command(
      fmt::format("cd {} && timeout {} qemu-system-arm -nographic -monitor none -serial none "
                  "-icount shift=0 -semihosting-config enable=on,target=native {} "
                  "-kernel program.elf",
                  quoted(folder), limit.count(), machine.qemu_flags));
  CortexRun run;
  run.exit_code = result.exit_code;
  run.output = result.output;
  read_report(run);
  read_sizes(folder, run);
  return run;
}

}  // namespace biglittle::testing
