// SPDX-License-Identifier: MIT
#include "graph/zoo.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.h"
#include "graph/zoo_builder.h"

namespace biglittle {
namespace {

[[noreturn]] void refuse(const NetworkOptions& options, const std::string& reason) {
  throw Error(ErrorKind::config,
              "arch = \"" + std::string(name_of(options.arch)) + "\": " + reason);
}

/// The depth that is meant, where only `natural` is possible.
void require_depth(const NetworkOptions& options, std::int64_t natural) {
  if (options.depth == 0 || options.depth == natural) return;
  refuse(options, "depth = " + std::to_string(options.depth) + " is not possible; " +
                      (natural == 0 ? std::string("leave it out and use hidden")
                                    : "leave it out or write " + std::to_string(natural)));
}

Graph build_mlp(const NetworkOptions& options, const Shape& input, std::int64_t classes) {
  require_depth(options, 0);
  ZooBuilder net(options, input);
  net.flatten();
  std::int64_t number = 0;
  for (const std::int64_t outputs : options.hidden) {
    const std::string name = "hidden" + std::to_string(++number);
    net.linear(name, outputs);
    net.relu(name + "_relu");
    net.dropout(name + "_dropout");
  }
  return net.finish(classes);
}

/// LeCun et al. 1998, section II.B: 32x32 inputs, or 28x28 padded to that.
Graph build_lenet(const NetworkOptions& options, const Shape& input, std::int64_t classes) {
  require_depth(options, 5);
  const auto scaled = [&](std::int64_t classic) {
    return std::max<std::int64_t>(1,
                                  std::llround(static_cast<double>(classic * options.width) / 6.0));
  };
  constexpr std::int64_t kClassicSide = 32;
  ZooBuilder net(options, input);
  net.conv("conv1", scaled(6), 5, std::max(input.height, input.width) < kClassicSide ? 2 : 0);
  net.relu("conv1_relu");
  net.max_pool("pool1");
  net.conv("conv2", scaled(16), 5, 0);
  net.relu("conv2_relu");
  net.max_pool("pool2");
  net.flatten();
  net.linear("hidden1", scaled(120));
  net.relu("hidden1_relu");
  net.linear("hidden2", scaled(84));
  net.relu("hidden2_relu");
  net.dropout("dropout");
  return net.finish(classes);
}

/// Global pooling, dropout and the classifier: how the convolutional networks end.
Graph finish_pooled(ZooBuilder& net, std::int64_t classes) {
  net.global_avg_pool();
  net.dropout("dropout");
  return net.finish(classes);
}

/// How often a side can be halved before it is one pixel.
std::int64_t halvings(std::int64_t side) {
  std::int64_t count = 0;
  for (; side >= 2; side /= 2) ++count;
  return count;
}

std::int64_t possible_pools(const Shape& input) {
  if (input.height == 1) return halvings(input.width);
  if (input.width == 1) return halvings(input.height);
  return halvings(std::min(input.height, input.width));
}

void require_pools(const NetworkOptions& options, const Shape& input, std::int64_t pools,
                   const std::string& remedy) {
  const std::int64_t possible = possible_pools(input);
  if (pools <= possible) return;
  refuse(options, "pools " + std::to_string(pools) + " times but samples of " + to_string(input) +
                      " allow " + std::to_string(possible) + "; " + remedy);
}

Graph build_vgg(const NetworkOptions& options, const Shape& input, std::int64_t classes) {
  const std::int64_t depth = options.depth == 0 ? 6 : options.depth;
  require_pools(options, input, depth / 2, "choose a smaller depth than " + std::to_string(depth));
  ZooBuilder net(options, input);
  std::int64_t channels = options.width;
  for (std::int64_t layer = 0; layer < depth; ++layer) {
    const std::string block = "block" + std::to_string(layer / 2 + 1);
    net.conv_bn_relu(block + "_conv" + std::to_string(layer % 2 + 1), channels, 3);
    if (layer % 2 == 0) continue;
    net.max_pool(block + "_pool");
    channels *= 2;
  }
  return finish_pooled(net, classes);
}

/// He et al. 2016, figure 2, with a projection where the shape changes.
void basic_block(ZooBuilder& net, const std::string& name, std::int64_t channels,
                 std::int64_t stride) {
  const std::string entry = net.last();
  const bool projects = stride != 1 || net.shape().channels != channels;
  net.conv_bn_relu(name + "_conv1", channels, 3, stride);
  net.conv_bn(name + "_conv2", channels, 3);
  const std::string residual = net.last();
  net.resume_at(entry);
  if (projects) net.conv_bn(name + "_shortcut", channels, 1, stride);
  const std::string shortcut = net.last();
  net.resume_at(residual);
  net.add(name + "_add", shortcut);
  net.relu(name + "_relu");
}

Graph build_resnet(const NetworkOptions& options, const Shape& input, std::int64_t classes) {
  const std::int64_t depth = options.depth == 0 ? 20 : options.depth;
  if (depth < 8 || (depth - 2) % 6 != 0) {
    refuse(options, "depth = " + std::to_string(depth) +
                        " is not 6n + 2; choose 8, 14, 20, 26, 32, 44, 56 or 110");
  }
  ZooBuilder net(options, input);
  net.conv_bn_relu("stem_conv", options.width, 3);
  for (std::int64_t stage = 1; stage <= 3; ++stage) {
    for (std::int64_t block = 1; block <= (depth - 2) / 6; ++block) {
      basic_block(net, "stage" + std::to_string(stage) + "_block" + std::to_string(block),
                  options.width << (stage - 1), stage > 1 && block == 1 ? 2 : 1);
    }
  }
  return finish_pooled(net, classes);
}

void residual_pair(ZooBuilder& net, const std::string& name) {
  const std::string entry = net.last();
  const std::int64_t channels = net.shape().channels;
  net.conv_bn_relu(name + "_conv1", channels, 3);
  net.conv_bn_relu(name + "_conv2", channels, 3);
  net.add(name + "_add", entry);
}

Graph build_resnet9(const NetworkOptions& options, const Shape& input, std::int64_t classes) {
  require_depth(options, 9);
  require_pools(options, input, 3, "choose another arch");
  ZooBuilder net(options, input);
  net.conv_bn_relu("prep_conv", options.width, 3);
  for (std::int64_t layer = 1; layer <= 3; ++layer) {
    const std::string name = "layer" + std::to_string(layer);
    net.conv_bn_relu(name + "_conv", options.width << layer, 3);
    net.max_pool(name + "_pool");
    if (layer != 2) residual_pair(net, name + "_residual");
  }
  return finish_pooled(net, classes);
}

Graph build_ds_cnn(const NetworkOptions& options, const Shape& input, std::int64_t classes) {
  const std::int64_t depth = options.depth == 0 ? 4 : options.depth;
  for (const std::int64_t block : options.downsample) {
    if (block < 1 || block > depth) {
      refuse(options,
             "downsample names block " + std::to_string(block) + " of " + std::to_string(depth));
    }
  }
  ZooBuilder net(options, input);
  std::int64_t channels = options.width;
  net.conv_bn_relu("stem_conv", channels, options.stem_kernel, options.stem_stride);
  for (std::int64_t block = 1; block <= depth; ++block) {
    const std::string name = "block" + std::to_string(block);
    const bool halves = std::ranges::find(options.downsample, block) != options.downsample.end();
    net.conv_bn_relu(name + "_dw", channels, 3, halves ? 2 : 1, channels);
    if (halves && options.double_channels) channels *= 2;
    net.conv_bn_relu(name + "_pw", channels, 1);
  }
  return finish_pooled(net, classes);
}

Graph build(const NetworkOptions& options, const Shape& input, std::int64_t classes) {
  switch (options.arch) {
    case Architecture::mlp:
      return build_mlp(options, input, classes);
    case Architecture::lenet:
      return build_lenet(options, input, classes);
    case Architecture::vgg:
      return build_vgg(options, input, classes);
    case Architecture::resnet:
      return build_resnet(options, input, classes);
    case Architecture::resnet9:
      return build_resnet9(options, input, classes);
    case Architecture::ds_cnn:
      return build_ds_cnn(options, input, classes);
  }
  throw Error(ErrorKind::internal, "an architecture without a builder");
}

}  // namespace

void describe(NetworkOptions& options, OptionVisitor& visitor) {
  constexpr IntRange kWidths = {1, 4096};
  visitor.field("arch", options.arch, "family of networks");
  visitor.field("depth", options.depth, IntRange{0, 1000},
                "vgg: 3x3 layers; resnet: 6n + 2; ds-cnn: blocks; 0 is the architecture's own");
  visitor.field("width", options.width, kWidths, "channels of the first layer; the others follow");
  visitor.field("hidden", options.hidden, IntRange{1, 65536}, "mlp: outputs of each hidden layer");
  visitor.field("dropout", options.dropout, RealRange{0.0, 0.9},
                "share of values zeroed in training, after each hidden layer of mlp and before the "
                "classifier of the others");
  visitor.field("stem_kernel", options.stem_kernel, IntRange{1, 64},
                "ds-cnn: kernel of the first convolution");
  visitor.field("stem_stride", options.stem_stride, IntRange{1, 16},
                "ds-cnn: stride of the first convolution");
  visitor.field("downsample", options.downsample, IntRange{1, 1000},
                "ds-cnn: blocks with stride 2, counted from 1");
  visitor.field("double_channels", options.double_channels,
                "ds-cnn: double the channels at each block of downsample");
  visitor.field("relu6", options.relu6, "clip activations at 6 instead of relu");
}

Graph build_network(const NetworkOptions& options, const Shape& input, std::int64_t classes) {
  if (classes < 2) refuse(options, "needs at least 2 classes, not " + std::to_string(classes));
  try {
    return build(options, input, classes);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::bad_data) throw;
    refuse(options, "does not fit samples of " + to_string(input) + ": " + error.what());
  }
}

}  // namespace biglittle
