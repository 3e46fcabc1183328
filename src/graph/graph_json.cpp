// SPDX-License-Identifier: MIT

// The JSON form of a graph. Each op's attributes are stated once, in `attributes`; the writer and
// the reader are visitors over that statement.

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <type_traits>

#include "core/error.h"
#include "core/text.h"
#include "graph/graph.h"

namespace biglittle {
namespace {

template <typename Visitor>
void attributes(Window& window, Visitor& visit) {
  visit("kernel", std::array{&window.kernel_height, &window.kernel_width});
  visit("stride", std::array{&window.stride_height, &window.stride_width});
  visit("padding",
        std::array{&window.pad_top, &window.pad_left, &window.pad_bottom, &window.pad_right});
}

/// Calls `visit(key, place)` for each attribute of `op`; ops without attributes do nothing.
template <typename OpType, typename Visitor>
void attributes(OpType& op, Visitor& visit) {
  if constexpr (std::is_same_v<OpType, Input>) {
    visit("shape", std::array{&op.shape.channels, &op.shape.height, &op.shape.width});
  } else if constexpr (std::is_same_v<OpType, Conv2d>) {
    visit("out_channels", op.out_channels);
    attributes(op.window, visit);
    visit("groups", op.groups);
    visit("bias", op.bias);
  } else if constexpr (std::is_same_v<OpType, BatchNorm>) {
    visit("epsilon", op.epsilon);
    visit("momentum", op.momentum);
  } else if constexpr (std::is_same_v<OpType, MaxPool> || std::is_same_v<OpType, AvgPool>) {
    attributes(op.window, visit);
  } else if constexpr (std::is_same_v<OpType, Linear>) {
    visit("out_features", op.out_features);
    visit("bias", op.bias);
  } else if constexpr (std::is_same_v<OpType, Dropout>) {
    visit("rate", op.rate);
  }
}

struct Writer {
  Json& object;

  template <typename Value>
  void operator()(const char* key, const Value& value) {
    object[key] = value;
  }
  template <std::size_t N>
  void operator()(const char* key, const std::array<std::int64_t*, N>& places) {
    Json list = Json::array();
    for (const std::int64_t* place : places) list.push_back(*place);
    object[key] = std::move(list);
  }
};

/// Reads from one node's object and remembers which keys it asked for.
class Reader {
 public:
  Reader(const Json& object, std::string where) : object_(object), where_(std::move(where)) {}

  void operator()(const char* key, std::int64_t& value) { value = integer(at(key), key); }
  void operator()(const char* key, bool& value) {
    if (!at(key).is_boolean()) fail(key, "must be true or false");
    value = at(key).get<bool>();
  }
  void operator()(const char* key, double& value) {
    if (!at(key).is_number()) fail(key, "must be a number");
    value = at(key).get<double>();
  }
  template <std::size_t N>
  void operator()(const char* key, const std::array<std::int64_t*, N>& places) {
    const Json& list = at(key);
    if (!list.is_array() || list.size() != N) {
      fail(key, "must be a list of " + std::to_string(N) + " whole numbers");
    }
    for (std::size_t i = 0; i < N; ++i) *places[i] = integer(list[i], key);
  }

  std::string text(const char* key) {
    if (!at(key).is_string()) fail(key, "must be a string");
    return at(key).get<std::string>();
  }

  std::vector<std::string> texts(const char* key) {
    std::vector<std::string> values;
    if (!at(key).is_array()) fail(key, "must be a list of node names");
    for (const Json& item : at(key)) {
      if (!item.is_string()) fail(key, "must be a list of node names");
      values.push_back(item.get<std::string>());
    }
    return values;
  }

  void refuse_unknown_keys() const {
    for (const auto& [key, value] : object_.items()) {
      if (!known_.contains(key)) {
        const std::vector<std::string> known(known_.begin(), known_.end());
        throw Error(ErrorKind::bad_data,
                    where_ + ": unknown key '" + key + "'" + did_you_mean(key, known));
      }
    }
  }

