// SPDX-License-Identifier: MIT
#include "graph/fold.h"

#include <cmath>
#include <map>
#include <set>
#include <string>

#include "core/error.h"

namespace biglittle {
namespace {

/// What becomes of one batch norm.
struct FoldedNorm {
  std::string norm;
  std::string layer;  ///< the node of the folded graph that carries it
};

struct FoldPlan {
  Graph graph;
  std::vector<FoldedNorm> norms;  ///< in graph order
};

void set_bias(Op& op) {
  std::visit(Overloaded{[](Conv2d& conv) { conv.bias = true; },
                        [](Linear& linear) { linear.bias = true; }, [](auto&) {}},
             op);
}

bool can_carry(const Op& op) {
  return std::holds_alternative<Conv2d>(op) || std::holds_alternative<Linear>(op);
}

/// Rebuilds a graph without dropout and batch norm.
class Folding {
 public:
  explicit Folding(const Graph& graph) : graph_(graph) {
    for (const Node& node : graph.nodes()) place(node);
  }

  FoldPlan plan() && {
    FoldPlan plan;
    for (Node& node : kept_) {
      plan.graph.append(std::move(node.name), std::move(node.op), std::move(node.inputs));
    }
    plan.norms = std::move(norms_);
    return plan;
  }

 private:
  void place(const Node& node) {
    if (std::holds_alternative<Dropout>(node.op)) {
      const std::string& input = node.inputs.front();
      stands_for_[node.name] = kept_name(input);
      if (!read_once(input)) shared_.insert(node.name);
      if (shared_.contains(input)) shared_.insert(node.name);
      return;
    }
    Node copy = node;
    for (std::string& input : copy.inputs) input = kept_name(input);
    if (std::holds_alternative<BatchNorm>(node.op)) {
      place_norm(node, std::move(copy));
      return;
    }
    kept_.push_back(std::move(copy));
  }

  void place_norm(const Node& norm, Node copy) {
    const std::string& input = norm.inputs.front();
    Node& producer = kept(copy.inputs.front());
    if (can_carry(producer.op) && read_once(input) && !shared_.contains(input)) {
      set_bias(producer.op);
      stands_for_[norm.name] = producer.name;
      norms_.push_back({norm.name, producer.name});
      return;
    }
    const std::int64_t channels = norm.shape.channels;
    copy.op = Conv2d{channels, Window{}, channels, true};
    norms_.push_back({norm.name, norm.name});
    kept_.push_back(std::move(copy));
  }

  std::string kept_name(const std::string& name) const {
    const auto found = stands_for_.find(name);
    return found == stands_for_.end() ? name : found->second;
  }

  Node& kept(const std::string& name) {
    for (Node& node : kept_) {
      if (node.name == name) return node;
    }
    throw Error(ErrorKind::internal, "folding lost node '" + name + "'");
  }

  bool read_once(const std::string& name) const { return graph_.consumers(name).size() == 1; }

  const Graph& graph_;
  std::vector<Node> kept_;
  std::map<std::string, std::string> stands_for_;  ///< removed node -> kept node with its value
  std::set<std::string> shared_;                   ///< dropouts whose input others read too
  std::vector<FoldedNorm> norms_;
};

/// A batch norm as y = factor x + shift, per channel.
struct Affine {
  std::vector<double> factor;
  std::vector<double> shift;
};

Affine affine(const Network& network, const Node& norm) {
  const auto weight = network.weights.at(norm.name + ".weight").values<float>();
  const auto bias = network.weights.at(norm.name + ".bias").values<float>();
  const auto mean = network.weights.at(norm.name + ".running_mean").values<float>();
  const auto variance = network.weights.at(norm.name + ".running_var").values<float>();
  const double epsilon = std::get<BatchNorm>(norm.op).epsilon;
  Affine result;
  for (std::size_t c = 0; c < weight.size(); ++c) {
    const double factor =
        static_cast<double>(weight[c]) / std::sqrt(static_cast<double>(variance[c]) + epsilon);
    result.factor.push_back(factor);
    result.shift.push_back(static_cast<double>(bias[c]) - static_cast<double>(mean[c]) * factor);
  }
  return result;
}

/// Weights in double while batch norms are folded into them, so that rounding happens once.
using WideWeights = std::map<std::string, std::vector<double>>;

WideWeights widen(const Graph& folded, const TensorMap& weights) {
  WideWeights wide;
  for (const WeightSpec& spec : folded.weights()) {
    std::int64_t count = 1;
    for (const std::int64_t size : spec.shape) count *= size;
    const bool is_weight = spec.name.ends_with(".weight");
    // A layer that gains a bias starts from 0, a batch norm of its own from the identity.
    std::vector<double> values(static_cast<std::size_t>(count), is_weight ? 1.0 : 0.0);
    const auto stored = weights.find(spec.name);
    const std::string node = spec.name.substr(0, spec.name.rfind('.'));
    const bool was_norm = weights.contains(node + ".running_var");
    if (stored != weights.end() && !was_norm) {
      const auto floats = stored->second.values<float>();
      values.assign(floats.begin(), floats.end());
    }
    wide[spec.name] = std::move(values);
  }
  return wide;
}

void apply(const Affine& norm, std::vector<double>& weight, std::vector<double>& bias) {
  const std::size_t channels = norm.factor.size();
  const std::size_t filter = weight.size() / channels;
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t i = 0; i < filter; ++i) weight[c * filter + i] *= norm.factor[c];
    bias[c] = bias[c] * norm.factor[c] + norm.shift[c];
  }
}

TensorMap narrow(const Graph& folded, const WideWeights& wide) {
  TensorMap weights;
  for (const WeightSpec& spec : folded.weights()) {
    const std::vector<double>& values = wide.at(spec.name);
    Tensor tensor(DType::f32, spec.shape);
    std::span<float> floats = tensor.values<float>();
    for (std::size_t i = 0; i < values.size(); ++i) floats[i] = static_cast<float>(values[i]);
    weights.emplace(spec.name, std::move(tensor));
  }
  return weights;
}

}  // namespace

Graph fold_graph(const Graph& graph) { return Folding(graph).plan().graph; }

Network fold_batch_norm(const Network& network) {
  check_weights(network.graph, network.weights, "network");
  FoldPlan plan = Folding(network.graph).plan();
  WideWeights wide = widen(plan.graph, network.weights);
  for (const FoldedNorm& fold : plan.norms) {
    apply(affine(network, network.graph.node(fold.norm)), wide.at(fold.layer + ".weight"),
          wide.at(fold.layer + ".bias"));
  }
  TensorMap weights = narrow(plan.graph, wide);
  return {std::move(plan.graph), std::move(weights)};
}

}  // namespace biglittle
