// SPDX-License-Identifier: MIT
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "graph/cost.h"
#include "train/batch.h"
#include "train/libtorch/seconds.h"
#include "train/libtorch/step_clock.h"
#include "train/libtorch/trainer.h"

namespace biglittle {
namespace {

using Clock = std::chrono::steady_clock;

// Caches, oneDNN's kernels and the allocator's blocks are made in the first steps.
constexpr std::int64_t kWarmUpSteps = 5;

bool reads_the_input(const Graph& graph, const Node& node) {
  return std::holds_alternative<Input>(graph.node(node.inputs.front()).op);
}

double operations_of_a_sample(const Graph& graph) {
  double operations = 0.0;
  for (const NodeCost& cost : count_cost(graph).nodes) {
    if (cost.macs == 0) continue;
    const double products = reads_the_input(graph, graph.node(cost.name)) ? 2.0 : 3.0;
    operations += 2.0 * products * static_cast<double>(cost.macs);
  }
  return operations;
}

double measure_peak_gflops(WorkerPool& pool, at::Device device, at::ScalarType type) {
  constexpr std::int64_t kImages = 16;  // of fewer LibTorch multiplies by the slower BLAS
  constexpr std::int64_t kSide = 8;
  constexpr std::int64_t kSize = kImages * kSide * kSide;
  constexpr std::int64_t kProducts = 8;
  const at::TensorOptions options = at::TensorOptions(type).device(device);
  std::vector<double> seconds;
  for (int round = 0; round < 4; ++round) {  // the first one pays for set-up
    const auto start = Clock::now();
    pool.run([&](std::int64_t) {
      const c10::NoGradGuard no_gradients;
      // As a convolution of 1 x 1, so that the same library multiplies as in the network.
      const at::Tensor x = at::ones({kImages, kSize, kSide, kSide}, options)
                               .contiguous(at::MemoryFormat::ChannelsLast);
      const at::Tensor weight = at::ones({kSize, kSize, 1, 1}, options);
      at::Tensor product;
      for (std::int64_t i = 0; i < kProducts; ++i) product = at::conv2d(x, weight);
      product[0][0][0][0].item();  // a device is waited for
    });
    seconds.push_back(seconds_since(start));
  }
  const double products = static_cast<double>(kProducts * pool.size());
  return products * 2.0 * kSize * kSize * kSize / std::ranges::min(seconds) * 1e-9;
}

// Each worker's clock runs while this lives.
class RunningClocks {
 public:
  RunningClocks(std::vector<StepClock>& clocks, WorkerPool& pool) : clocks_(clocks), pool_(pool) {
    pool_.run([&](std::int64_t worker) { clocks_[static_cast<std::size_t>(worker)].start(); });
  }
  ~RunningClocks() {
    pool_.run([&](std::int64_t worker) { clocks_[static_cast<std::size_t>(worker)].stop(); });
  }
  RunningClocks(const RunningClocks&) = delete;
  RunningClocks& operator=(const RunningClocks&) = delete;

 private:
  std::vector<StepClock>& clocks_;
  WorkerPool& pool_;
};

}  // namespace

TrainingProfile Trainer::profile(std::int64_t steps) {
  const std::vector<std::int64_t> order =
      epoch_order(request_.train->count(), static_cast<std::uint64_t>(request_.seed), 1);
  for (std::int64_t i = 0; i < kWarmUpSteps; ++i) try_step(order, i);
  TrainingProfile result;
  result.steps = steps;
  result.batch_size = batch_size_;
  result.device = place_ && place_->is_cuda() ? Device::cuda : Device::cpu;
  result.threads = pool_.size();
  result.precision = use_bf16_ ? Precision::bf16 : Precision::fp32;
  std::vector<StepClock> clocks(static_cast<std::size_t>(pool_.size()));
  {
    const BackwardParts backward;
    const RunningClocks running(clocks, pool_);
    const auto start = Clock::now();
    for (std::int64_t i = 0; i < steps; ++i) try_step(order, kWarmUpSteps + i);
    result.seconds = seconds_since(start);
  }
  // The processor's clocks tell when work was handed to a device, not when it was done.
  if (device_) result.parts.emplace_back("everything on the device", result.seconds);
  for (std::size_t i = 0; i < kParts && !device_; ++i) {
    const auto part = static_cast<Part>(i);
    double seconds = 0.0;
    for (const StepClock& clock : clocks) seconds += clock.seconds(part);
    result.parts.emplace_back(name_of(part), seconds);
  }
  result.step_operations =
      operations_of_a_sample(request_.graph) * static_cast<double>(batch_size_);
  result.peak_gflops =
      measure_peak_gflops(pool_, device_of(place_), use_bf16_ ? at::kBFloat16 : at::kFloat);
  return result;
}

}  // namespace biglittle
