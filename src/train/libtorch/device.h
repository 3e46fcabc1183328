// SPDX-License-Identifier: MIT
#pragma once

// Where networks compute: on the processor with this program's own operations, one replica a
// thread, or on a device of LibTorch's, one replica in all.

#include <c10/core/Device.h>

#include <cstdint>
#include <optional>
#include <string>

#include "train/engine.h"

namespace biglittle {

/// Nothing: the processor. Tests name the processor as a device to run what GPUs run.
using Place = std::optional<at::Device>;

/// Where the tensors of `place` lie.
at::Device device_of(const Place& place);

/// "cpu" or "cuda", as in FitState.
std::string name_of(const Place& place);

/// GPUs that LibTorch can use: 0 without CUDA.
std::int64_t gpu_count();

/// What the user asked for: processes of a machine take its GPUs in turn, by their `index` among
/// them. Throws Error{config} when CUDA is asked for and LibTorch has none, or no GPU. Makes cuDNN
/// choose the same, deterministic algorithms in every run and multiply float32 in float32.
Place choose_place(Device wanted, std::int64_t index);

/// bf16 arithmetic on `device` for what autocast lists as safe, in this thread, while it lives.
class AutocastScope {
 public:
  AutocastScope(at::Device device, bool enabled);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  at::Device device_;
};

/// Whether one of those for the processor lives in this thread.
bool autocasts_on_processor();

}  // namespace biglittle
