// SPDX-License-Identifier: MIT
#include <array>
#include <limits>

#include "bundle/onnx.h"
#include "bundle/onnx_parts.h"
#include "bundle/onnx_writer.h"
#include "core/error.h"

namespace biglittle {
namespace {

/// Writes one folded float32 network, node by node.
class FloatExport {
 public:
  FloatExport(const Network& network, const Preprocessing& preprocessing)
      : graph_(network.graph), weights_(network.weights), preprocessing_(preprocessing) {}

  OnnxWriter write() && {
    for (const Node& node : graph_.nodes()) {
      std::visit([&](const auto& op) { write(node, op); }, node.op);
    }
    const std::array<std::int64_t, 1> classes = {graph_.output().shape.channels};
    writer_.output("logits", OnnxType::f32, classes);
    return std::move(writer_);
  }

 private:
  const Node& input(const Node& node, std::size_t index = 0) const {
    return graph_.node(node.inputs.at(index));
  }

  std::string weight(const std::string& name) {
    const Tensor& tensor = weights_.at(name);
    return writer_.constant(name, tensor.shape(), tensor.values<float>());
  }

  /// An op that keeps its input's form, image or matrix.
  void write_elementwise(const Node& node, const std::string& op_type,
                         const std::vector<std::string>& constants = {}) {
    const bool image = tensors_.has_image(input(node));
    std::vector<std::string> inputs = {image ? tensors_.image(input(node))
                                             : tensors_.matrix(input(node))};
    inputs.insert(inputs.end(), constants.begin(), constants.end());
    const std::string made = writer_.node(op_type, inputs, node.name);
    image ? tensors_.set_image(node, made) : tensors_.set_matrix(node, made);
  }

  void write(const Node& node, const Input& op) {
    const std::array<std::int64_t, 3> dims = {op.shape.channels, op.shape.height, op.shape.width};
    const bool bytes = preprocessing_.type == SampleType::u8;
    writer_.input("input", bytes ? OnnxType::u8 : OnnxType::f32, dims);
    std::string raw = "input";
    if (bytes) {
      raw = writer_.node("Cast", {raw}, "input/float",
                         {{"to", static_cast<std::int64_t>(OnnxType::f32)}});
    }
    const std::string offset =
        writer_.scalar("input/offset", static_cast<float>(preprocessing_.offset));
    const std::string scale =
        writer_.scalar("input/scale", static_cast<float>(preprocessing_.scale));
    const std::string centered = writer_.node("Sub", {raw, offset}, "input/centered");
    const std::string scaled = writer_.node("Mul", {centered, scale}, "input/scaled");
    tensors_.set_image(node, preprocessing_.with_mirror ? with_mirror(scaled) : scaled);
  }

  /// Samples, then their mirror images, as one batch of twice the size.
  std::string with_mirror(const std::string& samples) {
    const auto list = [&](const std::string& name, std::int64_t value) {
      return writer_.constant(name, {1}, std::span<const std::int64_t>(&value, 1));
    };
    constexpr std::int64_t kBeforeTheFirst = std::numeric_limits<std::int64_t>::min();
    const std::string mirrored =
        writer_.node("Slice",
                     {samples, list("mirror/from", -1), list("mirror/to", kBeforeTheFirst),
                      list("mirror/axis", 3), list("mirror/step", -1)},
                     "input/mirrored");
    return writer_.node("Concat", {samples, mirrored}, "input/both", {{"axis", std::int64_t{0}}});
  }

  /// The mean over both halves of the batch.
  void average(const std::string& both) {
    const std::array<std::int64_t, 3> halves = {2, -1, graph_.output().shape.channels};
    const std::string shape =
        writer_.constant("mirror/halves", {3}, std::span<const std::int64_t>(halves));
    const std::string apart = writer_.node("Reshape", {both, shape}, "logits/apart");
    writer_.node("ReduceMean", {apart}, "logits",
                 {{"axes", std::vector<std::int64_t>{0}}, {"keepdims", std::int64_t{0}}});
  }

  void write(const Node& node, const Conv2d& op) {
    std::vector<OnnxAttribute> attributes = window_attributes(op.window);
    attributes.emplace_back("group", op.groups);
    std::vector<std::string> inputs = {tensors_.image(input(node)), weight(node.name + ".weight")};
    if (op.bias) inputs.push_back(weight(node.name + ".bias"));
    tensors_.set_image(node, writer_.node("Conv", inputs, node.name, attributes));
  }

  void write(const Node& node, const Relu&) { write_elementwise(node, "Relu"); }

  void write(const Node& node, const Relu6&) {
    write_elementwise(node, "Clip", {writer_.scalar("zero", 0.0f), writer_.scalar("six", 6.0f)});
  }

  void write(const Node& node, const MaxPool& op) {
    tensors_.set_image(node, writer_.node("MaxPool", {tensors_.image(input(node))}, node.name,
                                          window_attributes(op.window)));
  }

  void write(const Node& node, const AvgPool& op) {
    std::vector<OnnxAttribute> attributes = window_attributes(op.window);
    attributes.emplace_back("count_include_pad", std::int64_t{1});
    tensors_.set_image(
        node, writer_.node("AveragePool", {tensors_.image(input(node))}, node.name, attributes));
  }

  void write(const Node& node, const GlobalAvgPool&) {
    tensors_.set_image(node,
                       writer_.node("GlobalAveragePool", {tensors_.image(input(node))}, node.name));
  }

  void write(const Node& node, const Add&) {
    tensors_.set_image(
        node, writer_.node("Add", {tensors_.image(input(node)), tensors_.image(input(node, 1))},
                           node.name));
  }

  void write(const Node& node, const Flatten&) {
    tensors_.set_matrix(node, tensors_.matrix(input(node)));
  }

  void write(const Node& node, const Linear& op) {
    std::vector<std::string> inputs = {tensors_.matrix(input(node)), weight(node.name + ".weight")};
    if (op.bias) inputs.push_back(weight(node.name + ".bias"));
    const bool last = &node == &graph_.output();
    const std::string logits = preprocessing_.with_mirror ? "logits/both" : "logits";
    const std::string made =
        writer_.node("Gemm", inputs, last ? logits : node.name, {{"transB", std::int64_t{1}}});
    tensors_.set_matrix(node, made);
    if (last && preprocessing_.with_mirror) average(made);
  }

  void write(const Node& node, const BatchNorm&) { refuse(node); }
  void write(const Node& node, const Dropout&) { refuse(node); }

  [[noreturn]] static void refuse(const Node& node) {
    throw Error(ErrorKind::internal, "node '" + node.name + "' must be folded before export");
  }

  const Graph& graph_;
  const TensorMap& weights_;
  const Preprocessing& preprocessing_;
  OnnxWriter writer_;
  OnnxTensors tensors_{writer_};
};

}  // namespace

std::vector<std::byte> float_onnx(const Network& folded, const Preprocessing& preprocessing,
                                  const OnnxMetadata& metadata) {
  if (folded.graph.empty() || !std::holds_alternative<Linear>(folded.graph.output().op)) {
    throw Error(ErrorKind::bad_data, "a network can be exported when its last node is linear");
  }
  return FloatExport(folded, preprocessing).write().finish("float network", metadata);
}

}  // namespace biglittle
