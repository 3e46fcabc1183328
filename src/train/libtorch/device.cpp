// SPDX-License-Identifier: MIT
#include "train/libtorch/device.h"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <fmt/core.h>
#include <torch/version.h>

#include "core/error.h"

namespace biglittle {
namespace {

void autocast_in_bf16(at::Device device, bool enabled) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  at::autocast::set_autocast_dtype(device.type(), at::kBFloat16);
  at::autocast::set_autocast_enabled(device.type(), enabled);
#else
  if (device.is_cuda()) {
    at::autocast::set_autocast_gpu_dtype(at::kBFloat16);
    at::autocast::set_enabled(enabled);
  } else {
    at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
    at::autocast::set_cpu_enabled(enabled);
  }
#endif
}

}  // namespace

at::Device device_of(const Place& place) { return place.value_or(at::Device(at::kCPU)); }

std::string name_of(const Place& place) { return device_of(place).is_cuda() ? "cuda" : "cpu"; }

std::int64_t gpu_count() {
  return at::hasCUDA() ? c10::impl::VirtualGuardImpl(at::kCUDA).deviceCount() : 0;
}

Place choose_place(Device wanted, std::int64_t index) {
  if (wanted == Device::cpu) return std::nullopt;
  const std::int64_t gpus = gpu_count();
  if (gpus == 0) {
    if (wanted == Device::automatic) return std::nullopt;
    throw Error(ErrorKind::config,
                fmt::format("compute.device = \"cuda\", but LibTorch {} {}: {}, or set "
                            "compute.device = \"auto\"",
                            TORCH_VERSION, at::hasCUDA() ? "finds no GPU" : "came without CUDA",
                            at::hasCUDA() ? "see what nvidia-smi says"
                                          : "build against one with CUDA (docs/gpu.md)"));
  }
  at::globalContext().setDeterministicCuDNN(true);
  at::globalContext().setBenchmarkCuDNN(false);
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setAllowTF32CuBLAS(false);
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index % gpus));
}

AutocastScope::AutocastScope(at::Device device, bool enabled) : device_(device) {
  at::autocast::set_autocast_cache_enabled(false);  // each weight is used once a step
  autocast_in_bf16(device_, enabled);
}

AutocastScope::~AutocastScope() { autocast_in_bf16(device_, false); }

bool autocasts_on_processor() {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  return at::autocast::is_autocast_enabled(at::kCPU);
#else
  return at::autocast::is_cpu_enabled();
#endif
}

}  // namespace biglittle
