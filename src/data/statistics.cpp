// SPDX-License-Identifier: MIT
#include "data/statistics.h"

#include <array>
#include <cmath>

namespace biglittle {
namespace {

/// Calls `use` with the span of each sample's plane of `channel`.
template <typename Value, typename Use>
void for_each_plane(std::span<const Value> values, const Shape& shape, std::int64_t channel,
                    const Use& use) {
  const auto plane = static_cast<std::size_t>(shape.height * shape.width);
  const auto sample = static_cast<std::size_t>(shape.count());
  const std::size_t first = static_cast<std::size_t>(channel) * plane;
  for (std::size_t start = first; start < values.size(); start += sample) {
    use(values.subspan(start, plane));
  }
}

struct Moments {
  double mean = 0.0;
  double deviation = 0.0;
};

/// A histogram makes the sums exact, whatever the order and the number of samples.
Moments moments(std::span<const std::uint8_t> values, const Shape& shape, std::int64_t channel) {
  std::array<std::int64_t, 256> histogram{};
  for_each_plane(values, shape, channel, [&](std::span<const std::uint8_t> plane) {
    for (const std::uint8_t value : plane) ++histogram[value];
  });
  std::int64_t count = 0;
  std::int64_t sum = 0;
  for (std::size_t value = 0; value < histogram.size(); ++value) {
    count += histogram[value];
    sum += histogram[value] * static_cast<std::int64_t>(value);
  }
  Moments result;
  result.mean = static_cast<double>(sum) / static_cast<double>(count);
  double squares = 0.0;
  for (std::size_t value = 0; value < histogram.size(); ++value) {
    const double distance = static_cast<double>(value) - result.mean;
    squares += static_cast<double>(histogram[value]) * distance * distance;
  }
  result.deviation = std::sqrt(squares / static_cast<double>(count));
  return result;
}

/// Two passes: the one-pass formula loses all digits when the mean is large.
Moments moments(std::span<const float> values, const Shape& shape, std::int64_t channel) {
  double sum = 0.0;
  double count = 0.0;
  for_each_plane(values, shape, channel, [&](std::span<const float> plane) {
    for (const float value : plane) sum += static_cast<double>(value);
    count += static_cast<double>(plane.size());
  });
  Moments result;
  result.mean = sum / count;
  double squares = 0.0;
  for_each_plane(values, shape, channel, [&](std::span<const float> plane) {
    for (const float value : plane) {
      const double distance = static_cast<double>(value) - result.mean;
      squares += distance * distance;
    }
  });
  result.deviation = std::sqrt(squares / count);
  return result;
}

}  // namespace

ChannelStatistics channel_statistics(const Samples& samples) {
  ChannelStatistics statistics;
  for (std::int64_t channel = 0; channel < samples.shape.channels; ++channel) {
    const Moments result = samples.type() == SampleType::u8
                               ? moments(samples.bytes(), samples.shape, channel)
                               : moments(samples.floats(), samples.shape, channel);
    statistics.mean.push_back(result.mean);
    statistics.deviation.push_back(result.deviation);
  }
  return statistics;
}

PooledStatistics pool(const ChannelStatistics& statistics) {
  PooledStatistics pooled;
  const auto channels = static_cast<double>(statistics.mean.size());
  if (statistics.mean.empty()) return pooled;
  for (const double mean : statistics.mean) pooled.mean += mean / channels;
  double variance = 0.0;
  for (std::size_t channel = 0; channel < statistics.mean.size(); ++channel) {
    const double deviation = statistics.deviation.at(channel);
    const double distance = statistics.mean[channel] - pooled.mean;
    variance += (deviation * deviation + distance * distance) / channels;
  }
  pooled.deviation = std::sqrt(variance);
  return pooled;
}

}  // namespace biglittle
