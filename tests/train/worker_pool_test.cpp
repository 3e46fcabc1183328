// SPDX-License-Identifier: MIT
#include "train/libtorch/worker_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace biglittle {
namespace {

TEST(WorkerPool, RunsEachWorkerOnceAJobOnAThreadOfItsOwn) {
  for (const std::int64_t size : {1, 2, 7}) {
    WorkerPool pool(size);
    ASSERT_EQ(pool.size(), size);
    std::vector<std::thread::id> threads(static_cast<std::size_t>(size));
    std::vector<std::atomic<int>> runs(static_cast<std::size_t>(size));
    for (int round = 0; round < 200; ++round) {
      pool.run([&](std::int64_t worker) {
        threads[static_cast<std::size_t>(worker)] = std::this_thread::get_id();
        ++runs[static_cast<std::size_t>(worker)];
      });
      for (const std::atomic<int>& count : runs) ASSERT_EQ(count, round + 1);
    }
    EXPECT_EQ(threads.front(), std::this_thread::get_id());
    std::ranges::sort(threads);
    EXPECT_EQ(std::ranges::adjacent_find(threads), threads.end());
  }
}

TEST(WorkerPool, ThrowsTheLowestWorkersExceptionAndThenWorksOn) {
  WorkerPool pool(4);
  const auto throw_from = [](std::int64_t first) {
    return [first](std::int64_t worker) {
      if (worker >= first) throw std::runtime_error("worker " + std::to_string(worker));
    };
  };
  for (const std::int64_t first : {0, 2, 3}) {
    try {
      pool.run(throw_from(first));
      FAIL() << "expected an exception";
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), "worker " + std::to_string(first));
    }
    EXPECT_NO_THROW(pool.run([](std::int64_t) {}));  // nothing is left of the others' exceptions
  }
}

TEST(WorkerPool, SharesRowsWithoutAGap) {
  for (const std::int64_t count : {0, 1, 5, 8, 100}) {
    for (const std::int64_t workers : {1, 3, 8}) {
      std::int64_t next = 0;
      for (std::int64_t worker = 0; worker < workers; ++worker) {
        const auto [begin, end] = share(count, worker, workers);
        EXPECT_EQ(begin, next);
        EXPECT_LE(end - begin, count / workers + 1);
        next = end;
      }
      EXPECT_EQ(next, count);
    }
  }
}

}  // namespace
}  // namespace biglittle
