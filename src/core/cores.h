// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>

namespace biglittle {

/// Cores that this process may keep busy, at least 1: those of its affinity mask (taskset, job
/// schedulers), or fewer where the quota of a container in `cgroup` (version 1 or 2) is less time
/// than they have, rounded up.
std::int64_t usable_cores(const std::filesystem::path& cgroup = "/sys/fs/cgroup");

}  // namespace biglittle
