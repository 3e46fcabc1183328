// SPDX-License-Identifier: MIT
#include "bundle/onnx_parts.h"

#include <array>

namespace biglittle {

std::vector<OnnxAttribute> window_attributes(const Window& window) {
  return {{"kernel_shape", std::vector<std::int64_t>{window.kernel_height, window.kernel_width}},
          {"strides", std::vector<std::int64_t>{window.stride_height, window.stride_width}},
          {"pads", std::vector<std::int64_t>{window.pad_top, window.pad_left, window.pad_bottom,
                                             window.pad_right}}};
}

std::string OnnxTensors::image(const Node& node) {
  std::string& tensor = images_[node.name];
  if (tensor.empty()) {
    // 0 keeps the batch dimension.
    const std::array<std::int64_t, 4> shape = {0, node.shape.channels, node.shape.height,
                                               node.shape.width};
    const std::string target =
        writer_.constant("shape_" + to_string(node.shape), {4}, std::span(shape));
    tensor = writer_.node("Reshape", {matrices_.at(node.name), target}, node.name + "/image");
  }
  return tensor;
}

std::string OnnxTensors::matrix(const Node& node) {
  std::string& tensor = matrices_[node.name];
  if (tensor.empty()) {
    tensor = writer_.node("Flatten", {images_.at(node.name)}, node.name + "/matrix",
                          {{"axis", std::int64_t{1}}});
  }
  return tensor;
}

}  // namespace biglittle
