// SPDX-License-Identifier: MIT
#include "quant/kernels.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include "quant/arithmetic.h"
#include "quant/rounding.h"

namespace biglittle {
namespace {

std::size_t index(std::int64_t value) { return static_cast<std::size_t>(value); }

/// The part of a window that lies inside an image, along one axis: taps [first, last).
struct Taps {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t origin = 0;  ///< position of tap 0, negative in the padding

  bool empty() const { return first >= last; }
};

Taps taps_inside(std::int64_t output, std::int64_t stride, std::int64_t pad, std::int64_t kernel,
                 std::int64_t size) {
  const std::int64_t origin = output * stride - pad;
  return {std::max<std::int64_t>(0, -origin), std::min(kernel, size - origin), origin};
}

/// Calls `visit(pixel, rows, columns)` for every output pixel, in order.
template <typename Visit>
void for_each_pixel(const Shape& input, const Shape& output, const Window& window, Visit&& visit) {
  for (std::int64_t y = 0; y < output.height; ++y) {
    const Taps rows =
        taps_inside(y, window.stride_height, window.pad_top, window.kernel_height, input.height);
    for (std::int64_t x = 0; x < output.width; ++x) {
      visit(y * output.width + x, rows,
            taps_inside(x, window.stride_width, window.pad_left, window.kernel_width, input.width));
    }
  }
}

/// Calls `visit(values)` for every pixel of a window inside the image; `values` are its channels.
template <typename Visit>
void for_each_tap(const Shape& input, const Taps& rows, const Taps& columns,
                  std::span<const std::int8_t> image, Visit&& visit) {
  for (std::int64_t ky = rows.first; ky < rows.last; ++ky) {
    for (std::int64_t kx = columns.first; kx < columns.last; ++kx) {
      const std::int64_t pixel = (rows.origin + ky) * input.width + columns.origin + kx;
      visit(image.data() + pixel * input.channels);
    }
  }
}

using Lanes = std::array<std::int32_t, kLanes>;

/// lanes[o] += sum over i < count of x[i] weights[i][o].
inline void accumulate(Lanes& lanes, const std::int16_t* x, const std::int16_t* weights,
                       std::int64_t count) {
  Lanes sum = lanes;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int32_t value = x[i];
    for (std::size_t o = 0; o < kLanes; ++o) sum[o] += value * weights[o];
    weights += kLanes;
  }
  lanes = sum;
}

/// Accumulators of one block of output channels at one output pixel.
inline Lanes dense_block(const PackedConv& conv, const std::int16_t* input,
                         const std::int16_t* weights, const std::int32_t* bias, const Taps& rows,
                         const Taps& columns) {
  const std::int64_t channels = conv.input.channels;
  const std::int64_t depth = channels / conv.groups;
  const std::int64_t kernel_width = conv.window.kernel_width;
  Lanes lanes;
  std::copy_n(bias, kLanes, lanes.begin());
  if (columns.empty()) return lanes;
  for (std::int64_t ky = rows.first; ky < rows.last; ++ky) {
    const std::int16_t* x =
        input + ((rows.origin + ky) * conv.input.width + columns.origin + columns.first) * channels;
    const std::int16_t* w = weights + (ky * kernel_width + columns.first) * depth * kLanes;
    const std::int64_t taps = columns.last - columns.first;
    if (conv.groups == 1) {  // the taps of one row are consecutive values
      accumulate(lanes, x, w, taps * depth);
      continue;
    }
    for (std::int64_t kx = 0; kx < taps; ++kx) {
      accumulate(lanes, x + kx * channels, w + kx * depth * kLanes, depth);
    }
  }
  return lanes;
}

/// The same for channels that each have their own filter.
inline Lanes depthwise_block(const PackedConv& conv, const std::int16_t* input,
                             const std::int16_t* weights, const std::int32_t* bias,
                             const Taps& rows, const Taps& columns) {
  Lanes lanes;
  std::copy_n(bias, kLanes, lanes.begin());
  if (columns.empty()) return lanes;
  for (std::int64_t ky = rows.first; ky < rows.last; ++ky) {
    for (std::int64_t kx = columns.first; kx < columns.last; ++kx) {
      const std::int16_t* x =
          input +
          ((rows.origin + ky) * conv.input.width + columns.origin + kx) * conv.input.channels;
      const std::int16_t* w = weights + (ky * conv.window.kernel_width + kx) * kLanes;
      for (std::size_t c = 0; c < kLanes; ++c) lanes[c] += static_cast<std::int32_t>(x[c]) * w[c];
    }
  }
  return lanes;
}

/// Calls `store(lanes, first, count, block)` for every block of channels of every pixel; `count`
/// lanes belong at `first` of the output.
template <typename Store>
void for_each_block(const PackedConv& conv, std::span<const std::int16_t> widened, Store&& store) {
  const std::int64_t groups = conv.depthwise ? 1 : conv.groups;
  const std::int64_t out_per_group = conv.output.channels / groups;
  const std::int64_t depth = conv.input.channels / conv.groups;
  const std::int64_t block_weights =
      conv.window.kernel_height * conv.window.kernel_width * depth * kLanes;
  for_each_pixel(conv.input, conv.output, conv.window,
                 [&](std::int64_t pixel, const Taps& rows, const Taps& columns) {
                   for (std::int64_t block = 0; block < groups * conv.blocks; ++block) {
                     const std::int64_t group = block / conv.blocks;
                     const std::int64_t within = (block % conv.blocks) * kLanes;
                     const std::int16_t* weights = conv.weights.data() + block * block_weights;
                     const std::int32_t* bias = conv.bias.data() + block * kLanes;
                     const std::int16_t* x =
                         widened.data() + (conv.depthwise ? within : group * depth);
                     const Lanes lanes =
                         conv.depthwise ? depthwise_block(conv, x, weights, bias, rows, columns)
                                        : dense_block(conv, x, weights, bias, rows, columns);
                     store(lanes, pixel * conv.output.channels + group * out_per_group + within,
                           std::min(kLanes, out_per_group - within), block);
                   }
                 });
}

/// Fills conv.weights from [out, in/groups, kh, kw]; `lane_of(channel)` is the place of an output
/// channel among all lanes.
template <typename LaneOf>
void pack_weights(PackedConv& conv, std::span<const std::int8_t> weights, LaneOf&& lane_of) {
  const std::int64_t depth = conv.input.channels / conv.groups;
  const std::int64_t taps = conv.window.kernel_height * conv.window.kernel_width;
  conv.weights.assign(conv.bias.size() * index(taps * depth), 0);
  for (std::int64_t o = 0; o < conv.output.channels; ++o) {
    const std::int64_t block = lane_of(o) / kLanes;
    for (std::int64_t i = 0; i < depth; ++i) {
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        conv.weights[index(((block * taps + tap) * depth + i) * kLanes + lane_of(o) % kLanes)] =
            weights[index((o * depth + i) * taps + tap)];
      }
    }
  }
}

}  // namespace

