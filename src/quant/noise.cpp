// SPDX-License-Identifier: MIT
#include "quant/noise.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>

#include "core/error.h"
#include "quant/ranges.h"

namespace biglittle {
namespace {

constexpr double kLargestDecibels = 120.0;  // float32 itself is no more exact

/// Samples compared at a time, which bounds the memory that large networks need here.
constexpr std::int64_t kBlock = 32;

/// int8 values of one node over a block of samples, with the step from integers to real values, and
/// the sums that the float values are compared into.
struct Comparison {
  std::vector<std::int32_t> integers;
  double scale = 1.0;
  std::int32_t zero_point = 0;
  std::size_t seen = 0;
  double signal = 0.0;
  double noise = 0.0;

  void compare(std::span<const float> values) {
    if (values.size() > integers.size() - seen) {
      throw Error(ErrorKind::internal, "the engine observed more values than there are");
    }
    for (const float value : values) {
      const double difference = value - scale * (integers[seen++] - zero_point);
      signal += double{value} * value;
      noise += difference * difference;
    }
  }

  double decibels() const {
    if (noise == 0.0) return kLargestDecibels;
    if (signal == 0.0) return -kLargestDecibels;
    return std::clamp(10.0 * std::log10(signal / noise), -kLargestDecibels, kLargestDecibels);
  }
};

using Comparisons = std::map<std::string, Comparison, std::less<>>;

Comparisons prepare(const Int8Model& model) {
  Comparisons comparisons;
  for (const auto& [name, quantization] : model.activations) {
    const Node& node = model.graph.node(name);
    if (range_source(model.graph, node).name != name) continue;
    comparisons[name].scale = quantization.scale;
    comparisons[name].zero_point = quantization.zero_point;
  }
  const Node& output = model.graph.output();
  comparisons[output.name].scale =
      double{model.activations.at(output.inputs.at(0)).scale} *
      model.weights.at(output.name + ".weight_scale").values<float>()[0];
  return comparisons;
}

/// Replaces the int8 values by those of `samples`.
void trace_all(Comparisons& comparisons, const Int8Model& model, const Interpreter& interpreter,
               const Samples& samples) {
  for (auto& [name, comparison] : comparisons) {
    comparison.integers.clear();
    comparison.seen = 0;
  }
  Comparison& logits = comparisons.at(model.graph.output().name);
  for (std::int64_t row = 0; row < samples.count(); ++row) {
    const auto accumulators = interpreter.trace(
        samples, row, [&](std::string_view node, std::span<const std::int8_t> values) {
          const auto found = comparisons.find(node);
          if (found == comparisons.end()) return;
          auto& integers = found->second.integers;
          integers.insert(integers.end(), values.begin(), values.end());
        });
    logits.integers.insert(logits.integers.end(), accumulators.begin(), accumulators.end());
  }
}

}  // namespace

std::vector<LayerNoise> measure_noise(const Network& folded, const Int8Model& model,
                                      const Interpreter& interpreter, const Samples& samples,
                                      const Engine& engine) {
  Comparisons comparisons = prepare(model);
  for (std::int64_t first = 0; first < samples.count(); first += kBlock) {
    std::vector<std::int64_t> rows(
        static_cast<std::size_t>(std::min(kBlock, samples.count() - first)));
    std::iota(rows.begin(), rows.end(), first);
    const Samples block = select(samples, rows);
    trace_all(comparisons, model, interpreter, block);
    engine.observe(folded, model.preprocessing, block,
                   [&](std::string_view node, std::span<const float> values) {
                     const auto found = comparisons.find(node);
                     if (found != comparisons.end()) found->second.compare(values);
                   });
  }
  std::vector<LayerNoise> noise;
  for (const Node& node : model.graph.nodes()) {
    const auto found = comparisons.find(node.name);
    if (found != comparisons.end()) noise.push_back({node.name, found->second.decibels()});
  }
  return noise;
}

std::string name_worst(std::vector<LayerNoise> noise, std::size_t count) {
  std::stable_sort(noise.begin(), noise.end(),
                   [](const LayerNoise& a, const LayerNoise& b) { return a.sqnr_db < b.sqnr_db; });
  noise.resize(std::min(count, noise.size()));
  std::string text;
  for (const LayerNoise& layer : noise) {
    text += fmt::format("{}{} ({:.1f} dB)", text.empty() ? "" : ", ", layer.node, layer.sqnr_db);
  }
  return text;
}

}  // namespace biglittle
