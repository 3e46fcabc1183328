// SPDX-License-Identifier: MIT
#include "bench/networks.h"

#include <cmath>
#include <functional>
#include <utility>

#include "bench/float_values.h"
#include "core/error.h"
#include "core/random.h"
#include "core/text.h"
#include "core/version.h"
#include "graph/zoo.h"
#include "quant/lowering.h"
#include "quant/ranges.h"

namespace biglittle::bench {
namespace {

constexpr std::uint64_t kSeed = 20260;
constexpr std::int64_t kSamples = 8;

/// Bytes with every value equally likely, brought to mean 0 and deviation 1.
constexpr Preprocessing kPreprocessing = {SampleType::u8, 1.0 / 74.0, 128.0};

Graph zoo_graph(Architecture arch, std::int64_t depth, std::int64_t width, const Shape& input,
                std::int64_t classes) {
  NetworkOptions options;
  options.arch = arch;
  options.depth = depth;
  options.width = width;
  return build_network(options, input, classes);
}

/// A chain of convolutions with bias and relu, ended by a global average and a linear layer.
class Chain {
 public:
  explicit Chain(const Shape& input) { last_ = graph_.append("input", Input{input}); }

  void conv(std::int64_t channels, const Window& window, std::int64_t groups = 1) {
    const std::string name = "conv" + std::to_string(++count_);
    graph_.append(name, Conv2d{channels, window, groups}, {last_});
    last_ = graph_.append(name + "_relu", Relu{}, {name});
  }

  /// A depthwise 3x3 convolution and a pointwise one to `channels`.
  void separable(std::int64_t channels, std::int64_t stride) {
    const std::int64_t depth = graph_.node(last_).shape.channels;
    conv(depth, square_window(3, stride, 1), depth);
    conv(channels, square_window(1, 1, 0));
  }

  Graph finish(std::int64_t classes) {
    graph_.append("pool", GlobalAvgPool{}, {last_});
    graph_.append("classifier", Linear{classes}, {"pool"});
    return std::move(graph_);
  }

 private:
  Graph graph_;
  std::string last_;
  int count_ = 0;
};

/// Zhang et al. 2017, "Hello Edge", with the stem of MLPerf Tiny.
Graph keyword_spotter() {
  Chain chain({1, 49, 10});
  chain.conv(64, Window{10, 4, 2, 2, 4, 1, 5, 1});
  for (int block = 0; block < 4; ++block) chain.separable(64, 1);
  return chain.finish(12);
}

/// Howard et al. 2017, table 1, a quarter of the channels.
Graph mobilenet() {
  Chain chain({3, 96, 96});
  chain.conv(8, square_window(3, 2, 1));
  const std::pair<std::int64_t, std::int64_t> blocks[] = {
      {16, 1},  {32, 2},  {32, 1},  {64, 2},  {64, 1},  {128, 2}, {128, 1},
      {128, 1}, {128, 1}, {128, 1}, {128, 1}, {256, 2}, {256, 1}};
  for (const auto& [channels, stride] : blocks) chain.separable(channels, stride);
  return chain.finish(2);
}

struct Recipe {
  std::string name;
  std::function<Graph()> build;
};

const std::vector<Recipe>& recipes() {
  using enum Architecture;
  static constexpr Shape kColour = {3, 32, 32};
  static constexpr Shape kGray = {1, 28, 28};
  static const std::vector<Recipe> all = {
      {"resnet-8", [] { return zoo_graph(resnet, 8, 16, kColour, 10); }},
      {"ds-cnn", keyword_spotter},
      {"lenet-5", [] { return zoo_graph(lenet, 0, 6, kGray, 10); }},
      {"mobilenet-0.25", mobilenet},
      {"resnet-8-w40", [] { return zoo_graph(resnet, 8, 40, kColour, 10); }},
      {"mlp", [] { return zoo_graph(mlp, 0, 16, kGray, 10); }},
      {"vgg-6", [] { return zoo_graph(vgg, 6, 16, kColour, 10); }},
      {"resnet-20", [] { return zoo_graph(resnet, 20, 16, kColour, 10); }},
      {"conv-1d",
       [] {
         return zoo_graph(vgg, 6, 16, {3, 1, 256}, 6);
       }},
      {"demo", [] { return zoo_graph(ds_cnn, 0, 16, kGray, 4); }},
  };
  return all;
}

/// Weights that keep the size of activations about the same from layer to layer (He et al. 2015).
TensorMap random_weights(const Graph& graph) {
  TensorMap weights;
  Random random(kSeed);
  for (const WeightSpec& spec : graph.weights()) {
    Tensor tensor(DType::f32, spec.shape);
    const bool filter = spec.shape.size() > 1;
    const auto fan_in = static_cast<double>(tensor.count() / spec.shape.front());
    const bool spread = spec.name.ends_with("_bn.weight") || spec.name.ends_with(".running_var");
    for (float& value : tensor.values<float>()) {
      const double normal = random.normal();
      value = static_cast<float>(filter   ? normal * std::sqrt(2.0 / fan_in)
                                 : spread ? 0.8 + 0.4 * random.uniform()
                                          : 0.1 * normal);
    }
    weights.emplace(spec.name, std::move(tensor));
  }
  return weights;
}

Samples random_samples(const Shape& shape) {
  Random random(kSeed, 1);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(kSamples * shape.count()));
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.below(256));
  return {shape, std::move(bytes)};
}

