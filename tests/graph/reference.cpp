// SPDX-License-Identifier: MIT
#include "graph/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace biglittle::testing {
namespace {

using Values = std::vector<double>;

class Reference {
 public:
  explicit Reference(const Network& network) : network_(network) {}

  Values run(const Values& input) {
    for (const Node& node : network_.graph.nodes()) {
      values_[node.name] = node.inputs.empty() ? input : compute(node);
    }
    return values_.at(network_.graph.output().name);
  }

 private:
  Values compute(const Node& node) const {
    const Values& x = values_.at(node.inputs.front());
    return std::visit(
        Overloaded{[&](const Input&) { return x; },
                   [&](const Conv2d& op) { return convolve(node, op, x); },
                   [&](const BatchNorm& op) { return normalize(node, op, x); },
                   [&](const Relu&) { return clip(x, std::numeric_limits<double>::infinity()); },
                   [&](const Relu6&) { return clip(x, 6.0); },
                   [&](const MaxPool& op) { return pool(node, op.window, x, true); },
                   [&](const AvgPool& op) { return pool(node, op.window, x, false); },
                   [&](const GlobalAvgPool&) {
                     const Shape& in = network_.graph.input_shape(node);
                     const Window all = {in.height, in.width, 1, 1, 0, 0, 0, 0};
                     return pool(node, all, x, false);
                   },
                   [&](const Add&) { return add(x, values_.at(node.inputs.back())); },
                   [&](const Flatten&) { return x; },
                   [&](const Linear& op) { return multiply(node, op, x); },
                   [&](const Dropout&) { return x; }},
        node.op);
  }

  double weight(const Node& node, const char* suffix, std::int64_t index) const {
    const Tensor& tensor = network_.weights.at(node.name + suffix);
    return static_cast<double>(tensor.values<float>()[static_cast<std::size_t>(index)]);
  }

  static std::size_t at(const Shape& shape, std::int64_t c, std::int64_t y, std::int64_t x) {
    return static_cast<std::size_t>((c * shape.height + y) * shape.width + x);
  }

  /// Calls visit(kernel row, kernel column, input row, input column) for each pixel of the window
  /// at (row, column) that lies inside the image.
  template <typename Visit>
  static void for_window(const Window& w, const Shape& in, std::int64_t row, std::int64_t column,
                         Visit&& visit) {
    for (std::int64_t i = 0; i < w.kernel_height; ++i) {
      for (std::int64_t j = 0; j < w.kernel_width; ++j) {
        const std::int64_t y = row * w.stride_height - w.pad_top + i;
        const std::int64_t x = column * w.stride_width - w.pad_left + j;
        if (y >= 0 && y < in.height && x >= 0 && x < in.width) visit(i, j, y, x);
      }
    }
  }

  template <typename Compute>
  static Values for_each_output(const Shape& out, Compute&& compute) {
    Values result;
    for (std::int64_t c = 0; c < out.channels; ++c) {
      for (std::int64_t y = 0; y < out.height; ++y) {
        for (std::int64_t x = 0; x < out.width; ++x) result.push_back(compute(c, y, x));
      }
    }
    return result;
  }

  Values convolve(const Node& node, const Conv2d& op, const Values& x) const {
    const Shape& in = network_.graph.input_shape(node);
    const std::int64_t depth = in.channels / op.groups;
    const std::int64_t outputs_per_group = op.out_channels / op.groups;
    return for_each_output(node.shape, [&](std::int64_t o, std::int64_t row, std::int64_t column) {
      double sum = op.bias ? weight(node, ".bias", o) : 0.0;
      for (std::int64_t c = 0; c < depth; ++c) {
        const std::int64_t source = o / outputs_per_group * depth + c;
        for_window(op.window, in, row, column,
                   [&](std::int64_t i, std::int64_t j, std::int64_t y, std::int64_t k) {
                     const std::int64_t index =
                         ((o * depth + c) * op.window.kernel_height + i) * op.window.kernel_width +
                         j;
                     sum += weight(node, ".weight", index) * x[at(in, source, y, k)];
                   });
      }
      return sum;
    });
  }

  Values normalize(const Node& node, const BatchNorm& op, const Values& x) const {
    return for_each_output(node.shape, [&](std::int64_t c, std::int64_t row, std::int64_t column) {
      return (x[at(node.shape, c, row, column)] - weight(node, ".running_mean", c)) /
                 std::sqrt(weight(node, ".running_var", c) + op.epsilon) *
                 weight(node, ".weight", c) +
             weight(node, ".bias", c);
    });
  }

  Values pool(const Node& node, const Window& w, const Values& x, bool maximum) const {
    const Shape& in = network_.graph.input_shape(node);
    return for_each_output(node.shape, [&](std::int64_t c, std::int64_t row, std::int64_t column) {
      double largest = -std::numeric_limits<double>::infinity();
      double sum = 0.0;
      for_window(w, in, row, column,
                 [&](std::int64_t, std::int64_t, std::int64_t y, std::int64_t k) {
                   largest = std::max(largest, x[at(in, c, y, k)]);
                   sum += x[at(in, c, y, k)];
                 });
      return maximum ? largest : sum / static_cast<double>(w.kernel_height * w.kernel_width);
    });
  }

  Values multiply(const Node& node, const Linear& op, const Values& x) const {
    const std::int64_t inputs = static_cast<std::int64_t>(x.size());
    Values result;
    for (std::int64_t o = 0; o < op.out_features; ++o) {
      double sum = op.bias ? weight(node, ".bias", o) : 0.0;
      for (std::int64_t i = 0; i < inputs; ++i) {
        sum += weight(node, ".weight", o * inputs + i) * x[static_cast<std::size_t>(i)];
      }
      result.push_back(sum);
    }
    return result;
  }

  static Values clip(Values x, double limit) {
    for (double& value : x) value = std::clamp(value, 0.0, limit);
    return x;
  }

  static Values add(Values x, const Values& y) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
    return x;
  }

  const Network& network_;
  std::map<std::string, Values> values_;
};

}  // namespace

std::vector<double> run_reference(const Network& network, const std::vector<double>& input) {
  return Reference(network).run(input);
}

}  // namespace biglittle::testing
