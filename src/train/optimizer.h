// SPDX-License-Identifier: MIT
#pragma once

// SGD and AdamW over all parameters as one flat array: one pass over memory a step, any slice by
// any thread, no LibTorch.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "train/engine.h"

namespace biglittle {

/// Adam's own constants.
inline constexpr float kBeta1 = 0.9f;
inline constexpr float kBeta2 = 0.999f;
inline constexpr float kEpsilon = 1e-8f;

/// How much of the averaged weights step `step` (from 1) keeps: young averages follow quickly,
/// decay = min(ema, (1 + t) / (10 + t)).
float average_decay(double ema, std::int64_t step);

class Optimizer {
 public:
  /// `decays` [P]: 1 where weight decay applies. Averaged weights (ema) start from the parameters
  /// at the first step.
  Optimizer(const TrainOptions& options, std::vector<std::uint8_t> decays);

  /// Counts a step; call once before its slices.
  void begin_step(double learning_rate);

  /// Updates parameters [begin, end). Slices of one step may run at the same time when they do not
  /// overlap. SGD: g += decay p; v = momentum v + g; p -= rate (g + momentum v) (Sutskever et al.
  /// 2013, in the form of Nesterov that LibTorch uses). AdamW: Loshchilov & Hutter 2019, algorithm
  /// 2, with betas 0.9 and 0.999, epsilon 1e-8.
  void update(std::span<float> parameters, std::span<const float> gradients, std::size_t begin,
              std::size_t end);

  /// Averaged weights, or empty when ema is 0.
  std::span<const float> averaged() const { return averaged_; }

  /// What a later optimizer of the same options needs to go on: `momentum` of SGD or Adam's first
  /// moments, Adam's second moments, averaged weights; [P] each or empty.
  struct State {
    std::span<const float> first;
    std::span<const float> second;
    std::span<const float> averaged;
  };
  std::int64_t steps() const { return steps_; }
  State state() const { return {first_, second_, averaged_}; }

  /// Goes on after `steps` steps. Throws Error{bad_data} when sizes differ from this optimizer's.
  void restore(const State& state, std::int64_t steps);

 private:
  void update_sgd(std::span<float> parameters, std::span<const float> gradients, std::size_t begin,
                  std::size_t end);
  void update_adamw(std::span<float> parameters, std::span<const float> gradients,
                    std::size_t begin, std::size_t end);

  TrainOptions options_;
  std::vector<std::uint8_t> decays_;
  std::vector<float> first_;   // momentum, or Adam's first moment
  std::vector<float> second_;  // Adam's second moment
  std::vector<float> averaged_;
  std::int64_t steps_ = 0;
  float rate_ = 0.0f;
};

}  // namespace biglittle
