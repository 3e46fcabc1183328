// SPDX-License-Identifier: MIT
#include "bench/usual_onnx.h"

#include <array>

#include "bundle/onnx_parts.h"
#include "bundle/onnx_writer.h"
#include "core/error.h"

namespace biglittle::bench {
namespace {

class UsualExport {
 public:
  explicit UsualExport(const Int8Model& model) : model_(model) {}

  OnnxWriter write() && {
    for (const Node& node : model_.graph.nodes()) {
      std::visit([&](const auto& op) { write(node, op); }, node.op);
    }
    const std::array<std::int64_t, 1> classes = {model_.graph.output().shape.channels};
    writer_.output("logits", OnnxType::f32, classes);
    return std::move(writer_);
  }

 private:
  const Node& input(const Node& node, std::size_t index = 0) const {
    return model_.graph.node(node.inputs.at(index));
  }

  /// The scale and zero point of a node's values, held as q + 128.
  std::vector<std::string> quantization(const Node& node) {
    const Quantization& values = model_.activations.at(node.name);
    return {
        writer_.scalar(node.name + "/scale", values.scale),
        writer_.scalar(node.name + "/zero", static_cast<std::uint8_t>(values.zero_point + 128))};
  }

  std::string with(const std::string& op, const std::string& tensor, const Node& quantized,
                   const std::string& name) {
    std::vector<std::string> inputs = {tensor};
    for (const std::string& constant : quantization(quantized)) inputs.push_back(constant);
    return writer_.node(op, inputs, name);
  }

  std::string real_image(const Node& node, std::size_t index = 0) {
    const Node& from = input(node, index);
    return with("DequantizeLinear", tensors_.image(from), from,
                node.name + "/input" + std::to_string(index));
  }

  void set_image(const Node& node, const std::string& real) {
    tensors_.set_image(node, with("QuantizeLinear", real, node, node.name));
  }

  /// Weight and bias as real numbers, from int8 and int32 constants.
  std::vector<std::string> parameters(const Node& node) {
    const Tensor& weight = model_.weights.at(node.name + ".weight");
    const Tensor& bias = model_.weights.at(node.name + ".bias");
    const Tensor& scale = model_.weights.at(node.name + ".weight_scale");
    std::vector<float> bias_scales;
    for (const float value : scale.values<float>()) {
      bias_scales.push_back(model_.activations.at(node.inputs.at(0)).scale * value);
    }
    const auto real = [&](const std::string& name, const std::string& constant,
                          const std::string& scales) {
      return writer_.node("DequantizeLinear", {constant, scales}, name,
                          {{"axis", std::int64_t{0}}});
    };
    return {
        real(node.name + "/weight",
             writer_.constant(node.name + ".weight", weight.shape(), weight.values<std::int8_t>()),
             writer_.constant(node.name + ".weight_scale", scale.shape(), scale.values<float>())),
        real(node.name + "/bias",
             writer_.constant(node.name + ".bias", bias.shape(), bias.values<std::int32_t>()),
             writer_.constant(node.name + ".bias_scale", scale.shape(),
                              std::span<const float>(bias_scales)))};
  }

  void write(const Node& node, const Input& op) {
    const std::array<std::int64_t, 3> dims = {op.shape.channels, op.shape.height, op.shape.width};
    writer_.input("input", OnnxType::u8, dims);
    tensors_.set_image(node, "input");
  }

  void write(const Node& node, const Conv2d& op) {
    std::vector<OnnxAttribute> attributes = window_attributes(op.window);
    attributes.emplace_back("group", op.groups);
    std::vector<std::string> inputs = parameters(node);
    inputs.insert(inputs.begin(), real_image(node));
    set_image(node, writer_.node("Conv", inputs, node.name + "/real", attributes));
  }

  /// The last layer's sums stay real numbers.
  void write(const Node& node, const Linear&) {
    const Node& from = input(node);
    const bool last = &node == &model_.graph.output();
    std::vector<std::string> inputs = parameters(node);
    inputs.insert(inputs.begin(),
                  with("DequantizeLinear", tensors_.matrix(from), from, node.name + "/input"));
    const std::string real = writer_.node("Gemm", inputs, last ? "logits" : node.name + "/real",
                                          {{"transB", std::int64_t{1}}});
    if (!last) tensors_.set_matrix(node, with("QuantizeLinear", real, node, node.name));
  }

  void write(const Node& node, const MaxPool& op) {
    set_image(node, writer_.node("MaxPool", {real_image(node)}, node.name + "/real",
                                 window_attributes(op.window)));
  }

  void write(const Node& node, const GlobalAvgPool&) {
    set_image(node, writer_.node("GlobalAveragePool", {real_image(node)}, node.name + "/real"));
  }

  void write(const Node& node, const Add&) {
    set_image(node,
              writer_.node("Add", {real_image(node), real_image(node, 1)}, node.name + "/real"));
  }

  /// The QuantizeLinear before it cuts off what the relu would.
  void write(const Node& node, const Relu&) {
    const Node& from = input(node);
    if (model_.activations.at(node.name).zero_point != -128) refuse(node);
    if (tensors_.has_image(from)) {
      tensors_.set_image(node, tensors_.image(from));
    } else {
      tensors_.set_matrix(node, tensors_.matrix(from));
    }
  }

  void write(const Node& node, const Flatten&) {
    tensors_.set_matrix(node, tensors_.matrix(input(node)));
  }

  template <typename Other>
  void write(const Node& node, const Other&) {
    refuse(node);
  }

  [[noreturn]] static void refuse(const Node& node) {
    throw Error(ErrorKind::internal, "node '" + node.name + "' has no usual int8 form");
  }

  const Int8Model& model_;
  OnnxWriter writer_;
  OnnxTensors tensors_{writer_};
};

}  // namespace

std::vector<std::byte> usual_onnx(const Int8Model& model) {
  return UsualExport(model).write().finish("int8 network", {});
}

std::vector<std::byte> empty_onnx(std::int64_t classes) {
  OnnxWriter writer;
  const std::array<std::int64_t, 1> dims = {classes};
  writer.input("input", OnnxType::f32, dims);
  writer.node("Identity", {"input"}, "logits");
  writer.output("logits", OnnxType::f32, dims);
  return writer.finish("empty network", {});
}

}  // namespace biglittle::bench
