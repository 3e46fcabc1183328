// SPDX-License-Identifier: MIT
#pragma once

// The connections of one rank to all others. Work is begun and waited for; it keeps its tensors
// alive, all contiguous float32. On the processor c10d's process group does it, between GPUs NCCL
// (nccl_connection.h), with their errors as ours.

#include <ATen/core/Tensor.h>

#include <any>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/error.h"
#include "train/engine.h"
#include "train/ranks.h"

namespace biglittle {

class RankConnection {
 public:
  virtual ~RankConnection() = default;

  /// Something that was begun.
  using Work = std::any;

  /// Sends the next outgoing[r] numbers of `from` to rank r, for each r, and receives incoming[r]
  /// numbers of each into `to`.
  virtual Work exchange(at::Tensor from, std::vector<std::int64_t> outgoing, at::Tensor to,
                        std::vector<std::int64_t> incoming) = 0;

  /// Everybody's `mine` [n] into `all` [ranks, n]. Bits stay as they are.
  virtual Work gather(at::Tensor mine, at::Tensor all) = 0;

  /// Throws Error{io} when a rank has ended or stays silent.
  virtual void wait(const Work& work) = 0;
};

/// That of tensors on the processor.
class HostConnection : public RankConnection {
 public:
  /// Rank 0's numbers on every rank.
  virtual Work broadcast(at::Tensor values) = 0;

  /// Returns when all have called it or one cannot any more.
  virtual void barrier() noexcept = 0;
};

/// See RankGroup's constructor.
std::shared_ptr<HostConnection> open_host_connection(const Ranks& ranks,
                                                     const ComputeOptions& compute);

/// True when LibTorch came with what several processes need.
bool has_gloo();

/// What `ranks.rank` says when another does not answer: it `is_silent`, or has ended.
Error lost_rank(const Ranks& ranks, bool is_silent);

}  // namespace biglittle
