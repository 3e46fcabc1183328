// SPDX-License-Identifier: MIT
#include "bench/float_values.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/error.h"

namespace biglittle::bench {
namespace {

using Floats = std::vector<float>;

/// The taps of a window that lie inside the image, along one axis: [first, last).
std::pair<std::int64_t, std::int64_t> inside(std::int64_t start, std::int64_t kernel,
                                             std::int64_t size) {
  return {std::max<std::int64_t>(0, -start), std::min(kernel, size - start)};
}

/// Calls use(output index, input row, first column, tap row, first tap, taps) for every output
/// pixel of a channel and every row of its window.
template <typename Use>
void for_each_row(const Shape& in, const Shape& out, const Window& window, const Use& use) {
  for (std::int64_t y = 0; y < out.height; ++y) {
    const std::int64_t top = y * window.stride_height - window.pad_top;
    const auto [first_row, last_row] = inside(top, window.kernel_height, in.height);
    for (std::int64_t x = 0; x < out.width; ++x) {
      const std::int64_t left = x * window.stride_width - window.pad_left;
      const auto [first, last] = inside(left, window.kernel_width, in.width);
      for (std::int64_t row = first_row; row < last_row; ++row) {
        use(y * out.width + x, top + row, left + first, row, first, last - first);
      }
    }
  }
}

Floats convolve(const Network& network, const Node& node, const Conv2d& op, const Floats& input) {
  const Shape& in = network.graph.input_shape(node);
  const auto weight = network.weights.at(node.name + ".weight").values<float>();
  const auto bias = network.weights.at(node.name + ".bias").values<float>();
  const std::int64_t depth = in.channels / op.groups;
  const std::int64_t pixels = node.shape.height * node.shape.width;
  Floats result;
  for (std::int64_t o = 0; o < node.shape.channels; ++o) {
    Floats sums(static_cast<std::size_t>(pixels), bias[static_cast<std::size_t>(o)]);
    const std::int64_t group = o / (node.shape.channels / op.groups);
    for (std::int64_t i = 0; i < depth; ++i) {
      const float* const plane = input.data() + (group * depth + i) * in.height * in.width;
      const float* const taps =
          weight.data() + (o * depth + i) * op.window.kernel_height * op.window.kernel_width;
      for_each_row(in, node.shape, op.window,
                   [&](std::int64_t pixel, std::int64_t row, std::int64_t column, std::int64_t tap,
                       std::int64_t first, std::int64_t count) {
                     const float* const values = plane + row * in.width + column;
                     const float* const factors = taps + tap * op.window.kernel_width + first;
                     float& sum = sums[static_cast<std::size_t>(pixel)];
                     for (std::int64_t k = 0; k < count; ++k) sum += values[k] * factors[k];
                   });
    }
    result.insert(result.end(), sums.begin(), sums.end());
  }
  return result;
}

Floats max_pool(const Shape& in, const Node& node, const Window& window, const Floats& input) {
  Floats result(static_cast<std::size_t>(node.shape.count()),
                -std::numeric_limits<float>::infinity());
  for (std::int64_t c = 0; c < in.channels; ++c) {
    const float* const plane = input.data() + c * in.height * in.width;
    float* const largest = result.data() + c * node.shape.height * node.shape.width;
    for_each_row(in, node.shape, window,
                 [&](std::int64_t pixel, std::int64_t row, std::int64_t column, std::int64_t,
                     std::int64_t, std::int64_t count) {
                   const float* const values = plane + row * in.width + column;
                   for (std::int64_t k = 0; k < count; ++k) {
                     largest[pixel] = std::max(largest[pixel], values[k]);
                   }
                 });
  }
  return result;
}

Floats global_average(const Shape& in, const Floats& input) {
  const auto pixels = static_cast<std::size_t>(in.height * in.width);
  Floats result;
  for (std::size_t first = 0; first < input.size(); first += pixels) {
    double sum = 0.0;
    for (std::size_t i = first; i < first + pixels; ++i) sum += double{input[i]};
    result.push_back(static_cast<float>(sum / static_cast<double>(pixels)));
  }
  return result;
}

Floats multiply(const Network& network, const Node& node, const Floats& input) {
  const auto weight = network.weights.at(node.name + ".weight").values<float>();
  const auto bias = network.weights.at(node.name + ".bias").values<float>();
  Floats result(bias.begin(), bias.end());
  for (std::size_t o = 0; o < result.size(); ++o) {
    for (std::size_t i = 0; i < input.size(); ++i) {
      result[o] += weight[o * input.size() + i] * input[i];
    }
  }
  return result;
}

Floats compute(const Network& network, const Node& node,
               const std::map<std::string, Floats>& values) {
  const Floats& input = values.at(node.inputs.at(0));
  const Shape& in = network.graph.input_shape(node);
  return std::visit(
      Overloaded{[&](const Conv2d& op) { return convolve(network, node, op, input); },
                 [&](const Linear&) { return multiply(network, node, input); },
                 [&](const Relu&) {
                   Floats result = input;
                   for (float& value : result) value = std::max(value, 0.0f);
                   return result;
                 },
                 [&](const MaxPool& op) { return max_pool(in, node, op.window, input); },
                 [&](const GlobalAvgPool&) { return global_average(in, input); },
                 [&](const Add&) {
                   Floats result = input;
                   const Floats& other = values.at(node.inputs.at(1));
                   for (std::size_t i = 0; i < result.size(); ++i) result[i] += other[i];
                   return result;
                 },
                 [&](const Flatten&) { return input; },
                 [&](const auto&) -> Floats {
                   throw Error(ErrorKind::internal, "float_values cannot compute node " +
                                                        node.name + " (" +
                                                        std::string(op_name(node.op)) + ")");
                 }},
      node.op);
}

}  // namespace

std::map<std::string, std::vector<float>> float_values(const Network& folded,
                                                       std::span<const float> input) {
  std::map<std::string, Floats> values;
  values[folded.graph.input().name] = Floats(input.begin(), input.end());
  for (const Node& node : folded.graph.nodes()) {
    if (!std::holds_alternative<Input>(node.op)) values[node.name] = compute(folded, node, values);
  }
  return values;
}

}  // namespace biglittle::bench
