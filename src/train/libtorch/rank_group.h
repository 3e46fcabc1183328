// SPDX-License-Identifier: MIT
#pragma once

// What the ranks of one training do together. Every method is joint work: all ranks call it, in the
// same order, and it returns on each when all have. Alone, a rank has nothing to do and nothing is
// opened. When a rank has ended or stays silent, the others' next joint work throws Error{io}.

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "train/engine.h"
#include "train/libtorch/device.h"
#include "train/ranks.h"

namespace biglittle {

class HostConnection;
class RankConnection;

/// What a rank says of a step before gradients are summed.
struct StepReport {
  double loss = 0.0;      ///< sum over its samples
  std::int64_t stop = 0;  ///< exit code when it was asked to stop
};

class RankGroup {
 public:
  /// Connects to the others, through Gloo. All traffic stays on this machine unless
  /// `compute.listen` names an interface or address. Throws Error{usage} when MASTER_ADDR is
  /// elsewhere and listening was not asked for, Error{missing_input} when LibTorch came without
  /// Gloo, and what Rendezvous throws.
  RankGroup(const Ranks& ranks, const ComputeOptions& compute);
  ~RankGroup();
  RankGroup(const RankGroup&) = delete;
  RankGroup& operator=(const RankGroup&) = delete;

  std::int64_t rank() const { return ranks_.rank; }
  std::int64_t size() const { return ranks_.size; }

  /// The ranks on this machine.
  struct Neighbours {
    std::int64_t index = 0;  ///< of this one among them
    std::int64_t count = 1;
  };
  Neighbours neighbours() const;

  /// From here on tensors at `place` can be summed there: by NCCL, where all ranks have it, have
  /// been told to use it (`compute.nccl`) and have a GPU of their own each. The processor as a
  /// device needs none. Throws Error{io} when NCCL cannot connect the GPUs.
  void connect_devices(const Place& place, const ComputeOptions& compute);
  bool sums_on_devices() const { return devices_ != nullptr; }

  /// Everybody's report, by rank.
  std::vector<StepReport> tell(const StepReport& mine) const;

  /// Replaces `values` (float32, contiguous, on the processor or where devices are connected) on
  /// every rank by their sum over ranks: ((v0 + v1) + v2) ..., the same bits everywhere.
  void sum(const at::Tensor& values) const;

  /// Everybody's bytes, by rank; lengths may differ.
  std::vector<std::vector<std::byte>> gather(std::span<const std::byte> mine) const;

  /// Everybody's numbers, rank after rank.
  std::vector<float> gather(std::span<const float> mine) const;

  /// Replaces `values` (float32, contiguous) by those of rank 0.
  void copy_from_first(const at::Tensor& values) const;

  /// Throws Error{config} on every rank, naming it, when a fact is not the same on all.
  void require_alike(const std::map<std::string, std::string>& facts) const;

  /// Throws Error{internal} on every rank, naming it and the step, when the bits of `weights` are
  /// not the same on all.
  void require_same_weights(std::span<const float> weights, std::int64_t step) const;

  /// Waits for all, so that nobody ends while another still receives. Never throws.
  void part() const noexcept;

 private:
  Ranks ranks_;
  std::shared_ptr<HostConnection> host_;     // nothing when alone
  std::shared_ptr<RankConnection> devices_;  // nothing where they are not connected
};

/// Runs `work` on this rank's rows of `samples` and returns all ranks' results, row by row.
std::vector<float> over_ranks(const RankGroup& ranks, const Samples& samples,
                              const std::function<std::vector<float>(const Samples&)>& work);

}  // namespace biglittle