PackedConv pack_conv(const Int8Model& model, const Node& node) {
  const auto* spec = std::get_if<Conv2d>(&node.op);
  PackedConv conv;
  conv.input = model.graph.input_shape(node);
  conv.output = node.shape;
  conv.window = spec != nullptr ? spec->window : Window{};
  conv.groups = spec != nullptr ? spec->groups : 1;
  conv.depthwise =
      conv.groups > 1 && conv.input.channels == conv.groups && conv.output.channels == conv.groups;
  conv.input_zero = model.activations.at(node.inputs.at(0)).zero_point;
  const std::int64_t groups = conv.depthwise ? 1 : conv.groups;
  const std::int64_t out_per_group = conv.output.channels / groups;
  conv.blocks = (out_per_group + kLanes - 1) / kLanes;

  const auto lane_of = [&](std::int64_t channel) {  // its place in [groups, blocks, kLanes]
    return channel / out_per_group * conv.blocks * kLanes + channel % out_per_group;
  };
  const std::int64_t lanes = groups * conv.blocks * kLanes;
  conv.bias.assign(index(lanes), 0);
  const auto bias = model.weights.at(node.name + ".bias").values<std::int32_t>();
  for (std::int64_t o = 0; o < conv.output.channels; ++o)
    conv.bias[index(lane_of(o))] = bias[index(o)];
  pack_weights(conv, model.weights.at(node.name + ".weight").values<std::int8_t>(), lane_of);
  if (node.name == model.graph.output().name) return conv;

  conv.output_zero = model.activations.at(node.name).zero_point;
  conv.multipliers.assign(index(lanes), 1.0f);
  const std::vector<float> multipliers = channel_multipliers(model, node);
  for (std::int64_t o = 0; o < conv.output.channels; ++o) {
    conv.multipliers[index(lane_of(o))] = multipliers[index(o)];
  }
  return conv;
}

