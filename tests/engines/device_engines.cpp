// SPDX-License-Identifier: MIT
#include "engines/device_engines.h"

#include <fmt/format.h>

#include <stdexcept>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "bundle/process.h"
#include "core/files.h"

namespace biglittle::testing {
namespace {

#if defined(__x86_64__)
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool has_avx_vnni() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return has_avx2() && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax >> 4 & 1u) != 0;
}
bool has_avx512_vnni() {
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi");
}
#else
bool has_avx2() { return false; }
bool has_avx_vnni() { return false; }
bool has_avx512_vnni() { return false; }
#endif
bool any_processor() { return true; }

struct Form {
  std::string name;
  std::string flags;
  bool (*processor_has)() = any_processor;
};

const Form kPortable = {"portable", "-DBL_FORM=BL_FORM_PORTABLE"};
const Form kSoftFloat = {"portable, integers only", "-DBL_FORM=BL_FORM_PORTABLE -DBL_SOFT_FLOAT=1"};

/// Contraction is allowed: no result may depend on it.
std::string command(const std::string& compiler, const std::string& level, const Form& form) {
  return compiler + " -std=c99 -ffp-contract=fast " + level + " " + form.flags;
}

void add_native(std::vector<DeviceEngine>& engines) {
  const Form forms[] = {
      kPortable,
      kSoftFloat,
      {"AVX2", "-mavx2 -mfma", has_avx2},
      {"AVX-VNNI", "-mavx2 -mfma -mavxvnni", has_avx_vnni},
      {"AVX-512 VNNI", "-mavx512f -mavx512bw -mavx512vl -mavx512vnni -mavx512vbmi",
       has_avx512_vnni}};
  for (const Form& form : forms) {
    for (const std::string compiler : {"gcc", "clang"}) {
      for (const std::string level : {"-O0", "-O2", "-O3"}) {
        engines.push_back({fmt::format("{} {} {}", compiler, level, form.name),
                           {compiler},
                           command(compiler, level, form),
                           "",
                           form.processor_has,
                           {}});
      }
    }
  }
}

void add_aarch64(std::vector<DeviceEngine>& engines) {
  const Form forms[] = {
      kPortable, {"NEON", "-march=armv8-a"}, {"NEON dot product", "-march=armv8.2-a+dotprod"}};
  const std::pair<std::string, std::string> compilers[] = {
      {"gcc", "aarch64-linux-gnu-gcc -static"},
      {"clang", "clang --target=aarch64-linux-gnu -static"}};
  for (const Form& form : forms) {
    for (const auto& [name, compiler] : compilers) {
      for (const std::string level : {"-O0", "-O2", "-O3"}) {
        // Another compiler and level are another program, not another processor: a few suffice.
        if (name == "clang" && level != "-O2") continue;
        engines.push_back(
            {fmt::format("AArch64 {} {} {}", name, level, form.name),
             {compiler.substr(0, compiler.find(' ')), "aarch64-linux-gnu-gcc", "qemu-aarch64"},
             command(compiler, level, form),
             "qemu-aarch64 ",
             any_processor,
             {}});
      }
    }
  }
}

void add_cortex_m(std::vector<DeviceEngine>& engines) {
  const std::pair<std::string, CortexCore> cores[] = {{"Cortex-M4", CortexCore::m4},
                                                      {"Cortex-M3", CortexCore::m3},
                                                      {"Cortex-M0+", CortexCore::m0_plus}};
  for (const auto& [name, core] : cores) {
    for (const std::string level : {"-O2", "-Os"}) {
      engines.push_back({name + " " + level,
                         {"arm-none-eabi-gcc", "arm-none-eabi-size", "qemu-system-arm"},
                         level,
                         "",
                         any_processor,
                         core});
    }
  }
}

std::string checked_output(const std::string& command) {
  CommandResult result = run_command(command);
  if (result.exit_code != 0) {
    throw std::runtime_error(
        fmt::format("{}\nexit code {}\n{}", command, result.exit_code, result.output));
  }
  return std::move(result.output);
}

std::string quoted(const std::filesystem::path& path) { return fmt::format("'{}'", path.string()); }

}  // namespace

std::vector<DeviceEngine> device_engines() {
  std::vector<DeviceEngine> engines;
  add_native(engines);
  add_aarch64(engines);
  add_cortex_m(engines);
  return engines;
}

std::string missing_for(const DeviceEngine& engine) {
  for (const std::string& program : engine.programs) {
    if (!find_program(program)) return program + " is not installed";
  }
  return engine.processor_has() ? "" : kNoProcessor;
}

void compile_runtime(const DeviceEngine& engine, const std::filesystem::path& folder,
                     const std::filesystem::path& object) {
  checked_output(fmt::format("cd {} && {} -I. -c bl_runtime.c -o {}", quoted(folder),
                             engine.compiler, quoted(object)));
}

void compile_fleet(const DeviceEngine& engine, const std::filesystem::path& folder,
                   const std::filesystem::path& runtime, const std::filesystem::path& program) {
  checked_output(fmt::format("cd {} && {} -I. networks.c " BIGLITTLE_FLEET
                             "/fleet_batch.c {} -o {}",
                             quoted(folder), engine.compiler, quoted(runtime), quoted(program)));
}

std::string run_fleet(const DeviceEngine& engine, const std::filesystem::path& program,
                      std::int64_t count, const std::filesystem::path& samples) {
  return checked_output(
      fmt::format("{} {} {} < {}", engine.runner, quoted(program), count, quoted(samples)));
}

EngineProgram::EngineProgram(DeviceEngine engine, std::filesystem::path folder, std::string tag)
    : engine_(std::move(engine)), folder_(std::move(folder)), tag_(std::move(tag)) {}

std::int64_t EngineProgram::count_differing(const std::vector<FleetMember>& fleet,
                                            std::int64_t count,
                                            const std::filesystem::path& samples) const {
  if (engine_.core) {
    return testing::count_differing(fleet, count, run_on_core(count, samples));
  }
  const std::filesystem::path runtime = folder_ / ("runtime" + tag_ + ".o");
  const std::filesystem::path program = folder_ / ("fleet" + tag_);
  compile_runtime(engine_, folder_, runtime);
  compile_fleet(engine_, folder_, runtime, program);
  return testing::count_differing(fleet, count, run_fleet(engine_, program, count, samples));
}

std::string EngineProgram::run_on_core(std::int64_t count,
                                       const std::filesystem::path& samples) const {
  // networks.c would define every network twice where all .c files are built.
  const std::filesystem::path bare = folder_ / ("cortex_m" + tag_);
  std::filesystem::create_directories(bare);
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("bl_") || name == "fleet.h") std::filesystem::copy(entry.path(), bare);
  }
  std::filesystem::copy(BIGLITTLE_FLEET "/fleet_cortex_m.c", bare);
  std::filesystem::create_symlink(samples, bare / "samples.bin");
  const CortexRun run = run_on_cortex_m(
      bare, *engine_.core,
      fmt::format("{} -DFLEET_SAMPLES={} -I" BIGLITTLE_FLEET, engine_.compiler, count),
      std::chrono::hours(6));
  if (run.exit_code != 0) {
    throw std::runtime_error(fmt::format("exit code {}\n{}", run.exit_code, run.output));
  }
  return read_text(bare / "answers.bin", std::size_t{1} << 32);
}

}  // namespace biglittle::testing
