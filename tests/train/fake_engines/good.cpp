// SPDX-License-Identifier: MIT
// An engine library that load_engine accepts; it computes nothing. Its machine is a new one that
// OpenBLAS takes for an old one.

#include <cstdlib>

#include "core/version.h"
#include "train/engine.h"

namespace biglittle {
namespace {

class FakeEngine : public Engine {
 public:
  EngineInfo info() const override {
    EngineInfo info;
    info.libtorch_version = "fake";
    info.blas = "OpenBLAS for Prescott";
    info.has_avx2 = true;
    info.has_avx512 = true;
    const char* const onednn = std::getenv("FAKE_ONEDNN");
    info.onednn = onednn == nullptr ? "2.7.3" : onednn;
    info.fp32_gflops = 32.0;
    return info;
  }
  FitResult fit(const FitRequest&, Observer&) const override { return {}; }
  std::vector<float> logits(const Network&, const Preprocessing&, const Samples&,
                            const ComputeOptions&) const override {
    return {};
  }
  void observe(const Network&, const Preprocessing&, const Samples&,
               const SeeActivations&) const override {}
  TrainingProfile profile(const FitRequest&, std::int64_t) const override { return {}; }
};

}  // namespace
}  // namespace biglittle

extern "C" const biglittle::Engine* biglittle_engine() {
  static const biglittle::FakeEngine engine;
  return &engine;
}

extern "C" const char* biglittle_engine_version() { return biglittle::program_version().data(); }
