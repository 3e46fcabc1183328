// SPDX-License-Identifier: MIT
#include "bench/training_networks.h"

#include <array>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "graph/cost.h"
#include "graph/zoo.h"

namespace biglittle::bench {
namespace {

constexpr Shape kImage = {3, 32, 32};
constexpr std::int64_t kClasses = 10;

Graph zoo_graph(Architecture arch, std::int64_t depth, std::int64_t width, const Shape& input) {
  NetworkOptions options;
  options.arch = arch;
  options.depth = depth;
  options.width = width;
  return build_network(options, input, kClasses);
}

/// Appends layers one after the other.
class Layers {
 public:
  explicit Layers(const Shape& input) { last = graph.append("input", Input{input}); }

  void append(const std::string& name, Op op) { last = graph.append(name, std::move(op), {last}); }

  void conv_bn(const std::string& name, std::int64_t channels, std::int64_t kernel,
               std::int64_t stride) {
    append(name, Conv2d{channels, square_window(kernel, stride, kernel / 2), 1, false});
    append(name + "_bn", BatchNorm{});
  }

  /// Two convolutions and a projection: every block of wrn-10-4 changes the number of channels.
  void wide_block(const std::string& name, std::int64_t channels, std::int64_t stride) {
    const std::string entry = last;
    conv_bn(name + "_conv1", channels, 3, stride);
    append(name + "_conv1_relu", Relu{});
    conv_bn(name + "_conv2", channels, 3, 1);
    const std::string residual = std::exchange(last, entry);
    conv_bn(name + "_shortcut", channels, 1, stride);
    last = graph.append(name + "_add", Add{}, {residual, last});
    append(name + "_relu", Relu{});
  }

  Graph graph;
  std::string last;
};

Graph wrn_10_4() {
  Layers net(kImage);
  net.conv_bn("stem_conv", 16, 3, 1);
  net.append("stem_relu", Relu{});
  net.wide_block("stage1", 64, 1);
  net.wide_block("stage2", 128, 2);
  net.wide_block("stage3", 256, 2);
  net.append("global_pool", GlobalAvgPool{});
  net.append("classifier", Linear{kClasses, true});
  return std::move(net.graph);
}

Graph airbench94() {
  Layers net(kImage);
  net.append("whiten", Conv2d{24, square_window(2, 1, 0), 1, true});
  net.append("whiten_relu", Relu{});
  std::int64_t stage = 0;
  for (const std::int64_t channels : {64, 256, 256}) {
    const std::string name = "stage" + std::to_string(++stage);
    net.append(name + "_conv1", Conv2d{channels, square_window(3, 1, 1), 1, false});
    net.append(name + "_pool", MaxPool{square_window(2, 2, 0)});
    net.append(name + "_conv1_bn", BatchNorm{});
    net.append(name + "_conv1_relu", Relu{});
    net.conv_bn(name + "_conv2", channels, 3, 1);
    net.append(name + "_conv2_relu", Relu{});
  }
  net.append("last_pool", MaxPool{square_window(3, 3, 0)});
  net.append("classifier", Linear{kClasses, false});
  return std::move(net.graph);
}

struct Named {
  std::string_view name;
  Graph (*make)();
};

constexpr std::array<Named, 5> kNetworks = {{
    {"vgg-6", [] { return zoo_graph(Architecture::vgg, 6, 32, kImage); }},
    {"resnet-20", [] { return zoo_graph(Architecture::resnet, 20, 16, kImage); }},
    {"wrn-10-4", wrn_10_4},
    {"airbench94", airbench94},
    {"fashion-vgg",
     [] {
       return zoo_graph(Architecture::vgg, 6, 8, {1, 28, 28});
     }},
}};

}  // namespace

std::vector<std::string> training_network_names() {
  std::vector<std::string> names;
  for (const Named& network : kNetworks) names.emplace_back(network.name);
  return names;
}

Graph training_network(std::string_view name) {
  for (const Named& network : kNetworks) {
    if (network.name == name) return network.make();
  }
  throw Error(ErrorKind::usage, "there is no training network " + std::string(name) +
                                    "; there are " + join_or(training_network_names()));
}

double training_operations(const Graph& graph) {
  double macs = 0.0;
  double first = 0.0;
  for (const NodeCost& node : count_cost(graph).nodes) {
    if (first == 0.0) first = static_cast<double>(node.macs);
    macs += static_cast<double>(node.macs);
  }
  return 2.0 * (3.0 * macs - first);
}

}  // namespace biglittle::bench
