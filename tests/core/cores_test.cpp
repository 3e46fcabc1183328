// SPDX-License-Identifier: MIT
#include "core/cores.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "testing/temporary_folder.h"

namespace biglittle::testing {
namespace {

/// A folder that limits nothing, whatever this machine does.
class UsableCores : public ::testing::Test {
 protected:
  std::int64_t with(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((cgroup_ / file).parent_path());
    std::ofstream(cgroup_ / file) << text;
    return usable_cores(cgroup_.path());
  }

  TemporaryFolder cgroup_;
  const std::int64_t all_ = usable_cores(cgroup_.path());
};

TEST_F(UsableCores, AreThoseOfTheAffinityMask) {
  std::int64_t of_one = 0;
  std::thread([&] {
    cpu_set_t mask;
    ASSERT_EQ(::sched_getaffinity(0, sizeof mask, &mask), 0);
    EXPECT_EQ(all_, CPU_COUNT(&mask));
    int core = 0;
    while (!CPU_ISSET(core, &mask)) ++core;
    CPU_ZERO(&mask);
    CPU_SET(core, &mask);
    ASSERT_EQ(::sched_setaffinity(0, sizeof mask, &mask), 0);  // of this thread alone
    of_one = usable_cores(cgroup_.path());
  }).join();
  EXPECT_EQ(of_one, 1);
}

TEST_F(UsableCores, AreFewerUnderAQuota) {
  EXPECT_EQ(with("cpu.max", "max 100000\n"), all_);
  EXPECT_EQ(with("cpu.max", "50000 100000\n"), 1);
  EXPECT_EQ(with("cpu.max", "150000 100000\n"), std::min<std::int64_t>(all_, 2));
  EXPECT_EQ(with("cpu.max", "900000000 100000\n"), all_);
  for (const char* no_quota : {"", "50000 0\n", "0 100000\n", "-1 100000\n", "50000 -1\n"}) {
    EXPECT_EQ(with("cpu.max", no_quota), all_) << no_quota;
  }
}

TEST_F(UsableCores, AreFewerUnderAQuotaOfTheFirstVersion) {
  with("cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(with("cpu/cpu.cfs_quota_us", "-1\n"), all_);
  EXPECT_EQ(with("cpu/cpu.cfs_quota_us", "100000\n"), 1);
}

}  // namespace
}  // namespace biglittle::testing
