// SPDX-License-Identifier: MIT
#pragma once

// A network as data: a directed acyclic graph of typed nodes with unique names, each making one
// tensor. Training, cost counting, folding, quantization, ONNX, C code and reports all read this
// one description. It holds no weights; those are a TensorMap with names derived from node names.

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/json.h"

namespace biglittle {

/// The shape of one sample's tensor: channels, height, width. A vector of n is {n, 1, 1}. 1-D
/// signals have height 1.
struct Shape {
  std::int64_t channels = 0;
  std::int64_t height = 1;
  std::int64_t width = 1;

  std::int64_t count() const { return channels * height * width; }
  bool operator==(const Shape&) const = default;
};

/// "3x32x32".
std::string to_string(const Shape& shape);

/// A sliding window: kernel, stride and zero padding in pixels.
/// output = floor((input + pad_begin + pad_end - kernel) / stride) + 1, per axis.
struct Window {
  std::int64_t kernel_height = 1;
  std::int64_t kernel_width = 1;
  std::int64_t stride_height = 1;
  std::int64_t stride_width = 1;
  std::int64_t pad_top = 0;
  std::int64_t pad_left = 0;
  std::int64_t pad_bottom = 0;
  std::int64_t pad_right = 0;

  auto operator<=>(const Window&) const = default;
};

/// A square window with the same padding on all sides.
Window square_window(std::int64_t kernel, std::int64_t stride, std::int64_t pad);

/// The network's one input, raw samples after the preprocessing of the checkpoint.
struct Input {
  Shape shape;
  bool operator==(const Input&) const = default;
};
/// Cross-correlation with weight [out, in/groups, kh, kw] and optional bias [out].
struct Conv2d {
  std::int64_t out_channels = 0;
  Window window;
  std::int64_t groups = 1;
  bool bias = true;
  bool operator==(const Conv2d&) const = default;
};
/// y = (x - running_mean) / sqrt(running_var + epsilon) * weight + bias, per channel.
struct BatchNorm {
  double epsilon = 1e-5;
  double momentum = 0.1;
  bool operator==(const BatchNorm&) const = default;
};
struct Relu {
  bool operator==(const Relu&) const = default;
};
struct Relu6 {
  bool operator==(const Relu6&) const = default;
};
/// Padding never wins the maximum.
struct MaxPool {
  Window window;
  bool operator==(const MaxPool&) const = default;
};
/// Mean over kernel_height * kernel_width values, padding counted as zero.
struct AvgPool {
  Window window;
  bool operator==(const AvgPool&) const = default;
};
struct GlobalAvgPool {
  bool operator==(const GlobalAvgPool&) const = default;
};
/// Sum of two tensors of equal shape.
struct Add {
  bool operator==(const Add&) const = default;
};
/// {c, h, w} -> {c*h*w, 1, 1} in channel, row, column order.
struct Flatten {
  bool operator==(const Flatten&) const = default;
};
/// y = weight x + bias, weight [out, in]; its input is a vector.
struct Linear {
  std::int64_t out_features = 0;
  bool bias = true;
  bool operator==(const Linear&) const = default;
};
/// Identity outside training.
struct Dropout {
  double rate = 0.5;
  bool operator==(const Dropout&) const = default;
};

using Op = std::variant<Input, Conv2d, BatchNorm, Relu, Relu6, MaxPool, AvgPool, GlobalAvgPool, Add,
                        Flatten, Linear, Dropout>;

/// "conv2d", "batch_norm", "global_avg_pool" ...: the spelling in files and messages.
std::string_view op_name(const Op& op);

/// Joins lambdas into one visitor for std::visit.
template <typename... Callables>
struct Overloaded : Callables... {
  using Callables::operator()...;
};
template <typename... Callables>
Overloaded(Callables...) -> Overloaded<Callables...>;

struct Node {
  std::string name;  ///< [A-Za-z0-9_]+ starting with a letter; unique
  Op op;
  std::vector<std::string> inputs;  ///< names of earlier nodes
  Shape shape;                      ///< of the output, inferred by Graph::append

  bool operator==(const Node&) const = default;
};

/// One tensor that a node learns or keeps.
struct WeightSpec {
  std::string name;  ///< "<node>.weight", ".bias", ".running_mean", ".running_var"
  std::vector<std::int64_t> shape;
  bool trainable = true;  ///< running statistics are not
};

/// Nodes in an order in which every input precedes its user; the first is the input, the last the
/// output. Shapes are inferred and checked as nodes are appended.
class Graph {
 public:
  /// Appends a node, inferring its shape, and returns its name. Throws Error{bad_data} naming the
  /// node for a repeated or malformed name, an unknown input, a wrong number of inputs or shapes
  /// that do not fit (e.g. a window larger than its padded input, channels not divisible by
  /// groups).
  std::string append(std::string name, Op op, std::vector<std::string> inputs = {});

  const std::vector<Node>& nodes() const { return nodes_; }
  bool empty() const { return nodes_.empty(); }

  /// Throws Error{internal} when there is none of that name.
  const Node& node(std::string_view name) const;
  bool contains(std::string_view name) const;
  const Node& input() const { return nodes_.front(); }
  const Node& output() const { return nodes_.back(); }

  /// Names of the nodes that read `name`, in order.
  std::vector<std::string> consumers(std::string_view name) const;

  /// The shape of the (first) input of `node`.
  const Shape& input_shape(const Node& node) const;

  /// The tensors that `node` needs, in the order weight, bias, running_mean, running_var.
  std::vector<WeightSpec> weights(const Node& node) const;
  /// Of all nodes, in order.
  std::vector<WeightSpec> weights() const;

  bool operator==(const Graph&) const = default;

 private:
  std::vector<Node> nodes_;
};

/// {"nodes": [{"name":, "op":, attributes..., "inputs": [...]}, ...]}; defaults are written too.
Json to_json(const Graph& graph);

/// The inverse; unknown ops, keys, missing attributes and misfits throw Error{bad_data} beginning
/// with `name`.
Graph graph_from_json(const Json& json, std::string_view name);

}  // namespace biglittle
