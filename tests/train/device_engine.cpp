// SPDX-License-Identifier: MIT
#include "train/device_engine.h"

#include <stdexcept>

#include "train/libtorch/trainer.h"

namespace biglittle::testing {

FitResult DeviceEngine::fit(const FitRequest& request, Observer& observer) const {
  const Place place = at::Device(at::kCPU);
  RankGroup ranks(request.ranks, request.compute);
  if (connects_devices_) ranks.connect_devices(place, request.compute);
  WorkerPool pool(1);
  Trainer trainer(request, place, /*use_bf16=*/false, pool, ranks, observer);
  return trainer.run();
}

EngineInfo DeviceEngine::info() const { throw std::logic_error("fit alone"); }

std::vector<float> DeviceEngine::logits(const Network&, const Preprocessing&, const Samples&,
                                        const ComputeOptions&) const {
  throw std::logic_error("fit alone");
}

void DeviceEngine::observe(const Network&, const Preprocessing&, const Samples&,
                           const SeeActivations&) const {
  throw std::logic_error("fit alone");
}

TrainingProfile DeviceEngine::profile(const FitRequest&, std::int64_t) const {
  throw std::logic_error("fit alone");
}

}  // namespace biglittle::testing