void widen(std::span<const std::int8_t> input, std::int32_t zero_point,
           std::vector<std::int16_t>& widened) {
  widened.resize(input.size() + index(kLanes));  // depthwise blocks read past the last channel
  for (std::size_t i = 0; i < input.size(); ++i) {
    widened[i] = static_cast<std::int16_t>(input[i] - zero_point);
  }
}

void run_conv(const PackedConv& conv, std::span<const std::int16_t> widened,
              std::span<std::int8_t> output) {
  for_each_block(
      conv, widened,
      [&](const Lanes& lanes, std::int64_t first, std::int64_t count, std::int64_t block) {
        const float* multipliers = conv.multipliers.data() + block * kLanes;
        std::array<std::int8_t, kLanes> bytes;
        for (std::size_t o = 0; o < kLanes; ++o) {
          bytes[o] = round_to_int8(static_cast<float>(lanes[o]) * multipliers[o], conv.output_zero);
        }
        std::copy_n(bytes.begin(), count, output.begin() + first);
      });
}

void run_conv(const PackedConv& conv, std::span<const std::int16_t> widened,
              std::span<std::int32_t> accumulators) {
  for_each_block(conv, widened,
                 [&](const Lanes& lanes, std::int64_t first, std::int64_t count, std::int64_t) {
                   std::copy_n(lanes.begin(), count, accumulators.begin() + first);
                 });
}

void run_max_pool(const Shape& input, const Shape& output, const Window& window,
                  std::span<const std::int8_t> values, std::span<std::int8_t> result) {
  for_each_pixel(
      input, output, window, [&](std::int64_t pixel, const Taps& rows, const Taps& columns) {
        const auto out = result.subspan(index(pixel * output.channels), index(output.channels));
        std::fill(out.begin(), out.end(), std::int8_t{-128});
        for_each_tap(input, rows, columns, values, [&](const std::int8_t* in) {
          for (std::size_t c = 0; c < out.size(); ++c) out[c] = std::max(out[c], in[c]);
        });
      });
}

void run_avg_pool(const Shape& input, const Shape& output, const Window& window,
                  const PoolConstants& constants, std::span<const std::int8_t> values,
                  std::span<std::int8_t> result) {
  std::vector<std::int32_t> sums(index(input.channels));
  for_each_pixel(input, output, window,
                 [&](std::int64_t pixel, const Taps& rows, const Taps& columns) {
                   std::fill(sums.begin(), sums.end(), 0);
                   for_each_tap(input, rows, columns, values, [&](const std::int8_t* in) {
                     for (std::size_t c = 0; c < sums.size(); ++c) {
                       sums[c] += in[c] - constants.input_zero;
                     }
                   });
                   const auto out = result.subspan(index(pixel * output.channels), sums.size());
                   for (std::size_t c = 0; c < sums.size(); ++c) {
                     out[c] = round_to_int8(static_cast<float>(sums[c]) * constants.multiplier,
                                            constants.output_zero);
                   }
                 });
}

}  // namespace biglittle
