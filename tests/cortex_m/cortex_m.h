// SPDX-License-Identifier: MIT
#pragma once

// Compiles C programs for bare Cortex-M cores and runs them in QEMU, which counts instructions: the
// same program gives the same number on every machine. Start-up code, linker script and output by
// semihosting are in device/; no board support is needed.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

namespace biglittle::testing {

enum class CortexCore {
  m4,      ///< Armv7E-M with DSP instructions and a single-precision unit
  m3,      ///< Armv7-M, without either
  m0_plus  ///< Armv6-M; runs on a Cortex-M0, which has the same instructions
};

/// What one program said and took.
struct CortexRun {
  int exit_code = 0;   ///< of main()
  std::string output;  ///< printf and cortex_print
  /// Between cortex_count_begin() and cortex_count_end() of device/cortex_device.h, to within 100;
  /// of the whole of main() where it calls neither.
  std::int64_t instructions = 0;
  std::int64_t image_bytes = 0;  ///< flash: code, constants, initial values
  std::int64_t data_bytes = 0;   ///< static RAM
  std::int64_t stack_bytes = 0;  ///< the deepest that the stack reached
};

/// The tools that are missing, in words; empty when programs can be built and run.
std::string missing_cortex_tools();

/// True when the tools are there. Otherwise the running test is skipped, or fails where the
/// environment says BIGLITTLE_REQUIRE_ENGINES=1; it should return at once.
bool has_cortex_tools();

/// Builds all .c files of `folder` with `flags` (such as "-O2 -DNAME=1"), leaves program.elf and
/// program.map there and runs it in `folder`. Throws std::runtime_error with the tools' output when
/// that fails or takes longer than `limit`.
CortexRun run_on_cortex_m(const std::filesystem::path& folder, CortexCore core,
                          const std::string& flags,
                          std::chrono::seconds limit = std::chrono::minutes(5));

}  // namespace biglittle::testing
