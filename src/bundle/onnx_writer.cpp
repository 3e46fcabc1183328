// SPDX-License-Identifier: MIT
#include "bundle/onnx_writer.h"

#include <bit>
#include <protozero/pbf_writer.hpp>

#include "core/error.h"
#include "core/version.h"

namespace biglittle {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

constexpr std::int64_t kIrVersion = 7;
constexpr std::int64_t kOpset = 13;

// Field numbers of onnx.proto, one namespace a message.
namespace model_field {
constexpr int ir_version = 1, producer_name = 2, producer_version = 3, graph = 7, opset_import = 8,
              metadata_props = 14;
}
namespace graph_field {
constexpr int node = 1, name = 2, initializer = 5, input = 11, output = 12;
}
namespace node_field {
constexpr int input = 1, output = 2, name = 3, op_type = 4, attribute = 5;
}
namespace attribute_field {
constexpr int name = 1, i = 3, ints = 8, type = 20;
constexpr std::int32_t kInt = 2, kInts = 7;
}  // namespace attribute_field
namespace tensor_field {
constexpr int dims = 1, data_type = 2, name = 8, raw_data = 9;
}

std::string encode_value_info(const std::string& name, OnnxType type,
                              std::span<const std::int64_t> dims) {
  std::string shape;
  protozero::pbf_writer shape_writer(shape);
  protozero::pbf_writer(shape_writer, 1).add_string(2, "N");  // dim { dim_param }
  for (const std::int64_t dim : dims) protozero::pbf_writer(shape_writer, 1).add_int64(1, dim);
  std::string tensor_type;
  protozero::pbf_writer tensor_writer(tensor_type);
  tensor_writer.add_int32(1, static_cast<std::int32_t>(type));  // elem_type
  tensor_writer.add_message(2, shape);
  std::string info;
  protozero::pbf_writer writer(info);
  writer.add_string(1, name);
  protozero::pbf_writer(writer, 2).add_message(1, tensor_type);  // type { tensor_type }
  return info;
}

std::string encode_attribute(const OnnxAttribute& attribute) {
  std::string text;
  protozero::pbf_writer writer(text);
  writer.add_string(attribute_field::name, attribute.first);
  if (const auto* number = std::get_if<std::int64_t>(&attribute.second)) {
    writer.add_int64(attribute_field::i, *number);
    writer.add_int32(attribute_field::type, attribute_field::kInt);
    return text;
  }
  for (const std::int64_t number : std::get<std::vector<std::int64_t>>(attribute.second)) {
    writer.add_int64(attribute_field::ints, number);
  }
  writer.add_int32(attribute_field::type, attribute_field::kInts);
  return text;
}

void add_pair(protozero::pbf_writer& model, const std::string& key, const std::string& value) {
  protozero::pbf_writer entry(model, model_field::metadata_props);
  entry.add_string(1, key);
  entry.add_string(2, value);
}

}  // namespace

void OnnxWriter::input(const std::string& name, OnnxType type, std::span<const std::int64_t> dims) {
  inputs_.push_back(encode_value_info(name, type, dims));
}

void OnnxWriter::output(const std::string& name, OnnxType type,
                        std::span<const std::int64_t> dims) {
  outputs_.push_back(encode_value_info(name, type, dims));
}

std::string OnnxWriter::constant(const std::string& name, std::vector<std::int64_t> dims,
                                 std::span<const float> values) {
  return store(name, std::move(dims), OnnxType::f32, std::as_bytes(values));
}
std::string OnnxWriter::constant(const std::string& name, std::vector<std::int64_t> dims,
                                 std::span<const std::int8_t> values) {
  return store(name, std::move(dims), OnnxType::i8, std::as_bytes(values));
}
std::string OnnxWriter::constant(const std::string& name, std::vector<std::int64_t> dims,
                                 std::span<const std::uint8_t> values) {
  return store(name, std::move(dims), OnnxType::u8, std::as_bytes(values));
}
std::string OnnxWriter::constant(const std::string& name, std::vector<std::int64_t> dims,
                                 std::span<const std::int32_t> values) {
  return store(name, std::move(dims), OnnxType::i32, std::as_bytes(values));
}
std::string OnnxWriter::constant(const std::string& name, std::vector<std::int64_t> dims,
                                 std::span<const std::int64_t> values) {
  return store(name, std::move(dims), OnnxType::i64, std::as_bytes(values));
}

std::string OnnxWriter::store(const std::string& name, std::vector<std::int64_t> dims,
                              OnnxType type, std::span<const std::byte> bytes) {
  std::string tensor;
  protozero::pbf_writer writer(tensor);
  for (const std::int64_t dim : dims) writer.add_int64(tensor_field::dims, dim);
  writer.add_int32(tensor_field::data_type, static_cast<std::int32_t>(type));
  writer.add_string(tensor_field::name, name);
  writer.add_bytes(tensor_field::raw_data, reinterpret_cast<const char*>(bytes.data()),
                   bytes.size());
  const auto [place, is_new] = constant_index_.try_emplace(name, constants_.size());
  if (is_new) {
    constants_.push_back(std::move(tensor));
  } else if (constants_[place->second] != tensor) {
    throw Error(ErrorKind::internal, "two different ONNX constants are named " + name);
  }
  return name;
}

std::string OnnxWriter::node(const std::string& op_type, const std::vector<std::string>& inputs,
                             const std::string& output,
                             const std::vector<OnnxAttribute>& attributes) {
  if (!made_.insert(output).second) {
    throw Error(ErrorKind::internal, "two ONNX nodes make " + output);
  }
  std::string text;
  protozero::pbf_writer writer(text);
  for (const std::string& input : inputs) writer.add_string(node_field::input, input);
  writer.add_string(node_field::output, output);
  writer.add_string(node_field::name, output);
  writer.add_string(node_field::op_type, op_type);
  for (const OnnxAttribute& attribute : attributes) {
    writer.add_message(node_field::attribute, encode_attribute(attribute));
  }
  nodes_.push_back(std::move(text));
  return output;
}

std::vector<std::byte> OnnxWriter::finish(
    const std::string& graph_name, const std::map<std::string, std::string>& metadata) const {
  std::string graph;
  protozero::pbf_writer graph_writer(graph);
  for (const std::string& node : nodes_) graph_writer.add_message(graph_field::node, node);
  graph_writer.add_string(graph_field::name, graph_name);
  for (const std::string& tensor : constants_) {
    graph_writer.add_message(graph_field::initializer, tensor);
  }
  for (const std::string& info : inputs_) graph_writer.add_message(graph_field::input, info);
  for (const std::string& info : outputs_) graph_writer.add_message(graph_field::output, info);
  std::string model;
  protozero::pbf_writer writer(model);
  writer.add_int64(model_field::ir_version, kIrVersion);
  writer.add_string(model_field::producer_name, "biglittle");
  writer.add_string(model_field::producer_version, std::string(program_version()));
  writer.add_message(model_field::graph, graph);
  protozero::pbf_writer(writer, model_field::opset_import).add_int64(2, kOpset);
  for (const auto& [key, value] : metadata) add_pair(writer, key, value);
  const auto bytes = std::as_bytes(std::span(model));
  return {bytes.begin(), bytes.end()};
}

}  // namespace biglittle
