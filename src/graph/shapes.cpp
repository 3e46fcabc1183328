// SPDX-License-Identifier: MIT
#include "graph/shapes.h"

#include <cmath>
#include <string>

#include "core/error.h"

namespace biglittle {
namespace {

/// Kernels, strides and paddings are at most this: larger ones are mistakes.
constexpr std::int64_t kMaxWindow = 1 << 16;

/// Infers one node's shape; a member per op, so that every message can name the node.
class ShapeInference {
 public:
  ShapeInference(std::string_view name, std::span<const Shape> inputs)
      : name_(name), inputs_(inputs) {}

  Shape operator()(const Input& op) const {
    check_elements({op.shape.channels, op.shape.height, op.shape.width}, "shape");
    return op.shape;
  }

  Shape operator()(const Conv2d& op) const {
    const Shape& in = inputs_[0];
    check_positive(op.out_channels, "out_channels");
    check_positive(op.groups, "groups");
    if (in.channels % op.groups != 0 || op.out_channels % op.groups != 0) {
      fail(std::to_string(in.channels) + " input and " + std::to_string(op.out_channels) +
           " output channels are not divisible by groups = " + std::to_string(op.groups));
    }
    const Shape out = slide(op.window, op.out_channels);
    check_elements(
        {op.out_channels, in.channels / op.groups, op.window.kernel_height, op.window.kernel_width},
        "weight");
    return out;
  }

  Shape operator()(const BatchNorm& op) const {
    if (!(std::isfinite(op.epsilon) && op.epsilon > 0.0)) fail("epsilon must be above 0");
    if (!(op.momentum >= 0.0 && op.momentum <= 1.0)) fail("momentum must be in [0, 1]");
    return inputs_[0];
  }

  Shape operator()(const Relu&) const { return inputs_[0]; }
  Shape operator()(const Relu6&) const { return inputs_[0]; }
  Shape operator()(const MaxPool& op) const { return pool(op.window); }
  Shape operator()(const AvgPool& op) const { return pool(op.window); }
  Shape operator()(const GlobalAvgPool&) const { return {inputs_[0].channels, 1, 1}; }

  Shape operator()(const Add&) const {
    if (inputs_[0] != inputs_[1]) {
      fail("adds tensors of different shapes " + to_string(inputs_[0]) + " and " +
           to_string(inputs_[1]));
    }
    return inputs_[0];
  }

  Shape operator()(const Flatten&) const { return {inputs_[0].count(), 1, 1}; }

  Shape operator()(const Linear& op) const {
    const Shape& in = inputs_[0];
    if (in.height != 1 || in.width != 1) {
      fail("needs a vector but its input is " + to_string(in) +
           "; put flatten or global_avg_pool before it");
    }
    check_elements({op.out_features, in.channels}, "weight");
    return {op.out_features, 1, 1};
  }

  Shape operator()(const Dropout& op) const {
    if (!(op.rate >= 0.0 && op.rate < 1.0)) fail("rate must be in [0, 1)");
    return inputs_[0];
  }

  void check_input_count(const Op& op) const {
    std::size_t expected = 1;
    if (std::holds_alternative<Input>(op)) expected = 0;
    if (std::holds_alternative<Add>(op)) expected = 2;
    if (inputs_.size() != expected) {
      fail(std::string(op_name(op)) + " takes " + std::to_string(expected) + " inputs but has " +
           std::to_string(inputs_.size()));
    }
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw Error(ErrorKind::bad_data, "node '" + std::string(name_) + "': " + reason);
  }

  void check_positive(std::int64_t value, const char* what) const {
    if (value < 1) fail(std::string(what) + " must be at least 1, not " + std::to_string(value));
  }

  void check_elements(std::initializer_list<std::int64_t> sizes, const char* what) const {
    std::int64_t elements = 1;
    for (const std::int64_t size : sizes) {
      check_positive(size, what);
      if (size > kMaxTensorElements / elements) {
        fail(std::string(what) + " has more than " + std::to_string(kMaxTensorElements) +
             " elements");
      }
      elements *= size;
    }
  }

  void check_window(const Window& w) const {
    for (const std::int64_t size :
         {w.kernel_height, w.kernel_width, w.stride_height, w.stride_width}) {
      if (size < 1 || size > kMaxWindow) {
        fail("kernel and stride must be in [1, 65536], not " + std::to_string(size));
      }
    }
    for (const std::int64_t pad : {w.pad_top, w.pad_left, w.pad_bottom, w.pad_right}) {
      if (pad < 0 || pad > kMaxWindow) {
        fail("padding must be in [0, 65536], not " + std::to_string(pad));
      }
    }
  }

  Shape slide(const Window& w, std::int64_t channels) const {
    check_window(w);
    const Shape& in = inputs_[0];
    const std::int64_t rows = in.height + w.pad_top + w.pad_bottom;
    const std::int64_t columns = in.width + w.pad_left + w.pad_right;
    if (w.kernel_height > rows || w.kernel_width > columns) {
      fail("the " + std::to_string(w.kernel_height) + "x" + std::to_string(w.kernel_width) +
           " window is larger than its padded input of " + std::to_string(rows) + "x" +
           std::to_string(columns));
    }
    const Shape out = {channels, (rows - w.kernel_height) / w.stride_height + 1,
                       (columns - w.kernel_width) / w.stride_width + 1};
    check_elements({out.channels, out.height, out.width}, "output");
    return out;
  }

  Shape pool(const Window& w) const {
    // Every window must see at least one pixel: a maximum over padding alone has no value.
    if (w.pad_top >= w.kernel_height || w.pad_bottom >= w.kernel_height ||
        w.pad_left >= w.kernel_width || w.pad_right >= w.kernel_width) {
      fail("the padding of a pool must be smaller than its kernel");
    }
    return slide(w, inputs_[0].channels);
  }

  std::string_view name_;
  std::span<const Shape> inputs_;
};

}  // namespace

Shape infer_shape(std::string_view name, const Op& op, std::span<const Shape> inputs) {
  const ShapeInference inference(name, inputs);
  inference.check_input_count(op);
  return std::visit(inference, op);
}

}  // namespace biglittle
