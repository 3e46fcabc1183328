// SPDX-License-Identifier: MIT
#include "quant/fine_tune.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/text.h"
#include "quant/arithmetic.h"
#include "quant/judge.h"
#include "quant/lowering.h"

namespace biglittle {
namespace {

bool is_layer(const Node& node) {
  return std::holds_alternative<Conv2d>(node.op) || std::holds_alternative<Linear>(node.op);
}

Int8Node node_constants(const Int8Model& model, const Node& node) {
  Int8Node result;
  const bool is_last = node.name == model.graph.output().name;
  if (is_last) {
    result.scale = logit_scale(model);
  } else {
    const Quantization& quantization = model.activations.at(node.name);
    result.scale = quantization.scale;
    result.zero_point = quantization.zero_point;
  }
  if (is_layer(node)) {
    const std::vector<std::int64_t> bounds = accumulator_bounds(model, node);
    result.bound = *std::max_element(bounds.begin(), bounds.end());
    if (!is_last) result.multipliers = channel_multipliers(model, node);
  }
  if (std::holds_alternative<AvgPool>(node.op) || std::holds_alternative<GlobalAvgPool>(node.op)) {
    result.multipliers = {pool_multiplier(model, node)};
  }
  if (std::holds_alternative<Add>(node.op)) {
    const AddConstants constants = add_constants(model, node);
    result.left = constants.left;
    result.right = constants.right;
    result.multipliers = {constants.multiplier};
  }
  if (std::holds_alternative<Relu6>(node.op)) {
    result.limit = relu6_limit(model.activations.at(node.name)) - result.zero_point;
  }
  return result;
}

using Ranges = std::map<std::string, Range>;

/// The ranges that lower makes the activations of `model` from.
Ranges ranges_of(const Int8Model& model) {
  Ranges ranges;
  for (const auto& [name, quantization] : model.activations) {
    const Node& node = model.graph.node(name);
    if (has_own_range(node)) ranges[range_source(model.graph, node).name] = range_of(quantization);
  }
  return ranges;
}

/// `ranges` with learned scales; zero points stay as they were.
Ranges rescale(Ranges ranges, const Int8Model& model, const std::map<std::string, float>& scales) {
  for (const auto& [name, scale] : scales) {
    ranges[range_source(model.graph, model.graph.node(name)).name] = range_of(
        {std::clamp(scale, kSmallestScale, kLargestScale), model.activations.at(name).zero_point});
  }
  return ranges;
}

/// Weights of the int8 graph, where every layer has a bias.
TensorMap with_biases(const Graph& graph, TensorMap weights) {
  for (const WeightSpec& spec : graph.weights())
    weights.try_emplace(spec.name, DType::f32, spec.shape);
  return weights;
}

std::string describe_choice(const QuantizeResult& start, const QuantizeResult& tuned) {
  const auto text = [](const QuantizeResult& result) {
    return fmt::format("{} of tune right, cross-entropy {:.4f}",
                       format_percent(result.int8_accuracy), result.int8_loss);
  };
  return fmt::format("int8 fine-tuned: {}; post-training: {}; kept: {}", text(tuned), text(start),
                     is_better(tuned, start) ? "fine-tuned" : "post-training");
}

}  // namespace

Int8Constants int8_constants(const Int8Model& model) {
  Int8Constants constants;
  constants.weights = model.weights;
  constants.input_step = model.input_step;
  for (const Node& node : model.graph.nodes()) {
    constants.nodes[node.name] = node_constants(model, node);
  }
  return constants;
}

bool is_better(const QuantizeResult& a, const QuantizeResult& b) {
  if (a.int8_accuracy != b.int8_accuracy) return a.int8_accuracy > b.int8_accuracy;
  return a.int8_loss < b.int8_loss;
}

QuantizeResult fine_tune(const Checkpoint& checkpoint, QuantizeResult start, FitRequest objective,
                         const FineTuneOptions& options, const Engine& engine, Observer& observer) {
  const Ranges ranges = ranges_of(start.model);
  objective.graph = start.model.graph;
  objective.initial = with_biases(objective.graph, start.folded.weights);
  objective.preprocessing = checkpoint.preprocessing;
  objective.options.epochs = options.epochs;
  objective.options.budget_minutes = 0.0;
  objective.options.learning_rate = options.learning_rate;
  objective.options.weight_decay = 0.0;
  objective.options.patience = 0;
  objective.quantization = QuantizationAware{
      [&](const TensorMap& weights, const std::map<std::string, float>& scales) {
        return int8_constants(lower({start.model.graph, weights}, checkpoint.preprocessing,
                                    rescale(ranges, start.model, scales)));
      },
      options.learn_steps};
  FitResult fitted = engine.fit(objective, observer);
  QuantizeResult tuned = judge(checkpoint, {objective.graph, std::move(fitted.weights)},
                               rescale(ranges, start.model, fitted.scales),
                               {*objective.tune, objective.tune_labels, objective.compute}, engine);
  observer.note(describe_choice(start, tuned));
  return is_better(tuned, start) ? std::move(tuned) : std::move(start);
}

}  // namespace biglittle
