// SPDX-License-Identifier: MIT

// Activations and weights are held as uint8, value + 128; the integers are those of
// quant/arithmetic.h. Raw bytes then are the network's input as they come, and ONNX Runtime fuses
// every layer. Signed weights would be up to 1.7 times faster on x86 with VNNI, but on x86 with
// AVX2 alone ONNX Runtime multiplies unsigned by signed bytes with 16-bit saturation: all
// accumulators of networks with large weights were wrong there.

#include <array>

#include "bundle/onnx.h"
#include "bundle/onnx_parts.h"
#include "bundle/onnx_writer.h"
#include "core/error.h"
#include "quant/arithmetic.h"

namespace biglittle {
namespace {

constexpr std::int32_t kUnsigned = 128;  ///< uint8 = int8 + 128

std::size_t as_size(std::int64_t value) { return static_cast<std::size_t>(value); }

std::uint8_t as_unsigned(std::int32_t value) {
  return static_cast<std::uint8_t>(value + kUnsigned);
}

/// The constants of a conv2d: names of ONNX tensors.
struct Filters {
  std::string weight;
  std::string scale;
  std::string zero_point;
  std::string bias;
};

/// Writes one int8 network, node by node.
class Int8Export {
 public:
  Int8Export(const Int8Model& model, Int8OnnxForm form) : model_(model), form_(form) {}

  OnnxWriter write() && {
    for (const Node& node : graph().nodes()) {
      std::visit([&](const auto& op) { write(node, op); }, node.op);
    }
    return std::move(writer_);
  }

 private:
  const Graph& graph() const { return model_.graph; }
  const Node& input(const Node& node, std::size_t index = 0) const {
    return graph().node(node.inputs.at(index));
  }
  const Quantization& quantization(const Node& node) const {
    return model_.activations.at(node.name);
  }

  std::string scale_of(const Node& node) {
    return writer_.scalar(node.name + "/scale", quantization(node).scale);
  }
  std::string zero_point_of(const Node& node) {
    return writer_.scalar(node.name + "/zero_point", as_unsigned(quantization(node).zero_point));
  }
  std::string one() { return writer_.scalar("one", 1.0f); }

  /// The node's integers q - z as exact floats.
  std::string centered(const Node& node, const std::string& name) {
    return writer_.node("DequantizeLinear", {tensors_.image(node), one(), zero_point_of(node)},
                        name);
  }

  /// requantize(acc, multiplier, z) of an exact whole number held in a float tensor: one float32
  /// product, then QuantizeLinear by 1, which rounds half to even.
  void requantize_exact(const Node& node, const std::string& accumulators, float multiplier) {
    const std::string factor = writer_.scalar(node.name + "/multiplier", multiplier);
    const std::string product = writer_.node("Mul", {accumulators, factor}, node.name + "/product");
    tensors_.set_image(
        node, writer_.node("QuantizeLinear", {product, one(), zero_point_of(node)}, node.name));
  }

  void write(const Node& node, const Input& op) {
    const std::array<std::int64_t, 3> dims = {op.shape.channels, op.shape.height, op.shape.width};
    if (model_.preprocessing.type == SampleType::u8) {
      writer_.input("input", OnnxType::u8, dims);
      tensors_.set_image(node, "input");
      return;
    }
    writer_.input("input", OnnxType::f32, dims);
    const std::string offset =
        writer_.scalar("input/offset", static_cast<float>(model_.preprocessing.offset));
    const std::string step = writer_.scalar("input/step", model_.input_step);
    const std::string shifted = writer_.node("Sub", {"input", offset}, "input/shifted");
    tensors_.set_image(node, writer_.node("QuantizeLinear", {shifted, step, zero_point_of(node)},
                                          "input/quantized"));
  }

  void write(const Node& node, const Conv2d& op) {
    std::vector<OnnxAttribute> attributes = window_attributes(op.window);
    attributes.emplace_back("group", op.groups);
    write_filters(node, model_.weights.at(node.name + ".weight").shape(), attributes);
  }

  void write(const Node& node, const Linear&) {
    if (&node == &graph().output()) {
      write_accumulators(node);
      return;
    }
    // A 1x1 convolution computes the same and has the same fast kernels.
    std::vector<std::int64_t> shape = model_.weights.at(node.name + ".weight").shape();
    shape.insert(shape.end(), {1, 1});
    write_filters(node, shape, window_attributes(Window{}));
  }

