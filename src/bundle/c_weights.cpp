// SPDX-License-Identifier: MIT
#include "bundle/c_weights.h"

namespace biglittle {
namespace {

constexpr std::int64_t kStep = 4;  ///< products that one lane adds at once

std::size_t index(std::int64_t value) { return static_cast<std::size_t>(value); }

std::int64_t blocks_of(std::int64_t count, std::int64_t size) { return (count + size - 1) / size; }

std::int8_t at(const LayerWeights& layer, std::int64_t output, std::int64_t i, std::int64_t tap) {
  return layer.weight[index((output * layer.depth + i) * layer.taps() + tap)];
}

}  // namespace

std::vector<std::int8_t> tight_weights(const LayerWeights& layer) {
  std::vector<std::int8_t> tight;
  tight.reserve(layer.weight.size());
  for (std::int64_t output = 0; output < layer.outputs; ++output) {
    for (std::int64_t tap = 0; tap < layer.taps(); ++tap) {
      for (std::int64_t i = 0; i < layer.depth; ++i) tight.push_back(at(layer, output, i, tap));
    }
  }
  return tight;
}

std::vector<std::int8_t> tight_depthwise_weights(const LayerWeights& layer) {
  std::vector<std::int8_t> tight;
  tight.reserve(layer.weight.size());
  for (std::int64_t tap = 0; tap < layer.taps(); ++tap) {
    for (std::int64_t channel = 0; channel < layer.outputs; ++channel) {
      tight.push_back(at(layer, channel, 0, tap));
    }
  }
  return tight;
}

std::vector<std::int8_t> packed_weights(const LayerWeights& layer) {
  const std::int64_t run = layer.kernel_width * layer.depth;
  const std::int64_t steps = blocks_of(run, kStep);
  const std::int64_t block = layer.kernel_height * steps * kDeviceLanes * kStep;
  std::vector<std::int8_t> packed(index(blocks_of(layer.outputs, kDeviceLanes) * block), 0);
  for (std::int64_t output = 0; output < layer.outputs; ++output) {
    for (std::int64_t tap = 0; tap < layer.taps(); ++tap) {
      for (std::int64_t i = 0; i < layer.depth; ++i) {
        const std::int64_t row = tap / layer.kernel_width;
        const std::int64_t position = tap % layer.kernel_width * layer.depth + i;
        const std::int64_t step = row * steps + position / kStep;
        packed[index(output / kDeviceLanes * block +
                     (step * kDeviceLanes + output % kDeviceLanes) * kStep + position % kStep)] =
            at(layer, output, i, tap);
      }
    }
  }
  return packed;
}

std::vector<std::int8_t> packed_depthwise_weights(const LayerWeights& layer) {
  const std::vector<std::int64_t> channels = lane_channels(layer.outputs, true);
  const std::int64_t steps = blocks_of(layer.kernel_width, kStep);
  const std::int64_t block = layer.kernel_height * steps * kDeviceLanes * kStep;
  const std::int64_t lanes = std::ssize(channels);
  std::vector<std::int8_t> packed(index(lanes / kDeviceLanes * block), 0);
  for (std::int64_t lane = 0; lane < lanes; ++lane) {
    if (channels[index(lane)] < 0) continue;
    for (std::int64_t tap = 0; tap < layer.taps(); ++tap) {
      const std::int64_t column = tap % layer.kernel_width;
      const std::int64_t step = tap / layer.kernel_width * steps + column / kStep;
      packed[index(lane / kDeviceLanes * block +
                   (step * kDeviceLanes + lane % kDeviceLanes) * kStep + column % kStep)] =
          at(layer, channels[index(lane)], 0, tap);
    }
  }
  return packed;
}

std::vector<std::int64_t> lane_channels(std::int64_t channels, bool repeats) {
  const bool divides = repeats && kDeviceLanes % channels == 0;
  std::vector<std::int64_t> lanes;
  for (std::int64_t lane = 0; lane < blocks_of(channels, kDeviceLanes) * kDeviceLanes; ++lane) {
    lanes.push_back(divides ? lane % channels : lane < channels ? lane : -1);
  }
  return lanes;
}

std::vector<std::int32_t> weight_sums(const LayerWeights& layer) {
  std::vector<std::int32_t> sums;
  const std::int64_t filter = layer.depth * layer.taps();
  for (std::int64_t output = 0; output < layer.outputs; ++output) {
    std::int32_t sum = 0;
    for (const std::int8_t w : layer.weight.subspan(index(output * filter), index(filter))) {
      sum += w;
    }
    sums.push_back(sum);
  }
  return sums;
}

}  // namespace biglittle
