// SPDX-License-Identifier: MIT
#pragma once

// Tables about datasets and networks that several commands print.

#include <string>
#include <vector>

#include "core/json.h"
#include "data/dataset.h"
#include "graph/cost.h"

namespace biglittle {

/// A network beside others: what it costs and, where it was measured, how good it is.
struct NetworkRow {
  std::string name;
  Cost cost;
  std::int64_t weight_bytes = 0;  ///< as stored: 4 a parameter in float32, 1 a weight in int8
  double accuracy = 0.0;          ///< in [0, 1]
};

/// Columns: network, accuracy (`measured_on` says on which split), parameters, weights, MACs.
std::string network_table(const std::vector<NetworkRow>& rows, std::string_view measured_on);
Json to_json(const std::vector<NetworkRow>& rows);

/// Bytes of the weights as float32 checkpoints hold them.
std::int64_t float_weight_bytes(const Cost& cost);

/// Sample counts of every split, class by class.
std::string dataset_text(const Dataset& dataset);
Json dataset_json(const Dataset& dataset);

/// Layer by layer: name, op, output shape, parameters, MACs; then the totals.
std::string graph_text(const Graph& graph);
Json graph_cost_json(const Graph& graph);

}  // namespace biglittle
