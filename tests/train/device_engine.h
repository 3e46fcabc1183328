// SPDX-License-Identifier: MIT
#pragma once

#include "train/engine.h"

namespace biglittle::testing {

/// Trains with what a GPU would run, on the processor. Ranks sum gradients where they lie when
/// devices are connected, otherwise copies of them.
class DeviceEngine : public Engine {
 public:
  explicit DeviceEngine(bool connects_devices = true) : connects_devices_(connects_devices) {}

  FitResult fit(const FitRequest& request, Observer& observer) const override;

  /// Not for these.
  EngineInfo info() const override;
  std::vector<float> logits(const Network&, const Preprocessing&, const Samples&,
                            const ComputeOptions&) const override;
  void observe(const Network&, const Preprocessing&, const Samples&,
               const SeeActivations&) const override;
  TrainingProfile profile(const FitRequest&, std::int64_t) const override;

 private:
  bool connects_devices_;
};

}  // namespace biglittle::testing
