// SPDX-License-Identifier: MIT
// In place of nccl_connection.cpp where LibTorch has no CUDA or NCCL's header is missing.
#include <stdexcept>

#include "train/libtorch/nccl_connection.h"

namespace biglittle {

bool has_nccl() { return false; }

std::string nccl_name(const Place&) { return ""; }

std::vector<std::byte> make_nccl_id(const ComputeOptions&) { throw std::logic_error("no NCCL"); }

std::unique_ptr<RankConnection> open_nccl_connection(const Ranks&, at::Device,
                                                     std::span<const std::byte>,
                                                     const ComputeOptions&) {
  throw std::logic_error("no NCCL");
}

}  // namespace biglittle
