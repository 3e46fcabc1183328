// SPDX-License-Identifier: MIT
#include "graph/cost.h"

#include <algorithm>
#include <map>

#include "graph/fold.h"

namespace biglittle {
namespace {

std::int64_t elements(const WeightSpec& spec) {
  std::int64_t count = 1;
  for (const std::int64_t size : spec.shape) count *= size;
  return count;
}

bool has_weights_in_int8(const Node& node) {
  return std::holds_alternative<Conv2d>(node.op) || std::holds_alternative<Linear>(node.op);
}

/// Multiply-accumulates of a node of a folded graph: each output element costs one filter.
std::int64_t folded_macs(const Graph& graph, const Node& node) {
  if (!has_weights_in_int8(node)) return 0;
  const std::int64_t weights = elements(graph.weights(node).front());
  return weights / node.shape.channels * node.shape.count();
}

bool runs_in_place(const Node& node) {
  return std::holds_alternative<Relu>(node.op) || std::holds_alternative<Relu6>(node.op) ||
         std::holds_alternative<Flatten>(node.op);
}

/// Memory that one tensor, or several in turn, occupy from one step of the schedule to another.
struct Buffer {
  std::int64_t bytes = 0;
  std::size_t first = 0;
  std::size_t last = 0;
};

/// The buffers of a folded graph whose nodes run in order. Activations take a byte each, the int32
/// accumulators of a last linear layer four.
std::vector<Buffer> buffers(const Graph& graph) {
  const std::vector<Node>& nodes = graph.nodes();
  std::map<std::string_view, std::size_t> last_use;
  for (std::size_t step = 0; step < nodes.size(); ++step) {
    last_use[nodes[step].name] = step;
    for (const std::string& input : nodes[step].inputs) last_use[input] = step;
  }
  std::vector<Buffer> all;
  std::map<std::string_view, std::size_t> buffer_of;
  for (std::size_t step = 0; step < nodes.size(); ++step) {
    const Node& node = nodes[step];
    if (runs_in_place(node) && all[buffer_of.at(node.inputs.front())].last == step) {
      buffer_of[node.name] = buffer_of.at(node.inputs.front());
      all[buffer_of[node.name]].last = last_use[node.name];
      continue;
    }
    const bool accumulators = step + 1 == nodes.size() && std::holds_alternative<Linear>(node.op);
    buffer_of[node.name] = all.size();
    all.push_back({node.shape.count() * (accumulators ? 4 : 1), step, last_use[node.name]});
  }
  return all;
}

std::int64_t peak_bytes(const Graph& graph) {
  const std::vector<Buffer> all = buffers(graph);
  std::int64_t peak = 0;
  for (std::size_t step = 0; step < graph.nodes().size(); ++step) {
    std::int64_t live = 0;
    for (const Buffer& buffer : all) {
      if (buffer.first <= step && step <= buffer.last) live += buffer.bytes;
    }
    peak = std::max(peak, live);
  }
  return peak;
}

}  // namespace

Cost count_cost(const Graph& graph) {
  // Bias, multiplier and a spare byte of an output channel in the device's tables.
  constexpr std::int64_t kBytesPerChannel = 9;
  const Graph folded = fold_graph(graph);
  Cost cost;
  for (const Node& node : graph.nodes()) {
    NodeCost own{node.name, 0, 0};
    for (const WeightSpec& spec : graph.weights(node)) {
      if (spec.trainable) own.parameters += elements(spec);
    }
    if (folded.contains(node.name)) own.macs = folded_macs(folded, folded.node(node.name));
    cost.parameters += own.parameters;
    cost.macs += own.macs;
    cost.nodes.push_back(std::move(own));
  }
  for (const Node& node : folded.nodes()) {
    if (!has_weights_in_int8(node)) continue;
    cost.int8_weight_bytes += elements(folded.weights(node).front());
    cost.int8_flash_bytes += kBytesPerChannel * node.shape.channels;
  }
  cost.int8_flash_bytes += cost.int8_weight_bytes;
  cost.int8_peak_ram_bytes = peak_bytes(folded);
  return cost;
}

}  // namespace biglittle
