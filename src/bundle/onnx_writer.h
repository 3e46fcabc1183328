// SPDX-License-Identifier: MIT
#pragma once

// Collects the nodes and constants of one ONNX graph and writes the model's protobuf bytes through
// protozero. It knows the file format, not networks.

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace biglittle {

/// The numbers of onnx.proto's TensorProto.DataType.
enum class OnnxType : std::int32_t { f32 = 1, u8 = 2, i8 = 3, i32 = 6, i64 = 7 };

/// An attribute of a node: one whole number or a list of them.
using OnnxAttribute = std::pair<std::string, std::variant<std::int64_t, std::vector<std::int64_t>>>;

/// A model of opset 13 and IR version 7 under construction: nodes in the order in which they run.
class OnnxWriter {
 public:
  /// Declares a graph input or output [N, dims...]; N is dynamic.
  void input(const std::string& name, OnnxType type, std::span<const std::int64_t> dims);
  void output(const std::string& name, OnnxType type, std::span<const std::int64_t> dims);

  /// Adds a constant, unless one of that name is there already (which must then be the same), and
  /// returns its name. An empty shape is a scalar.
  std::string constant(const std::string& name, std::vector<std::int64_t> dims,
                       std::span<const float> values);
  std::string constant(const std::string& name, std::vector<std::int64_t> dims,
                       std::span<const std::int8_t> values);
  std::string constant(const std::string& name, std::vector<std::int64_t> dims,
                       std::span<const std::uint8_t> values);
  std::string constant(const std::string& name, std::vector<std::int64_t> dims,
                       std::span<const std::int32_t> values);
  std::string constant(const std::string& name, std::vector<std::int64_t> dims,
                       std::span<const std::int64_t> values);
  template <typename T>
  std::string scalar(const std::string& name, T value) {
    return constant(name, {}, std::span<const T>(&value, 1));
  }

  /// Appends a node named after its one output and returns that name.
  std::string node(const std::string& op_type, const std::vector<std::string>& inputs,
                   const std::string& output, const std::vector<OnnxAttribute>& attributes = {});

  /// The file. The same calls always give the same bytes.
  std::vector<std::byte> finish(const std::string& graph_name,
                                const std::map<std::string, std::string>& metadata) const;

 private:
  std::string store(const std::string& name, std::vector<std::int64_t> dims, OnnxType type,
                    std::span<const std::byte> bytes);

  // Messages already encoded, in the order of the calls.
  std::vector<std::string> nodes_;
  std::vector<std::string> inputs_;
  std::vector<std::string> outputs_;
  std::vector<std::string> constants_;
  std::map<std::string, std::size_t> constant_index_;
  std::set<std::string> made_;  ///< tensors that nodes made
};

}  // namespace biglittle
