// SPDX-License-Identifier: MIT
#include "train/libtorch/worker_pool.h"

#include <ATen/Parallel.h>
#include <fmt/core.h>

#include <chrono>
#include <system_error>
#include <utility>

#include "core/error.h"

namespace biglittle {
namespace {

// What a thread that waits is willing to spend on asking instead of sleeping: about the time to be
// woken, so that at worst it loses as much as it may gain, on a busy machine, too.
constexpr std::chrono::microseconds kAskingTime(50);

template <typename Condition>
void ask_a_while(const Condition& holds) {
  const auto start = std::chrono::steady_clock::now();
  while (!holds() && std::chrono::steady_clock::now() - start < kAskingTime) {
  }
}

}  // namespace

WorkerPool::WorkerPool(std::int64_t workers) : failures_(static_cast<std::size_t>(workers)) {
  at::set_num_threads(1);
  try {
    for (std::int64_t worker = 1; worker < workers; ++worker) {
      threads_.emplace_back([this, worker] { work(worker); });
    }
  } catch (const std::system_error& error) {
    end();
    throw Error(ErrorKind::config,
                fmt::format("cannot start {} threads ({}): set compute.threads to fewer", workers,
                            error.code().message()));
  }
}

WorkerPool::~WorkerPool() { end(); }

void WorkerPool::end() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::run(const std::function<void(std::int64_t)>& job) {
  {
    const std::lock_guard lock(mutex_);
    job_ = &job;
    running_ = static_cast<std::int64_t>(threads_.size());
    ++round_;
  }
  wake_.notify_all();
  run_guarded(0);
  ask_a_while([this] { return running_ == 0; });
  {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return running_ == 0; });
  }
  std::exception_ptr first;
  for (std::exception_ptr& failure : failures_) {
    const std::exception_ptr one = std::exchange(failure, nullptr);
    if (!first) first = one;
  }
  if (first) std::rethrow_exception(first);
}

void WorkerPool::run_guarded(std::int64_t worker) {
  try {
    (*job_)(worker);
  } catch (...) {
    failures_[static_cast<std::size_t>(worker)] = std::current_exception();
  }
}

void WorkerPool::work(std::int64_t worker) {
  at::set_num_threads(1);
  std::int64_t seen = 0;
  while (true) {
    ask_a_while([&] { return stopping_ || round_ != seen; });
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || round_ != seen; });
      if (stopping_) return;
      seen = round_;
    }
    run_guarded(worker);
    const std::lock_guard lock(mutex_);
    if (--running_ == 0) done_.notify_one();
  }
}

std::pair<std::int64_t, std::int64_t> share(std::int64_t count, std::int64_t worker,
                                            std::int64_t workers) {
  return {count * worker / workers, count * (worker + 1) / workers};
}

}  // namespace biglittle
