// SPDX-License-Identifier: MIT
#pragma once

// Means and standard deviations of raw samples: per channel, and pooled over channels.

#include "data/dataset.h"

namespace biglittle {

/// Population mean and standard deviation of each channel; the samples must not be empty.
ChannelStatistics channel_statistics(const Samples& samples);

struct PooledStatistics {
  double mean = 0.0;
  double deviation = 0.0;
};

/// Over all values of all channels, which have equally many values each:
/// mean = avg m_c, variance = avg (d_c^2 + (m_c - mean)^2). {0, 0} without channels.
PooledStatistics pool(const ChannelStatistics& statistics);

}  // namespace biglittle
