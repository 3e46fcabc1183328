// SPDX-License-Identifier: MIT
#include "engines/networks.h"

#include <utility>

#include "engines/engine_cases.h"
#include "graph/zoo.h"
#include "quant/float_engine.h"
#include "quant/quantize.h"

namespace biglittle::testing {
namespace {

constexpr std::int64_t kClasses = 10;

/// A graph that grows node by node from its tip.
class Line {
 public:
  explicit Line(const Shape& input) { tip_ = graph_.append("input", Input{input}); }

  std::string add(Op op) { return add(std::move(op), {tip_}); }
  std::string add(Op op, std::vector<std::string> inputs) {
    const std::string name = std::string(op_name(op)) + std::to_string(graph_.nodes().size());
    return tip_ = graph_.append(name, std::move(op), std::move(inputs));
  }
  std::int64_t channels() const { return graph_.node(tip_).shape.channels; }
  const std::string& tip() const { return tip_; }

  Graph classify() {
    add(GlobalAvgPool{});
    add(Linear{kClasses});
    return std::move(graph_);
  }
  Graph classify_all() {
    add(Flatten{});
    add(Linear{kClasses});
    return std::move(graph_);
  }

 private:
  Graph graph_;
  std::string tip_;
};

Graph zoo(Architecture arch, const Shape& input, std::int64_t width, std::int64_t depth = 0) {
  NetworkOptions options;
  options.arch = arch;
  options.width = width;
  options.depth = depth;
  return build_network(options, input, kClasses);
}

Graph mobilenet() {
  NetworkOptions options;
  options.arch = Architecture::ds_cnn;
  options.width = 8;
  options.depth = 13;
  options.downsample = {2, 4, 6, 12};
  options.relu6 = true;
  return build_network(options, {3, 32, 32}, kClasses);
}

Graph keyword() {
  Line line({1, 49, 10});
  line.add(Conv2d{20, Window{10, 4, 2, 2, 4, 1, 5, 1}});
  for (int block = 0; block < 2; ++block) {
    line.add(Relu{});
    line.add(Conv2d{20, square_window(3, 1, 1), 20});
    line.add(Relu{});
    line.add(Conv2d{20, square_window(1, 1, 0)});
  }
  line.add(Relu{});
  return line.classify();
}

/// Sizes that are no multiple of any vector, padding on one side, a depthwise layer with two
/// outputs a channel.
Graph odd() {
  Line line({3, 13, 11});
  line.add(Conv2d{17, Window{3, 2, 1, 1, 0, 1, 2, 0}});
  line.add(Relu{});
  line.add(Conv2d{34, Window{5, 3, 1, 1, 3, 0, 1, 2}, 17});
  line.add(Relu6{});
  line.add(MaxPool{Window{2, 3, 1, 1, 1, 0, 0, 2}});
  line.add(Conv2d{7, Window{1, 5, 1, 1, 0, 4, 0, 0}});
  line.add(Relu{});
  return line.classify_all();
}

Graph strides() {
  Line line({2, 37, 29});
  line.add(Conv2d{12, Window{7, 5, 3, 2, 2, 1, 4, 3}});
  line.add(Relu{});
  line.add(Conv2d{12, Window{3, 3, 2, 3, 1, 0, 0, 2}, 12});
  line.add(Relu{});
  line.add(Conv2d{33, Window{1, 1, 2, 2, 0, 0, 0, 0}});
  line.add(Relu{});
  return line.classify();
}

Graph groups() {
  Line line({4, 16, 15});
  line.add(Conv2d{24, square_window(3, 1, 1), 2});
  line.add(Relu{});
  line.add(Conv2d{36, square_window(3, 2, 1), 12});
  line.add(Relu6{});
  line.add(Conv2d{36, Window{3, 5, 1, 2, 2, 3, 0, 1}, 36});
  line.add(Relu{});
  line.add(Conv2d{30, square_window(1, 1, 0), 6});
  return line.classify();
}

Graph averages() {
  Line line({1, 28, 28});
  line.add(Conv2d{10, square_window(5, 1, 2)});
  line.add(Relu{});
  line.add(AvgPool{square_window(2, 2, 0)});
  line.add(Conv2d{18, square_window(3, 1, 0)});
  line.add(AvgPool{Window{3, 2, 2, 1, 1, 0, 2, 1}});
  line.add(Relu6{});
  return line.classify();
}

/// Maps with several readers that want different padding, sums of sums, the input among them.
Graph additions() {
  Line line({8, 14, 14});
  const std::string input = line.tip();
  const std::string small = line.add(Conv2d{8, square_window(3, 1, 1)}, {input});
  const std::string large = line.add(Conv2d{8, square_window(5, 1, 2)}, {input});
  const std::string sum = line.add(Add{}, {small, large});
  const std::string with_input = line.add(Add{}, {input, sum});
  const std::string active = line.add(Relu{}, {with_input});
  const std::string depthwise = line.add(Conv2d{8, Window{3, 3, 1, 1, 2, 0, 0, 2}, 8}, {active});
  const std::string pooled = line.add(MaxPool{square_window(3, 1, 1)}, {active});
  const std::string both = line.add(Add{}, {depthwise, pooled});
  const std::string again = line.add(Add{}, {both, active});
  line.add(Add{}, {again, again});
  line.add(Relu{});
  return line.classify();
}

/// Flattened maps that a convolution, a sum and linear layers read.
Graph flattened() {
  Line line({2, 9, 7});
  line.add(Conv2d{5, square_window(3, 1, 1)});
  line.add(Relu{});
  const std::string flat = line.add(Flatten{});
  line.add(Conv2d{line.channels(), square_window(1, 1, 0)});
  line.add(Relu{});
  line.add(Add{}, {line.tip(), flat});
  line.add(Linear{45});
  line.add(Relu{});
  return line.classify_all();
}

Preprocessing preprocessing_of(SampleType type) {
  if (type == SampleType::u8) return {type, 1.0 / 90.0, 73.0};
  return {type, 0.75, -0.4};
}

}  // namespace

std::vector<EngineNetwork> engine_networks() {
  using enum Architecture;
  const Shape gray = {1, 28, 28}, colour = {3, 32, 32};
  return {{"lenet", zoo(lenet, gray, 6)},
          {"odd", odd()},
          {"mlp", zoo(mlp, gray, 16)},
          {"vgg", zoo(vgg, colour, 4)},
          {"ds-cnn", zoo(ds_cnn, gray, 16)},
          {"resnet-8", zoo(resnet, colour, 4, 8)},
          {"mobilenet", mobilenet()},
          {"sensor", zoo(vgg, {3, 1, 128}, 8), SampleType::f32},
          {"keyword", keyword()},
          {"strides", strides()},
          {"groups", groups()},
          {"averages", averages()},
          {"additions", additions()},
          {"flattened", flattened()}};
}

Int8Model quantized(const EngineNetwork& network, const Samples& samples, std::uint32_t seed) {
  Checkpoint checkpoint;
  checkpoint.network = random_float_network(network.graph, seed);
  checkpoint.preprocessing = preprocessing_of(network.type);
  PriorityMap map;
  for (std::int64_t i = 0; i < kClasses; ++i) {
    map.names.push_back(i + 1 < kClasses ? "class " + std::to_string(i) : "other");
    map.little_of_big.push_back(i);
  }
  checkpoint.classes = map.names;
  checkpoint.priority = map;
  QuantizeOptions options;
  options.max_drop = 1.0;  // nothing was learned, so nothing can be lost
  const std::vector<std::int64_t> labels(static_cast<std::size_t>(samples.count()), 0);
  return quantize(checkpoint, samples, labels, options, {}, FloatEngine()).model;
}

}  // namespace biglittle::testing