  /// A conv2d, or a linear layer as one.
  void write_filters(const Node& node, const std::vector<std::int64_t>& shape,
                     const std::vector<OnnxAttribute>& attributes) {
    const Tensor& bias = model_.weights.at(node.name + ".bias");
    const Tensor& scale = model_.weights.at(node.name + ".weight_scale");
    const std::vector<std::uint8_t> weight = unsigned_weight(node);
    const std::vector<std::uint8_t> zeros(as_size(shape.front()), as_unsigned(0));
    const Filters filters = {
        writer_.constant(node.name + ".weight", shape, std::span<const std::uint8_t>(weight)),
        writer_.constant(node.name + ".weight_scale", scale.shape(), scale.values<float>()),
        writer_.constant(node.name + ".weight_zero_point", {shape.front()},
                         std::span<const std::uint8_t>(zeros)),
        writer_.constant(node.name + ".bias", bias.shape(), bias.values<std::int32_t>())};
    const std::string x = tensors_.image(input(node));
    tensors_.set_image(node, form_ == Int8OnnxForm::qdq
                                 ? write_dequantized(node, x, filters, attributes)
                                 : write_qlinear(node, x, filters, attributes));
  }

  /// DequantizeLinear -> Conv -> QuantizeLinear. ONNX Runtime makes one QLinearConv of it.
  std::string write_dequantized(const Node& node, const std::string& x, const Filters& filters,
                                const std::vector<OnnxAttribute>& attributes) {
    const Node& from = input(node);
    std::vector<float> bias_scales;
    for (const float scale : model_.weights.at(node.name + ".weight_scale").values<float>()) {
      bias_scales.push_back(quantization(from).scale * scale);
    }
    const std::string bias_scale = writer_.constant(
        node.name + ".bias_scale", {node.shape.channels}, std::span<const float>(bias_scales));
    const auto real = [&](const std::vector<std::string>& inputs, const std::string& name) {
      return writer_.node("DequantizeLinear", inputs, node.name + name,
                          {{"axis", std::int64_t{0}}});
    };
    const std::string real_x = writer_.node(
        "DequantizeLinear", {x, scale_of(from), zero_point_of(from)}, node.name + "/input");
    const std::string real_weight =
        real({filters.weight, filters.scale, filters.zero_point}, "/weight");
    const std::string real_bias = real({filters.bias, bias_scale}, "/bias");
    const std::string y =
        writer_.node("Conv", {real_x, real_weight, real_bias}, node.name + "/real", attributes);
    return writer_.node("QuantizeLinear", {y, scale_of(node), zero_point_of(node)}, node.name);
  }

  std::string write_qlinear(const Node& node, const std::string& x, const Filters& filters,
                            const std::vector<OnnxAttribute>& attributes) {
    const Node& from = input(node);
    return writer_.node("QLinearConv",
                        {x, scale_of(from), zero_point_of(from), filters.weight, filters.scale,
                         filters.zero_point, scale_of(node), zero_point_of(node), filters.bias},
                        node.name, attributes);
  }

  std::vector<std::uint8_t> unsigned_weight(const Node& node) const {
    std::vector<std::uint8_t> weight;
    for (const std::int8_t value : model_.weights.at(node.name + ".weight").values<std::int8_t>()) {
      weight.push_back(as_unsigned(value));
    }
    return weight;
  }

  /// The last linear layer: int32 sums, and the logits as one product a sum.
  void write_accumulators(const Node& node) {
    const Node& from = input(node);
    const std::int64_t outputs = node.shape.channels;
    const std::int64_t inputs = from.shape.channels;
    const std::vector<std::uint8_t> rows = unsigned_weight(node);
    std::vector<std::uint8_t> columns(rows.size());  // MatMulInteger wants [inputs, outputs]
    for (std::int64_t o = 0; o < outputs; ++o) {
      for (std::int64_t i = 0; i < inputs; ++i) {
        columns[as_size(i * outputs + o)] = rows[as_size(o * inputs + i)];
      }
    }
    const std::string weight = writer_.constant(node.name + ".weight", {inputs, outputs},
                                                std::span<const std::uint8_t>(columns));
    const std::string weight_zero =
        writer_.scalar(node.name + ".weight_zero_point", as_unsigned(0));
    const Tensor& biases = model_.weights.at(node.name + ".bias");
    const std::string bias =
        writer_.constant(node.name + ".bias", biases.shape(), biases.values<std::int32_t>());
    const std::string sums = writer_.node(
        "MatMulInteger", {tensors_.matrix(from), weight, zero_point_of(from), weight_zero},
        node.name + "/sums");
    const std::string accumulators = writer_.node("Add", {sums, bias}, "accumulators");
    const std::string unit = writer_.scalar("logits/scale", logit_scale(model_));
    writer_.node("Mul", {cast(accumulators, node.name + "/float"), unit}, "logits");
    const std::array<std::int64_t, 1> classes = {outputs};
    writer_.output("accumulators", OnnxType::i32, classes);
    writer_.output("logits", OnnxType::f32, classes);
  }