std::vector<float> normalized(const Samples& samples, std::int64_t row) {
  const auto size = static_cast<std::size_t>(samples.shape.count());
  std::vector<float> values;
  for (const std::uint8_t byte :
       samples.bytes().subspan(static_cast<std::size_t>(row) * size, size)) {
    values.push_back(static_cast<float>(kPreprocessing.scale * (byte - kPreprocessing.offset)));
  }
  return values;
}

/// The range of every node that has its own, by name of its source, as observe_ranges gives them.
std::map<std::string, Range> observed_ranges(const Network& folded, const Samples& samples) {
  std::map<std::string, Range> ranges;
  for (std::int64_t row = 0; row < samples.count(); ++row) {
    const auto values = float_values(folded, normalized(samples, row));
    for (const Node& node : folded.graph.nodes()) {
      if (!has_own_range(node) || node.name == folded.graph.output().name) continue;
      const std::string& source = range_source(folded.graph, node).name;
      ranges[source] = widen_range(ranges[source], values.at(source));
    }
  }
  return ranges;
}

/// Every class but the last is a priority class: what device code wants to know.
void name_classes(Int8Model& model) {
  PriorityMap map;
  const std::int64_t outputs = model.graph.output().shape.channels;
  for (std::int64_t i = 0; i < outputs; ++i) {
    map.names.push_back(i + 1 < outputs ? "class " + std::to_string(i) : "other");
    map.little_of_big.push_back(i);
  }
  model.classes = map.names;
  model.priority = map;
}

}  // namespace

std::vector<std::string> network_names() {
  std::vector<std::string> names;
  for (const Recipe& recipe : recipes()) names.push_back(recipe.name);
  return names;
}

BenchNetwork make_network(std::string_view name) {
  for (const Recipe& recipe : recipes()) {
    if (recipe.name != name) continue;
    const Graph graph = recipe.build();
    BenchNetwork network;
    network.name = recipe.name;
    network.folded = fold_batch_norm({graph, random_weights(graph)});
    network.preprocessing = kPreprocessing;
    network.samples = random_samples(graph.input().shape);
    network.int8 =
        lower(network.folded, kPreprocessing, observed_ranges(network.folded, network.samples));
    network.int8.program_version = program_version();
    name_classes(network.int8);
    check_int8_model(network.int8, recipe.name);
    return network;
  }
  std::string known;
  for (const Recipe& recipe : recipes()) known += (known.empty() ? "" : ", ") + recipe.name;
  throw Error(ErrorKind::usage,
              "there is no benchmark network " + std::string(name) + "; there are " + known);
}

std::vector<float> float_logits(const BenchNetwork& network) {
  std::vector<float> logits;
  for (std::int64_t row = 0; row < network.samples.count(); ++row) {
    const auto values = float_values(network.folded, normalized(network.samples, row));
    const auto& last = values.at(network.folded.graph.output().name);
    logits.insert(logits.end(), last.begin(), last.end());
  }
  return logits;
}

}  // namespace biglittle::bench
