// SPDX-License-Identifier: MIT
#pragma once

// Layers by their definition, in C, H, W order, one loop a dimension: the independent truth for
// integers (T = std::int64_t) and for real numbers (T = double). Shares no code with src/quant.

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "graph/graph.h"

namespace biglittle::testing {

inline std::size_t at(const Shape& shape, std::int64_t c, std::int64_t y, std::int64_t x) {
  return static_cast<std::size_t>((c * shape.height + y) * shape.width + x);
}

/// The values of channel `c` under a window's output pixel; nothing for those in the padding.
template <typename T>
std::vector<std::optional<T>> under_window(const std::vector<T>& values, const Shape& shape,
                                           const Window& window, std::int64_t c, std::int64_t y,
                                           std::int64_t x) {
  std::vector<std::optional<T>> result;
  for (std::int64_t ky = 0; ky < window.kernel_height; ++ky) {
    for (std::int64_t kx = 0; kx < window.kernel_width; ++kx) {
      const std::int64_t row = y * window.stride_height + ky - window.pad_top;
      const std::int64_t column = x * window.stride_width + kx - window.pad_left;
      const bool inside = row >= 0 && row < shape.height && column >= 0 && column < shape.width;
      result.push_back(inside ? std::optional<T>(values[at(shape, c, row, column)]) : std::nullopt);
    }
  }
  return result;
}

template <typename T>
std::vector<T> naive_conv(const std::vector<T>& input, const Shape& in,
                          const std::vector<T>& weight, const std::vector<T>& bias,
                          const Conv2d& conv, const Shape& out) {
  std::vector<T> result(static_cast<std::size_t>(out.count()));
  const std::int64_t depth = in.channels / conv.groups;
  const std::int64_t taps = conv.window.kernel_height * conv.window.kernel_width;
  for (std::int64_t o = 0; o < out.channels; ++o) {
    const std::int64_t group = o / (out.channels / conv.groups);
    for (std::int64_t y = 0; y < out.height; ++y) {
      for (std::int64_t x = 0; x < out.width; ++x) {
        T sum = bias[static_cast<std::size_t>(o)];
        for (std::int64_t i = 0; i < depth; ++i) {
          const auto values = under_window(input, in, conv.window, group * depth + i, y, x);
          for (std::int64_t tap = 0; tap < taps; ++tap) {
            const auto& value = values[static_cast<std::size_t>(tap)];
            if (value)
              sum += *value * weight[static_cast<std::size_t>((o * depth + i) * taps + tap)];
          }
        }
        result[at(out, o, y, x)] = sum;
      }
    }
  }
  return result;
}

template <typename T>
std::vector<T> naive_linear(const std::vector<T>& input, const std::vector<T>& weight,
                            std::vector<T> bias) {
  for (std::size_t o = 0; o < bias.size(); ++o) {
    for (std::size_t i = 0; i < input.size(); ++i)
      bias[o] += weight[o * input.size() + i] * input[i];
  }
  return bias;
}

/// Sums under a window; the padding adds nothing.
template <typename T>
std::vector<T> naive_window_sum(const std::vector<T>& input, const Shape& in, const Window& window,
                                const Shape& out) {
  std::vector<T> result(static_cast<std::size_t>(out.count()), T{});
  for (std::int64_t c = 0; c < out.channels; ++c) {
    for (std::int64_t y = 0; y < out.height; ++y) {
      for (std::int64_t x = 0; x < out.width; ++x) {
        for (const auto& value : under_window(input, in, window, c, y, x)) {
          result[at(out, c, y, x)] += value.value_or(T{});
        }
      }
    }
  }
  return result;
}

template <typename T>
std::vector<T> naive_window_max(const std::vector<T>& input, const Shape& in, const Window& window,
                                const Shape& out) {
  std::vector<T> result(static_cast<std::size_t>(out.count()));
  for (std::int64_t c = 0; c < out.channels; ++c) {
    for (std::int64_t y = 0; y < out.height; ++y) {
      for (std::int64_t x = 0; x < out.width; ++x) {
        std::optional<T> largest;
        for (const auto& value : under_window(input, in, window, c, y, x)) {
          if (value && (!largest || *value > *largest)) largest = value;
        }
        result[at(out, c, y, x)] = largest.value();
      }
    }
  }
  return result;
}

inline Window whole_image(const Shape& shape) {
  Window window;
  window.kernel_height = shape.height;
  window.kernel_width = shape.width;
  return window;
}

}  // namespace biglittle::testing