  std::string cast(const std::string& tensor, const std::string& name) {
    return writer_.node("Cast", {tensor}, name, {{"to", static_cast<std::int64_t>(OnnxType::f32)}});
  }

  void write(const Node& node, const Relu&) { write_clip(node, 127); }
  void write(const Node& node, const Relu6&) { write_clip(node, relu6_limit(quantization(node))); }

  /// max(q, z), and at most `limit`: nothing at all when that is the whole range of int8.
  void write_clip(const Node& node, std::int32_t limit) {
    const std::int32_t zero_point = quantization(node).zero_point;
    const std::string x = tensors_.image(input(node));
    if (zero_point == -128 && limit == 127) {
      tensors_.set_image(node, x);
      return;
    }
    const std::string low = zero_point_of(node);
    const std::string high = writer_.scalar(node.name + "/limit", as_unsigned(limit));
    tensors_.set_image(node, writer_.node("Clip", {x, low, high}, node.name));
  }

  void write(const Node& node, const MaxPool& op) {
    tensors_.set_image(node, writer_.node("MaxPool", {tensors_.image(input(node))}, node.name,
                                          window_attributes(op.window)));
  }

  /// The sum over the window as a depthwise integer convolution with ones.
  void write(const Node& node, const AvgPool& op) {
    const std::int64_t channels = node.shape.channels;
    const std::vector<std::int64_t> shape = {channels, 1, op.window.kernel_height,
                                             op.window.kernel_width};
    const std::vector<std::uint8_t> filled(as_size(channels * shape[2] * shape[3]), 1);
    const std::string ones =
        writer_.constant(node.name + "/ones", shape, std::span<const std::uint8_t>(filled));
    const std::string zero = writer_.scalar("zero", std::uint8_t{0});
    std::vector<OnnxAttribute> attributes = window_attributes(op.window);
    attributes.emplace_back("group", channels);
    const Node& from = input(node);
    const std::string sums =
        writer_.node("ConvInteger", {tensors_.image(from), ones, zero_point_of(from), zero},
                     node.name + "/sums", attributes);
    requantize_exact(node, cast(sums, node.name + "/float"), pool_multiplier(model_, node));
  }

  void write(const Node& node, const GlobalAvgPool&) {
    const std::array<std::int64_t, 2> axes = {2, 3};
    const std::string image_axes =
        writer_.constant("image_axes", {2}, std::span<const std::int64_t>(axes));
    const std::string sums =
        writer_.node("ReduceSum", {centered(input(node), node.name + "/centered"), image_axes},
                     node.name + "/sums");
    requantize_exact(node, sums, pool_multiplier(model_, node));
  }

  void write(const Node& node, const Add&) {
    const AddConstants constants = add_constants(model_, node);
    const auto term = [&](std::size_t index, const std::string& side, std::int32_t factor) {
      const std::string name = node.name + "/" + side;
      const std::string constant = writer_.scalar(name + "_factor", static_cast<float>(factor));
      return writer_.node("Mul", {centered(input(node, index), name + "_centered"), constant},
                          name);
    };
    const std::string left = term(0, "left", constants.left);
    const std::string right = term(1, "right", constants.right);
    requantize_exact(node, writer_.node("Add", {left, right}, node.name + "/sum"),
                     constants.multiplier);
  }

  void write(const Node& node, const Flatten&) {
    tensors_.set_matrix(node, tensors_.matrix(input(node)));
  }

  void write(const Node& node, const BatchNorm&) { refuse(node); }
  void write(const Node& node, const Dropout&) { refuse(node); }

  [[noreturn]] static void refuse(const Node& node) {
    throw Error(ErrorKind::internal, "node '" + node.name + "' has no int8 form");
  }

  const Int8Model& model_;
  Int8OnnxForm form_;
  OnnxWriter writer_;
  OnnxTensors tensors_{writer_};
};

}  // namespace

std::vector<std::byte> int8_onnx(const Int8Model& model, const OnnxMetadata& metadata,
                                 Int8OnnxForm form) {
  check_int8_model(model, "int8 network");
  return Int8Export(model, form).write().finish("int8 network", metadata);
}

}  // namespace biglittle
