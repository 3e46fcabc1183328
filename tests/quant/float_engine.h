// SPDX-License-Identifier: MIT
#pragma once

// An Engine of plain double loops: float inference without LibTorch, for tests of what needs an
// engine. It cannot train.

#include "train/engine.h"

namespace biglittle::testing {

class FloatEngine : public Engine {
 public:
  /// Samples per batch given to observe's callback.
  explicit FloatEngine(std::int64_t batch = 7) : batch_(batch) {}

  EngineInfo info() const override { return {}; }
  FitResult fit(const FitRequest& request, Observer& observer) const override;
  TrainingProfile profile(const FitRequest& request, std::int64_t steps) const override;
  std::vector<float> logits(const Network& network, const Preprocessing& preprocessing,
                            const Samples& samples, const ComputeOptions& compute) const override;
  void observe(const Network& network, const Preprocessing& preprocessing, const Samples& samples,
               const SeeActivations& see) const override;

 private:
  std::int64_t batch_;
};

}  // namespace biglittle::testing
