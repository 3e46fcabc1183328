// SPDX-License-Identifier: MIT
#include "quant/ranges.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/error.h"

namespace biglittle {

Range widen_range(Range range, std::span<const float> values) {
  for (const float value : values) {
    range.low = std::min(range.low, double{value});
    range.high = std::max(range.high, double{value});
  }
  return range;
}

Quantization quantization_of(const Range& range) {
  const double low = std::min(range.low, 0.0);
  const double high = std::max(range.high, 0.0);
  const double width = high > low ? high - low : 1.0;
  const double scale = std::clamp(width / 255.0, double{kSmallestScale}, double{kLargestScale});
  Quantization quantization;
  quantization.scale = static_cast<float>(scale);
  quantization.zero_point = static_cast<std::int32_t>(
      std::clamp(std::nearbyint(-128.0 - low / double{quantization.scale}), -128.0, 127.0));
  return quantization;
}

Range range_of(const Quantization& quantization) {
  // A float32 times a whole number below 2^9: exact in double.
  const double scale = quantization.scale;
  return {scale * (-128 - quantization.zero_point), scale * (127 - quantization.zero_point)};
}

void Histogram::add(std::span<const float> values) {
  const double bins_per_unit = width() > 0.0 ? 1.0 / width() : 0.0;
  for (const float value : values) {
    const double bin = std::clamp((double{value} - range_.low) * bins_per_unit, 0.0, kBins - 1.0);
    ++counts_[static_cast<std::size_t>(bin)];
  }
}

Range Histogram::choose(RangeMethod method, double percentile) const {
  switch (method) {
    case RangeMethod::min_max:
      return range_;
    case RangeMethod::percentile:
      return percentile_range(percentile);
    case RangeMethod::mse:
      return least_squares_range();
  }
  throw Error(ErrorKind::internal, "unknown range method");
}

Range Histogram::percentile_range(double percentile) const {
  std::int64_t total = 0;
  for (const std::int64_t count : counts_) total += count;
  const double outside = (1.0 - percentile / 100.0) * static_cast<double>(total);
  std::size_t first = 0;
  std::size_t last = kBins;
  for (std::int64_t below = counts_[0]; first + 1 < last && static_cast<double>(below) <= outside;
       below += counts_[first]) {
    ++first;
  }
  for (std::int64_t above = counts_[last - 1];
       first + 1 < last && static_cast<double>(above) <= outside; above += counts_[last - 1]) {
    --last;
  }
  return {std::min(0.0, range_.low + static_cast<double>(first) * width()),
          std::max(0.0, range_.low + static_cast<double>(last) * width())};
}

double Histogram::squared_error(const Quantization& quantization) const {
  const double scale = quantization.scale;
  double sum = 0.0;
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    if (counts_[bin] == 0) continue;
    const double value = range_.low + (static_cast<double>(bin) + 0.5) * width();
    const double q =
        std::clamp(std::nearbyint(value / scale) + quantization.zero_point, -128.0, 127.0);
    const double error = value - scale * (q - quantization.zero_point);
    sum += error * error * static_cast<double>(counts_[bin]);
  }
  return sum;
}

Range Histogram::least_squares_range() const {
  Range best = range_;
  double least = std::numeric_limits<double>::infinity();
  for (int percent = 100; percent >= 5; --percent) {
    const Range candidate{range_.low * percent / 100.0, range_.high * percent / 100.0};
    const double error = squared_error(quantization_of(candidate));
    if (error < least) {
      least = error;
      best = candidate;
    }
  }
  return best;
}

const Node& range_source(const Graph& graph, const Node& node) {
  const bool clamps = std::holds_alternative<Conv2d>(node.op) ||
                      std::holds_alternative<Linear>(node.op) ||
                      std::holds_alternative<Add>(node.op);
  const std::vector<std::string> readers = graph.consumers(node.name);
  if (!clamps || readers.size() != 1) return node;
  const Node& reader = graph.node(readers.front());
  const bool relu =
      std::holds_alternative<Relu>(reader.op) || std::holds_alternative<Relu6>(reader.op);
  return relu ? reader : node;
}

bool has_own_range(const Node& node) {
  return !(std::holds_alternative<Relu>(node.op) || std::holds_alternative<Relu6>(node.op) ||
           std::holds_alternative<MaxPool>(node.op) || std::holds_alternative<Flatten>(node.op));
}

std::map<std::string, Range> observe_ranges(const Network& folded,
                                            const Preprocessing& preprocessing,
                                            const Samples& samples, const QuantizeOptions& options,
                                            const Engine& engine) {
  std::map<std::string, Range, std::less<>> extremes;
  const Graph& graph = folded.graph;
  for (const Node& node : graph.nodes()) {
    if (has_own_range(node) && node.name != graph.output().name) {
      extremes[range_source(graph, node).name] = Range{};
    }
  }
  engine.observe(folded, preprocessing, samples,
                 [&](std::string_view node, std::span<const float> values) {
                   const auto found = extremes.find(node);
                   if (found != extremes.end()) found->second = widen_range(found->second, values);
                 });
  std::map<std::string, Histogram, std::less<>> histograms;
  for (const auto& [node, range] : extremes) {
    if (!std::isfinite(range.low) || !std::isfinite(range.high)) {
      throw Error(ErrorKind::bad_data, "values of node " + node + " are infinite on tune");
    }
    histograms.emplace(node, Histogram(range));
  }
  engine.observe(folded, preprocessing, samples,
                 [&](std::string_view node, std::span<const float> values) {
                   const auto found = histograms.find(node);
                   if (found != histograms.end()) found->second.add(values);
                 });
  std::map<std::string, Range> ranges;
  for (const auto& [node, histogram] : histograms) {
    ranges[node] = histogram.choose(options.range, options.percentile);
  }
  return ranges;
}

}  // namespace biglittle
