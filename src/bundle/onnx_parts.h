// SPDX-License-Identifier: MIT
#pragma once

// What the float and the int8 exporter share: windows as attributes, and tensors that are images
// [N, C, H, W] here and matrices [N, C] there.

#include <map>
#include <string>
#include <vector>

#include "bundle/onnx_writer.h"
#include "graph/graph.h"

namespace biglittle {

/// kernel_shape, strides and pads of Conv and the pools.
std::vector<OnnxAttribute> window_attributes(const Window& window);

/// The ONNX tensor of each graph node, as [N, C, H, W] or [N, C]. Asking for the other form adds
/// the node that makes it, once.
class OnnxTensors {
 public:
  explicit OnnxTensors(OnnxWriter& writer) : writer_(writer) {}

  void set_image(const Node& node, std::string tensor) { images_[node.name] = std::move(tensor); }
  void set_matrix(const Node& node, std::string tensor) {
    matrices_[node.name] = std::move(tensor);
  }

  /// True when the node's value exists as [N, C, H, W] without another ONNX node.
  bool has_image(const Node& node) const { return images_.contains(node.name); }

  std::string image(const Node& node);
  /// [N, elements of the node].
  std::string matrix(const Node& node);

 private:
  OnnxWriter& writer_;
  std::map<std::string, std::string> images_;
  std::map<std::string, std::string> matrices_;
};

}  // namespace biglittle