  [[noreturn]] void fail(std::string_view key, const std::string& reason) const {
    throw Error(ErrorKind::bad_data, where_ + ": '" + std::string(key) + "' " + reason);
  }

 private:
  const Json& at(const char* key) {
    known_.insert(key);
    const auto found = object_.find(key);
    if (found == object_.end()) fail(key, "is missing");
    return *found;
  }

  std::int64_t integer(const Json& json, const char* key) const {
    // Signed numbers of the text are int64 already; an unsigned one may be too large for it.
    if (!json.is_number_integer() ||
        (json.is_number_unsigned() && json.get<std::uint64_t>() > std::uint64_t{1} << 62)) {
      fail(key, "must hold whole numbers below 2^62");
    }
    return json.get<std::int64_t>();
  }

  const Json& object_;
  std::string where_;
  std::set<std::string> known_;
};

template <std::size_t... Index>
std::vector<Op> every_op(std::index_sequence<Index...>) {
  return {Op(std::in_place_index<Index>)...};
}

/// A default op of the given spelling.
Op make_op(const std::string& spelling, const Reader& reader) {
  static const std::vector<Op> ops = every_op(std::make_index_sequence<std::variant_size_v<Op>>());
  std::vector<std::string> known;
  for (const Op& op : ops) {
    if (op_name(op) == spelling) return op;
    known.emplace_back(op_name(op));
  }
  reader.fail("op", "is the unknown '" + spelling + "'" + did_you_mean(spelling, known));
}

void read_node(const Json& json, const std::string& where, Graph& graph) {
  if (!json.is_object()) throw Error(ErrorKind::bad_data, where + ": must be an object");
  Reader reader(json, where);
  std::string name = reader.text("name");
  Op op = make_op(reader.text("op"), reader);
  std::visit([&](auto& value) { attributes(value, reader); }, op);
  std::vector<std::string> inputs = reader.texts("inputs");
  reader.refuse_unknown_keys();
  graph.append(std::move(name), std::move(op), std::move(inputs));
}

/// A tensor that nobody reads would be computed for nothing, and is a sign of a damaged file.
void refuse_unread_nodes(const Graph& graph) {
  std::set<std::string_view> read;
  for (const Node& node : graph.nodes()) read.insert(node.inputs.begin(), node.inputs.end());
  for (const Node& node : graph.nodes()) {
    if (&node != &graph.output() && !read.contains(node.name)) {
      throw Error(ErrorKind::bad_data, "node '" + node.name + "': is read by no other node");
    }
  }
}

Graph read_graph(const Json& json) {
  if (!json.is_object() || !json.contains("nodes") || json.size() != 1 ||
      !json["nodes"].is_array() || json["nodes"].empty()) {
    throw Error(ErrorKind::bad_data, "a graph must be an object with one list 'nodes'");
  }
  Graph graph;
  std::size_t index = 0;
  for (const Json& node : json["nodes"]) {
    read_node(node, "nodes[" + std::to_string(index) + "]", graph);
    ++index;
  }
  refuse_unread_nodes(graph);
  return graph;
}

}  // namespace

Json to_json(const Graph& graph) {
  Json nodes = Json::array();
  for (const Node& node : graph.nodes()) {
    Json object = {{"name", node.name}, {"op", op_name(node.op)}};
    Writer writer{object};
    // The statement of attributes takes places to read into, so the writer visits a copy.
    Op op = node.op;
    std::visit([&](auto& value) { attributes(value, writer); }, op);
    object["inputs"] = node.inputs;
    nodes.push_back(std::move(object));
  }
  return Json{{"nodes", std::move(nodes)}};
}

Graph graph_from_json(const Json& json, std::string_view name) {
  try {
    return read_graph(json);
  } catch (const Error& error) {
    throw Error(ErrorKind::bad_data, std::string(name) + ": " + error.what());
  }
}

}  // namespace biglittle
