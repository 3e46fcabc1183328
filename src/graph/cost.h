// SPDX-License-Identifier: MIT
#pragma once

// What a network costs on a device: parameters, multiply-accumulates, flash and RAM.

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace biglittle {

/// Of one node, for one sample. Batch norm counts as folded (0 MACs) wherever it follows a conv2d
/// or linear directly.
struct NodeCost {
  std::string name;
  std::int64_t parameters = 0;  ///< trainable numbers
  std::int64_t macs = 0;        ///< multiply-accumulates of conv2d and linear
};

struct Cost {
  std::int64_t parameters = 0;
  std::int64_t macs = 0;
  std::int64_t int8_weight_bytes = 0;  ///< int8 weights of the folded graph, one byte each
  std::int64_t int8_flash_bytes =
      0;  ///< int8 weights + 9 bytes (bias, multiplier, spare) an output channel
  std::int64_t int8_peak_ram_bytes = 0;  ///< largest sum of live int8 activations over the schedule
  std::vector<NodeCost> nodes;
};

/// Costs of the inference form (folded). The RAM figure counts every tensor live while a node runs:
/// its inputs, its output, and those that later nodes still need; element-wise nodes (relu, relu6,
/// flatten, dropout, folded batch norm) run in place when their input dies there.
Cost count_cost(const Graph& graph);

}  // namespace biglittle
