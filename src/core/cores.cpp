// SPDX-License-Identifier: MIT
#include "core/cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <thread>

namespace biglittle {
namespace {

/// The first number of `file`; 0 where there is none.
double number_in(const std::filesystem::path& file) {
  std::ifstream stream(file);
  double number = 0.0;
  return stream >> number ? number : 0.0;
}

/// Processor time over wall time; nothing where there is no limit. Version 2 has both numbers in
/// one file, with "max" in place of the first without a limit; version 1 has two, with -1.
std::optional<double> quota_in(const std::filesystem::path& cgroup) {
  double time = 0.0;
  double period = 0.0;
  if (std::ifstream both(cgroup / "cpu.max"); !(both >> time >> period)) {
    time = number_in(cgroup / "cpu/cpu.cfs_quota_us");
    period = number_in(cgroup / "cpu/cpu.cfs_period_us");
  }
  if (time <= 0.0 || period <= 0.0) return std::nullopt;
  return time / period;
}

}  // namespace

std::int64_t usable_cores(const std::filesystem::path& cgroup) {
  cpu_set_t mask;
  // It fails where the system has more cores than the mask has bits.
  std::int64_t cores = ::sched_getaffinity(0, sizeof mask, &mask) == 0
                           ? CPU_COUNT(&mask)
                           : std::int64_t{std::thread::hardware_concurrency()};
  if (const std::optional<double> quota = quota_in(cgroup)) {
    cores = std::min(cores, static_cast<std::int64_t>(std::ceil(*quota)));
  }
  return std::max<std::int64_t>(1, cores);
}

}  // namespace biglittle
