// SPDX-License-Identifier: MIT
#pragma once

// Every way in which generated C code is compiled and run: compilers, levels of optimization, forms
// of the kernels, processors. One table; a new engine is a new row.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cortex_m/cortex_m.h"
#include "engines/fleet.h"

namespace biglittle::testing {

/// An engine of the table.
struct DeviceEngine {
  std::string name;                     ///< "gcc -O2 avx2"
  std::vector<std::string> programs;    ///< what must be installed
  std::string compiler;                 ///< with the flags
  std::string runner;                   ///< before the program's name; empty: this machine
  std::function<bool()> processor_has;  ///< whether this machine can run it
  std::optional<CortexCore> core;       ///< compiler and runner are those of run_on_cortex_m
};

/// All of them, however this machine is equipped.
std::vector<DeviceEngine> device_engines();

/// Why an engine cannot run here: "gcc is not installed", or kNoProcessor; empty: it can.
std::string missing_for(const DeviceEngine& engine);
inline constexpr const char* kNoProcessor = "this processor does not have it";

/// A fleet in `folder` (write_fleet) as one program of an engine. `tag` keeps the files of engines
/// apart that share the folder.
class EngineProgram {
 public:
  EngineProgram(DeviceEngine engine, std::filesystem::path folder, std::string tag);

  /// How many answers differ over `count` samples of each network of `fleet`, read from `samples`
  /// (write_fleet_samples). Throws std::runtime_error with the output of a command that fails; on
  /// Cortex-M also when a network fails its self-test.
  std::int64_t count_differing(const std::vector<FleetMember>& fleet, std::int64_t count,
                               const std::filesystem::path& samples) const;

 private:
  std::string run_on_core(std::int64_t count, const std::filesystem::path& samples) const;

  DeviceEngine engine_;
  std::filesystem::path folder_;
  std::string tag_;
};

/// Compiles the runtime in `folder` for an engine. Throws std::runtime_error with the compiler's
/// output.
void compile_runtime(const DeviceEngine& engine, const std::filesystem::path& folder,
                     const std::filesystem::path& object);

/// Compiles the networks in `folder` and links them with `runtime` to `program`.
void compile_fleet(const DeviceEngine& engine, const std::filesystem::path& folder,
                   const std::filesystem::path& runtime, const std::filesystem::path& program);

/// Runs such a program and returns what it wrote.
std::string run_fleet(const DeviceEngine& engine, const std::filesystem::path& program,
                      std::int64_t count, const std::filesystem::path& samples);

}  // namespace biglittle::testing
