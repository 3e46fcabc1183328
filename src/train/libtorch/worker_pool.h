// SPDX-License-Identifier: MIT
#pragma once

// One thread a replica, kept alive between steps. Each computes with a single LibTorch thread: two
// such replicas keep their fair share of a busy machine, where OpenMP threads wait for each other
// at every operation.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace biglittle {

class WorkerPool {
 public:
  /// `workers` >= 1; the calling thread is worker 0. Throws Error{config} when the system gives no
  /// more threads.
  explicit WorkerPool(std::int64_t workers);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  std::int64_t size() const { return static_cast<std::int64_t>(threads_.size()) + 1; }

  /// Runs job(0) ... job(size - 1) at the same time and returns when all are done; rethrows the
  /// exception of the lowest worker that threw.
  void run(const std::function<void(std::int64_t)>& job);

 private:
  void end();
  void work(std::int64_t worker);
  void run_guarded(std::int64_t worker);

  std::vector<std::thread> threads_;
  std::vector<std::exception_ptr> failures_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  const std::function<void(std::int64_t)>* job_ = nullptr;
  std::atomic<std::int64_t> round_ = 0;
  std::atomic<std::int64_t> running_ = 0;
  std::atomic<bool> stopping_ = false;
};

/// Row `worker`'s share [first, second) of `count` rows split evenly over `workers`.
std::pair<std::int64_t, std::int64_t> share(std::int64_t count, std::int64_t worker,
                                            std::int64_t workers);

}  // namespace biglittle
