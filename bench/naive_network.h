// SPDX-License-Identifier: MIT
#pragma once

// An int8 network as calls of the naive loops, one after the other.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "quant/int8_model.h"

namespace biglittle::bench {

class NaiveNetwork {
 public:
  /// Relus that the layer before them clamps already cost nothing here either. Throws
  /// Error{internal} for an op that the benchmark networks do not have. The model is not referenced
  /// afterwards.
  explicit NaiveNetwork(const Int8Model& model);
  ~NaiveNetwork();

  /// The accumulators of one sample of raw bytes in height, width, channel order; valid until the
  /// next call.
  std::span<const std::int32_t> run(std::span<const std::uint8_t> sample);

 private:
  class Builder;
  struct Storage;
  std::unique_ptr<Storage> storage_;
};

}  // namespace biglittle::bench
