// SPDX-License-Identifier: MIT
#pragma once

// The connection between GPUs, one of each rank, by NCCL's own interface: its transfers follow the
// device's stream, so that kernels before and after them need no waiting on the host, nor do
// tensors that are let go, whose memory later work on that stream takes over. Its errors are seen
// and ended here instead of in a watchdog's thread.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "train/libtorch/device.h"
#include "train/libtorch/rank_connection.h"

namespace biglittle {

/// True when the program was built with NCCL.
bool has_nccl();

/// What no other GPU is called; "" where `place` is none or the program has no NCCL.
std::string nccl_name(const Place& place);

/// What all ranks open one connection with. NCCL's sockets use compute.listen's interface, unless
/// the environment has NCCL_SOCKET_IFNAME.
std::vector<std::byte> make_nccl_id(const ComputeOptions& compute);

/// Returns when all ranks have called it, each with the `id` that one of them made and a GPU of its
/// own. Throws Error{io} when they are not connected within compute.rank_timeout.
std::unique_ptr<RankConnection> open_nccl_connection(const Ranks& ranks, at::Device device,
                                                     std::span<const std::byte> id,
                                                     const ComputeOptions& compute);

}  // namespace biglittle
