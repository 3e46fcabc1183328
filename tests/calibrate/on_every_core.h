// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace biglittle::testing {

/// Calls work(0) to work(count - 1), each once, on every core and in no order. Rethrows the first
/// exception that one of them throws, after all have ended.
template <typename Work>
void on_every_core(std::int64_t count, const Work& work) {
  std::atomic<std::int64_t> next = 0;
  std::exception_ptr failure;
  std::mutex failing;
  {
    std::vector<std::jthread> workers;
    for (unsigned core = 0; core < std::max(1U, std::thread::hardware_concurrency()); ++core) {
      workers.emplace_back([&] {
        try {
          for (std::int64_t i = next++; i < count; i = next++) work(i);
        } catch (...) {
          const std::scoped_lock lock(failing);
          if (!failure) failure = std::current_exception();
        }
      });
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace biglittle::testing
