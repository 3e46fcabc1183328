// SPDX-License-Identifier: MIT
#pragma once

// Float inference over whole sample sets: large batches, one shard a worker, on the processor or
// all on one GPU.

#include <c10/core/Device.h>

#include <cstdint>
#include <span>
#include <vector>

#include "data/dataset.h"
#include "graph/fold.h"
#include "train/batch.h"
#include "train/libtorch/graph_module.h"
#include "train/libtorch/worker_pool.h"

namespace biglittle {

/// Samples: enough to amortise a layer's start, few enough for its tensors to stay in cache.
inline constexpr std::int64_t kInferenceBatch = 250;

/// A network ready to run: flat weights and a module over them. Safe to use from several threads.
class FrozenNetwork {
 public:
  /// Batch norm is folded first. The weights lie on `device`, which computes.
  explicit FrozenNetwork(const Network& network, at::Device device = at::kCPU);

  const Graph& graph() const { return network_.graph; }
  std::int64_t outputs() const { return network_.graph.output().shape.channels; }
  at::Device device() const { return trainable_.device(); }
  /// `batch` [n, C, H, W] channels-last, on the device -> [n, outputs].
  at::Tensor forward(const at::Tensor& batch, const GraphModule::See& see = {}) const;

 private:
  Network network_;
  FlatLayout layout_;
  at::Tensor trainable_;
  at::Tensor buffers_;
  GraphModule module_;
};

/// A tensor [n, C, H, W], channels-last, over `values` [n, H, W, C]; does not copy.
at::Tensor as_batch(std::span<float> values, const Shape& shape);

/// Outputs [N, outputs] for every sample, computed in bf16 where `use_bf16` says so.
std::vector<float> infer(WorkerPool& pool, const FrozenNetwork& network,
                         const Preprocessing& preprocessing, const Samples& samples,
                         Mirror mirror = Mirror::no, bool use_bf16 = false);

}  // namespace biglittle
