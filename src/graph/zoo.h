// SPDX-License-Identifier: MIT
#pragma once

// Builders for the architectures that configurations name. Each returns a Graph ending in a linear
// node with one output per class.

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/options.h"
#include "graph/graph.h"

namespace biglittle {

enum class Architecture { mlp, lenet, vgg, resnet, resnet9, ds_cnn };
template <>
struct EnumNames<Architecture> {
  static constexpr std::array<std::string_view, 6> names = {"mlp",    "lenet",   "vgg",
                                                            "resnet", "resnet9", "ds-cnn"};
};

/// A short description of a network. Which fields count depends on `arch`:
/// mlp: `hidden` (default 128, 64). `dropout` acts after each hidden layer there and before the
/// classifier of the others. lenet: LeNet-5 (LeCun et al. 1998) with ReLU and max
/// pooling, scaled by width/6. vgg: `depth` conv-bn-relu layers (default 6) in pairs followed by
/// max pooling, channels width, 2 width, 4 width ..., then global pooling. resnet: CIFAR-style, He
/// et al. 2016 section 4.2, depth = 6n + 2, projection shortcuts, channels width, 2 width, 4 width.
/// resnet9: prep width, three layers 2, 4, 8 width with max pooling, residual pairs after the first
/// and third (the DAWNBench family). ds-cnn: a conv stem with stride `stem_stride`, then `depth`
/// depthwise-separable blocks (MobileNet, Howard et al. 2017; Zhang et al. 2017); channels double
/// at each stride-2 block listed in `downsample` when `double_channels`.
struct NetworkOptions {
  Architecture arch = Architecture::resnet9;
  std::int64_t depth = 0;  ///< 0: the architecture's own default
  std::int64_t width = 16;
  std::vector<std::int64_t> hidden = {128, 64};
  double dropout = 0.0;
  std::int64_t stem_kernel = 3;
  std::int64_t stem_stride = 2;
  std::vector<std::int64_t> downsample = {2, 4};
  bool double_channels = true;
  bool relu6 = false;
};
void describe(NetworkOptions& options, OptionVisitor& visitor);

/// Builds the graph for samples of `input` and `classes` outputs (>= 2). Throws Error{config} when
/// the options do not fit each other or the input (e.g. resnet depth that is not 6n + 2, or more
/// pooling than the input has pixels), naming the option.
Graph build_network(const NetworkOptions& options, const Shape& input, std::int64_t classes);

}  // namespace biglittle
