// SPDX-License-Identifier: MIT
#include "train/libtorch/graph_module.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <map>

#include "core/random.h"
#include "graph/reference.h"
#include "graph/zoo.h"
#include "train/libtorch/inference.h"
#include "train/libtorch/initial_weights.h"

namespace biglittle {
namespace {

// Random weights that leave every layer's output at a sensible size.
Network random_network(const Graph& graph, std::uint64_t seed) {
  Network network{graph, fresh_weights(graph, seed)};
  Random random(seed + 1);
  for (auto& [name, tensor] : network.weights) {
    if (tensor.shape().size() != 1) continue;
    const double base = name.ends_with(".running_var") || name.ends_with(".weight") ? 1.0 : 0.0;
    for (float& value : tensor.values<float>()) {
      value = static_cast<float>(base + 0.4 * (random.uniform() - 0.5));
    }
  }
  return network;
}

void expect_equals_reference(const Graph& graph, std::uint64_t seed) {
  const Network network = random_network(graph, seed);
  const Shape shape = graph.input().shape;
  constexpr std::int64_t kCount = 3;
  Samples samples{shape, std::vector<float>()};
  Random random(seed + 2);
  auto& values = std::get<std::vector<float>>(samples.values);
  for (std::int64_t i = 0; i < kCount * shape.count(); ++i) {
    values.push_back(static_cast<float>(random.normal()));
  }
  WorkerPool pool(2);
  const std::vector<float> logits =
      infer(pool, FrozenNetwork(network), Preprocessing{SampleType::f32, 1.0, 0.0}, samples);
  const std::int64_t outputs = graph.output().shape.channels;
  for (std::int64_t n = 0; n < kCount; ++n) {
    const std::vector<double> input(values.begin() + n * shape.count(),
                                    values.begin() + (n + 1) * shape.count());
    const std::vector<double> expected = testing::run_reference(network, input);
    for (std::int64_t k = 0; k < outputs; ++k) {
      EXPECT_NEAR(logits[static_cast<std::size_t>(n * outputs + k)],
                  expected[static_cast<std::size_t>(k)], 1e-3)
          << "sample " << n << " output " << k;
    }
  }
}

TEST(GraphModule, EqualsPlainLoopsOnTheZoo) {
  const auto with = [](Architecture arch, std::int64_t depth, std::int64_t width) {
    NetworkOptions options;
    options.arch = arch;
    options.depth = depth;
    options.width = width;
    return options;
  };
  const Shape shape{3, 16, 16};
  expect_equals_reference(build_network(with(Architecture::mlp, 0, 8), shape, 5), 1);
  expect_equals_reference(build_network(with(Architecture::vgg, 4, 8), shape, 5), 2);
  expect_equals_reference(build_network(with(Architecture::resnet, 8, 8), shape, 5), 3);
  expect_equals_reference(build_network(with(Architecture::resnet9, 0, 4), shape, 5), 4);
  expect_equals_reference(build_network(with(Architecture::ds_cnn, 0, 8), shape, 5), 5);
  // Whole blocks of channels.
  expect_equals_reference(build_network(with(Architecture::resnet9, 0, 32), shape, 5), 6);
  expect_equals_reference(build_network(with(Architecture::vgg, 4, 32), shape, 5), 7);
}

TEST(GraphModule, EqualsPlainLoopsOnUnevenPaddingAndEveryPool) {
  Window uneven = square_window(3, 2, 0);
  uneven.pad_top = 2;
  uneven.pad_right = 1;
  Graph graph;
  std::string x = graph.append("input", Input{{2, 9, 7}});
  x = graph.append("conv", Conv2d{4, uneven, 2, true}, {x});
  x = graph.append("clamp", Relu6{}, {x});
  x = graph.append("max", MaxPool{uneven}, {x});
  x = graph.append("mean", AvgPool{square_window(2, 1, 1)}, {x});
  x = graph.append("drop", Dropout{0.5}, {x});
  x = graph.append("all", GlobalAvgPool{}, {x});
  x = graph.append("hidden", Linear{6}, {x});
  x = graph.append("hidden_bn", BatchNorm{}, {x});
  x = graph.append("hidden_relu", Relu{}, {x});
  graph.append("classifier", Linear{3}, {x});
  expect_equals_reference(graph, 6);
}

// The network as separate LibTorch operations in training mode, in float64; `leaves` by weight
// name.
at::Tensor train_separately(const Graph& graph, std::map<std::string, at::Tensor>& leaves,
                            const at::Tensor& input) {
  std::map<std::string, at::Tensor> values;
  for (const Node& node : graph.nodes()) {
    const auto weight = [&](const char* suffix) {
      const auto found = leaves.find(node.name + suffix);
      return found == leaves.end() ? at::Tensor() : found->second;
    };
    const at::Tensor x = node.inputs.empty() ? input : values.at(node.inputs[0]);
    at::Tensor& y = values[node.name];
    if (const auto* conv = std::get_if<Conv2d>(&node.op)) {
      const Window& w = conv->window;
      y = at::conv2d(x, weight(".weight"), weight(".bias"), {w.stride_height, w.stride_width},
                     {w.pad_top, w.pad_left}, {1, 1}, conv->groups);
    } else if (std::holds_alternative<BatchNorm>(node.op)) {
      y = at::batch_norm(x, weight(".weight"), weight(".bias"), {}, {}, true, 0.1, 1e-5, false);
    } else if (std::holds_alternative<Relu>(node.op)) {
      y = at::relu(x);
    } else if (std::holds_alternative<Relu6>(node.op)) {
      y = at::hardtanh(x, 0.0, 6.0);
    } else if (const auto* most = std::get_if<MaxPool>(&node.op)) {
      const Window& w = most->window;
      y = at::max_pool2d(x, {w.kernel_height, w.kernel_width}, {w.stride_height, w.stride_width},
                         {w.pad_top, w.pad_left});
    } else if (const auto* mean = std::get_if<AvgPool>(&node.op)) {
      const Window& w = mean->window;
      y = at::avg_pool2d(x, {w.kernel_height, w.kernel_width}, {w.stride_height, w.stride_width},
                         {w.pad_top, w.pad_left});
    } else if (std::holds_alternative<GlobalAvgPool>(node.op)) {
      y = x.mean({2, 3}, true);
    } else if (std::holds_alternative<Add>(node.op)) {
      y = x + values.at(node.inputs[1]);
    } else if (std::holds_alternative<Linear>(node.op)) {
      y = at::linear(x.flatten(1), weight(".weight"), weight(".bias"));
    } else {
      y = x;
    }
  }
  return values.at(graph.output().name);
}

// Outputs and every gradient of a training pass: what GraphModule fuses changes nothing.
void expect_trains_as_separate_operations(const Graph& graph, std::uint64_t seed) {
  const Network network = random_network(graph, seed);
  const FlatLayout layout(graph);
  const at::Tensor trainable = at::empty({layout.trainable_count()});
  const at::Tensor buffers = at::empty({layout.buffer_count()});
  const at::Tensor gradients = at::zeros_like(trainable);
  layout.load(network.weights, trainable, buffers);
  at::manual_seed(seed);
  const Shape& shape = graph.input().shape;
  const at::Tensor input = at::randn({6, shape.channels, shape.height, shape.width});
  const GraphModule module(graph, layout, trainable, buffers, gradients);
  const at::Tensor y =
      module.forward(input.contiguous(at::MemoryFormat::ChannelsLast), Mode::training);

  std::map<std::string, at::Tensor> leaves;
  for (const FlatLayout::Slot& slot : layout.slots()) {
    if (!slot.spec.trainable) continue;
    leaves[slot.spec.name] =
        FlatLayout::view(trainable, slot).detach().to(at::kDouble).clone().set_requires_grad(true);
  }
  const at::Tensor truth = train_separately(graph, leaves, input.to(at::kDouble));
  const auto error = [](const at::Tensor& a, const at::Tensor& b) {
    return (a.to(at::kDouble) - b).norm().item<double>() / (b.norm().item<double>() + 1e-6);
  };
  EXPECT_LT(error(y, truth), 1e-4);
  (y * y).sum().backward();
  (truth * truth).sum().backward();
  for (const FlatLayout::Slot& slot : layout.slots()) {
    if (!slot.spec.trainable) continue;
    EXPECT_LT(error(FlatLayout::view(gradients, slot), leaves.at(slot.spec.name).grad()), 1e-3)
        << slot.spec.name;
  }
}

TEST(GraphModule, TrainsAsSeparateOperationsDo) {
  const Shape shape{3, 16, 16};
  NetworkOptions options;
  for (const std::int64_t width : {8, 32}) {  // few channels, and whole blocks of them
    options.width = width;
    for (const Architecture arch :
         {Architecture::resnet, Architecture::resnet9, Architecture::vgg, Architecture::ds_cnn}) {
      SCOPED_TRACE(::testing::Message() << name_of(arch) << " of width " << width);
      options.arch = arch;
      options.depth = arch == Architecture::resnet ? 8 : arch == Architecture::vgg ? 4 : 0;
      options.relu6 = arch == Architecture::ds_cnn;
      expect_trains_as_separate_operations(build_network(options, shape, 5), 11);
    }
  }
}

Graph with_blocked_maps_for_every_kind_of_reader() {
  const Window window = square_window(3, 1, 1);
  Graph graph;
  std::string x = graph.append("input", Input{{3, 8, 8}});
  x = graph.append("stem", Conv2d{32, window, 1, false}, {x});
  x = graph.append("stem_bn", BatchNorm{}, {x});
  const std::string maps = graph.append("stem_relu", Relu{}, {x});
  const std::string blocks = graph.append("wide", Conv2d{32, window, 1, false}, {maps});
  const std::string sum = graph.append("sum", Add{}, {blocks, maps});
  const std::string clamped = graph.append("clamped", Relu6{}, {blocks});
  const std::string offset = graph.append("offset", Conv2d{32, window}, {clamped});
  const std::string small = graph.append("small", MaxPool{square_window(2, 2, 0)}, {offset});
  const std::string mean = graph.append("mean", AvgPool{square_window(2, 2, 0)}, {blocks});
  const std::string most = graph.append("most", MaxPool{square_window(3, 2, 1)}, {blocks});
  x = graph.append("single", Conv2d{16, window, 1, false}, {maps});  // one block of channels
  const std::string over = graph.append("over", Relu{}, {x});        // in its place
  x = graph.append("bn", BatchNorm{}, {blocks});
  const std::string skip = graph.append("bn_sum", Add{}, {maps, x});
  x = graph.append("chained", Conv2d{48, window, 1, false}, {skip});
  x = graph.append("chained_bn", BatchNorm{}, {x});
  const std::string pool = graph.append("pool", MaxPool{square_window(2, 2, 0)}, {x});
  x = graph.append("strided", Conv2d{48, square_window(3, 2, 1), 1, false}, {pool});
  const std::string strided = graph.append("strided_bn", BatchNorm{}, {x});
  const std::string depthwise =
      graph.append("depthwise", Conv2d{48, square_window(3, 2, 1), 48, false}, {pool});
  const std::string biased = graph.append("biased", Conv2d{48, square_window(3, 2, 1)}, {pool});
  x = graph.append("all", Add{}, {strided, depthwise});
  x = graph.append("all_biased", Add{}, {x, biased});
  x = graph.append("flat", Flatten{}, {x});
  std::string score = graph.append("score", Linear{3}, {x});
  for (const std::string& reader :
       {sum, clamped, offset, small, mean, most, over, pool, blocks, skip}) {
    x = graph.append(reader + "_mean", GlobalAvgPool{}, {reader});
    x = graph.append(reader + "_flat", Flatten{}, {x});
    x = graph.append(reader + "_score", Linear{3}, {x});
    score = graph.append(reader + "_scores", Add{}, {score, x});
  }
  return graph;
}

TEST(GraphModule, GivesBlockedMapsToEveryKindOfReader) {
  expect_trains_as_separate_operations(with_blocked_maps_for_every_kind_of_reader(), 13);
  expect_equals_reference(with_blocked_maps_for_every_kind_of_reader(), 14);
}

TEST(GraphModule, ShowsEveryOutputInMaps) {
  const Graph graph = with_blocked_maps_for_every_kind_of_reader();
  std::map<std::string, at::Tensor> seen;
  const c10::InferenceMode guard;
  FrozenNetwork(random_network(graph, 15))
      .forward(at::zeros({2, 3, 8, 8}),
               [&](const Node& node, const at::Tensor& output) { seen[node.name] = output; });
  EXPECT_EQ(seen.at("wide").sizes(), at::IntArrayRef({2, 32, 8, 8}));
  EXPECT_EQ(seen.at("small").sizes(), at::IntArrayRef({2, 32, 4, 4}));
  EXPECT_EQ(seen.at("sum").sizes(), at::IntArrayRef({2, 32, 8, 8}));
}

TEST(GraphModule, FusesNothingThatSomebodyElseReads) {
  const Window window = square_window(3, 1, 1);
  Graph graph;
  std::string x = graph.append("input", Input{{2, 6, 6}});
  const std::string conv = graph.append("conv", Conv2d{4, window, 1, false}, {x});
  const std::string norm = graph.append("norm", BatchNorm{}, {conv});
  const std::string clamped = graph.append("clamped", Relu{}, {norm});  // norm has two readers
  x = graph.append("sum", Add{}, {clamped, norm});
  const std::string other = graph.append("other", BatchNorm{}, {x});
  const std::string twice = graph.append("twice", Add{}, {other, other});
  const std::string left = graph.append("left", BatchNorm{}, {twice});
  const std::string right = graph.append("right", BatchNorm{}, {conv});
  x = graph.append("both", Add{}, {left, right});  // one of them takes the sum
  x = graph.append("both_sum", Add{}, {x, twice});
  x = graph.append("pool", GlobalAvgPool{}, {x});
  graph.append("classifier", Linear{3}, {x});
  expect_trains_as_separate_operations(graph, 12);
}

TEST(FlatLayout, GivesBackTheWeightsItWasGiven) {
  const Graph graph =
      build_network(NetworkOptions{Architecture::resnet9, 0, 4}, Shape{3, 16, 16}, 5);
  const TensorMap weights = random_network(graph, 7).weights;
  const FlatLayout layout(graph);
  const at::Tensor trainable = at::empty({layout.trainable_count()});
  const at::Tensor buffers = at::empty({layout.buffer_count()});
  layout.load(weights, trainable, buffers);
  EXPECT_EQ(layout.store(trainable, buffers), weights);
}

TEST(FlatLayout, DecaysWeightsOfLayersOnly) {
  Graph graph;
  graph.append("input", Input{{1, 2, 2}});
  graph.append("conv", Conv2d{2, square_window(1, 1, 0), 1, true}, {"input"});
  graph.append("bn", BatchNorm{}, {"conv"});
  graph.append("pool", GlobalAvgPool{}, {"bn"});
  graph.append("classifier", Linear{2}, {"pool"});
  // conv weight 2, bias 2, batch norm 2 + 2, linear weight 4, bias 2.
  EXPECT_EQ(FlatLayout(graph).decays(),
            (std::vector<std::uint8_t>{1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0}));
}

}  // namespace
}  // namespace biglittle
