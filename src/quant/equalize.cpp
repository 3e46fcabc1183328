// SPDX-License-Identifier: MIT
#include "quant/equalize.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace biglittle {
namespace {

/// Rounds end when no factor is further from 1 than this, or after kRounds: a chain of n layers
/// settles in about n rounds.
constexpr double kSettled = 1e-4;
constexpr int kRounds = 50;

struct Pair {
  std::string first;
  std::string second;
};

bool is_layer(const Node& node) {
  return std::holds_alternative<Conv2d>(node.op) || std::holds_alternative<Linear>(node.op);
}

/// Nodes with f(s x) = s f(x) for every channel's own s > 0.
bool scales_along(const Node& node) {
  return std::holds_alternative<Relu>(node.op) || std::holds_alternative<MaxPool>(node.op) ||
         std::holds_alternative<AvgPool>(node.op) ||
         std::holds_alternative<GlobalAvgPool>(node.op) || std::holds_alternative<Flatten>(node.op);
}

std::optional<std::string> next_layer(const Graph& graph, const Node& layer) {
  std::vector<std::string> readers = graph.consumers(layer.name);
  while (readers.size() == 1) {
    const Node& reader = graph.node(readers.front());
    if (is_layer(reader)) return reader.name;
    if (!scales_along(reader)) return std::nullopt;
    readers = graph.consumers(reader.name);
  }
  return std::nullopt;
}

using Reals = std::vector<double>;

/// Weights in double while factors pile up, so that rounding happens once.
std::map<std::string, Reals> widen(const TensorMap& weights) {
  std::map<std::string, Reals> wide;
  for (const auto& [name, tensor] : weights) {
    const auto values = tensor.values<float>();
    wide[name] = Reals(values.begin(), values.end());
  }
  return wide;
}

/// Calls `visit(channel, weight)` for each weight of `layer` [out, in / groups, ...] with the
/// channel among `channels` that it multiplies: a flattened channel is a block of inputs.
template <typename Visit>
void for_each_input(const Node& layer, std::size_t channels, Reals& weights, const Visit& visit) {
  const auto* conv = std::get_if<Conv2d>(&layer.op);
  const auto groups = static_cast<std::size_t>(conv == nullptr ? 1 : conv->groups);
  const auto outputs = static_cast<std::size_t>(layer.shape.channels);
  const std::size_t row = weights.size() / outputs;  // weights of one output
  const std::size_t depth = channels / groups;       // channels that it sees
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::size_t group = i / row / (outputs / groups);
    visit(group * depth + i % row / (row / depth), weights[i]);
  }
}

/// Largest |weight| of each output of the first layer, and of each of its channels in the second.
Reals factors_of(const Reals& first, const Node& second, Reals& second_weights,
                 std::size_t channels) {
  Reals out(channels, 0.0);
  Reals in(channels, 0.0);
  for (std::size_t i = 0; i < first.size(); ++i) {
    double& largest = out[i / (first.size() / channels)];
    largest = std::max(largest, std::abs(first[i]));
  }
  for_each_input(second, channels, second_weights, [&](std::size_t channel, double weight) {
    in[channel] = std::max(in[channel], std::abs(weight));
  });
  Reals factors(channels, 1.0);
  for (std::size_t c = 0; c < channels; ++c) {
    if (out[c] > 0.0 && in[c] > 0.0) factors[c] = std::sqrt(out[c] / in[c]);
  }
  return factors;
}

/// Returns the largest |log s| over the pair's channels.
double equalize_pair(const Graph& graph, const Pair& pair, std::map<std::string, Reals>& weights) {
  const auto channels = static_cast<std::size_t>(graph.node(pair.first).shape.channels);
  Reals& first = weights.at(pair.first + ".weight");
  Reals& second = weights.at(pair.second + ".weight");
  const Node& reader = graph.node(pair.second);
  const Reals factors = factors_of(first, reader, second, channels);
  for (std::size_t i = 0; i < first.size(); ++i) first[i] /= factors[i / (first.size() / channels)];
  const auto bias = weights.find(pair.first + ".bias");
  if (bias != weights.end()) {
    for (std::size_t c = 0; c < channels; ++c) bias->second[c] /= factors[c];
  }
  for_each_input(reader, channels, second,
                 [&](std::size_t channel, double& weight) { weight *= factors[channel]; });
  double moved = 0.0;
  for (const double factor : factors) moved = std::max(moved, std::abs(std::log(factor)));
  return moved;
}

}  // namespace

Network equalize_layers(Network folded) {
  std::vector<Pair> pairs;
  for (const Node& node : folded.graph.nodes()) {
    if (!is_layer(node)) continue;
    if (const auto next = next_layer(folded.graph, node)) pairs.push_back({node.name, *next});
  }
  std::map<std::string, Reals> weights = widen(folded.weights);
  for (int round = 0; round < kRounds; ++round) {
    double moved = 0.0;
    for (const Pair& pair : pairs) {
      moved = std::max(moved, equalize_pair(folded.graph, pair, weights));
    }
    if (moved < kSettled) break;
  }
  for (auto& [name, tensor] : folded.weights) {
    const auto values = tensor.values<float>();
    const Reals& wide = weights.at(name);
    for (std::size_t i = 0; i < wide.size(); ++i) values[i] = static_cast<float>(wide[i]);
  }
  return folded;
}

}  // namespace biglittle
