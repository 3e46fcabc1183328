// SPDX-License-Identifier: MIT
#pragma once

// Independent pieces of work on all cores at once.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>
#include <vector>

#include "core/cores.h"

namespace biglittle {

/// Calls work(0) to work(count - 1), each once, on every core and in no order. When some of them
/// throw, no more are begun and the exception of the lowest number is thrown: the same one as in a
/// plain loop.
template <typename Work>
void on_every_core(std::int64_t count, const Work& work) {
  std::atomic<std::int64_t> next = 0;
  std::exception_ptr failure;
  std::int64_t failed = std::numeric_limits<std::int64_t>::max();
  std::mutex failing;
  const auto run = [&] {
    // Numbers are handed out in order, so every number below a failed one has been begun.
    for (std::int64_t i = next++; i < count; i = next++) {
      try {
        work(i);
      } catch (...) {
        next = count;
        const std::scoped_lock lock(failing);
        if (i < failed) {
          failed = i;
          failure = std::current_exception();
        }
      }
    }
  };
  const auto cores = usable_cores();
  {
    std::vector<std::jthread> workers;
    for (std::int64_t core = 1; core < std::min(cores, count); ++core) workers.emplace_back(run);
    run();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace biglittle
