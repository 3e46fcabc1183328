// SPDX-License-Identifier: MIT
#pragma once

// The inference form of a trained network: batch norm folded into the convolution or linear layer
// before it, dropout removed.

#include "core/tensor.h"
#include "graph/graph.h"

namespace biglittle {

/// A graph and the weights that belong to it.
struct Network {
  Graph graph;
  TensorMap weights;  ///< exactly the tensors of graph.weights(), float32
};

/// Throws Error{bad_data} beginning with `name` unless `weights` has exactly the tensors that
/// `graph` needs with the right shapes, float32 and finite (running_var >= 0).
void check_weights(const Graph& graph, const TensorMap& weights, std::string_view name);

/// The graph of fold_batch_norm's result, which needs no weights.
Graph fold_graph(const Graph& graph);

/// W' = W gamma / sqrt(var + eps), b' = beta + (b - mean) gamma / sqrt(var + eps) (Jacob et al.
/// 2018, section 3.2), computed in double. The folded layer keeps its own name and gains a bias;
/// removed nodes' users read their input instead. A batch norm with no conv2d/linear before it, or
/// whose producer has another reader, becomes a depthwise 1x1 conv2d of the same name.
Network fold_batch_norm(const Network& network);

}  // namespace biglittle
