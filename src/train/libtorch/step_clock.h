// SPDX-License-Identifier: MIT
#pragma once

// Where the time of a training step goes. Every moment of a thread belongs to the innermost part
// that it is in, so that the parts sum to the whole. Without a running clock a part costs one look
// at a thread's own pointer.

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

namespace biglittle {

/// What a thread may be at; `waiting` is what it does between jobs.
enum class Part {
  convolution_forward,
  convolution_backward,
  norm_forward,
  norm_backward,
  pool,
  linear,
  loss,
  augmentation,
  teacher,
  optimizer,
  waiting,
  other,
};
constexpr std::size_t kParts = static_cast<std::size_t>(Part::other) + 1;

/// For people.
std::string_view name_of(Part part);

class StepClock {
 public:
  /// Begins to count the calling thread's time; one clock a thread at a time.
  void start();
  /// Ends it; from the same thread.
  void stop();

  double seconds(Part part) const { return seconds_[static_cast<std::size_t>(part)]; }

 private:
  friend class ScopedPart;
  using Time = std::chrono::steady_clock::time_point;

  Part enter(Part part);

  std::array<double, kParts> seconds_{};
  Part part_ = Part::waiting;
  Time since_;
};

/// The calling thread is at `part` while this lives, if a clock runs.
class ScopedPart {
 public:
  explicit ScopedPart(Part part);
  ~ScopedPart();
  ScopedPart(const ScopedPart&) = delete;
  ScopedPart& operator=(const ScopedPart&) = delete;

 private:
  StepClock* clock_;
  Part outer_ = Part::other;
};

/// While this lives, LibTorch's backward operations are parts of the threads whose clocks run.
class BackwardParts {
 public:
  BackwardParts();
  ~BackwardParts();
  BackwardParts(const BackwardParts&) = delete;
  BackwardParts& operator=(const BackwardParts&) = delete;

 private:
  std::size_t handle_;
};

}  // namespace biglittle
