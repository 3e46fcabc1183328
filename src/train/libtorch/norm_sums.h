// SPDX-License-Identifier: MIT
#pragma once

// What the kernels of batch norm share: sums over each channel, and what follows from them. Inlined
// into each kernel, to be compiled for its vectors.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "core/vector_clones.h"
#include "train/libtorch/fused_kernels.h"

namespace biglittle {

/// Values of a channel summed in float32 before they are added to double sums: few enough to be
/// exact to rounding, enough for the conversion not to matter.
inline constexpr std::int64_t kBlockLines = 128;

/// Rows of few channels are taken several at a time, as one line of at least so many values: a loop
/// over 16 channels would wait for its own sums.
inline constexpr std::int64_t kLineValues = 256;

/// How the rows of a segment fall into lines of `fold` rows, and how many are left: single rows.
/// Segments that follow each other at once are one.
struct Lines {
  NormRows rows;
  std::int64_t fold;
  std::int64_t width;  // values of a line
  std::int64_t count;  // of whole lines in a segment
};

BIGLITTLE_INLINE Lines lines_of(NormRows rows) {
  if (rows.stride == rows.rows * rows.channels) rows = {1, rows.count(), 0, rows.channels};
  const std::int64_t most = std::clamp<std::int64_t>(kLineValues / rows.channels, 1, rows.rows);
  // Somewhat shorter lines that leave no row are better.
  std::int64_t fold = most;
  while (rows.rows % fold != 0 && fold > most / 2) --fold;
  if (rows.rows % fold != 0) fold = most;
  return {rows, fold, fold * rows.channels, rows.rows / fold};
}

/// Calls visit(offset of the line's first value, its values) for each line and each row left.
template <typename Visit>
BIGLITTLE_INLINE void for_each_line(const Lines& lines, const Visit& visit) {
  const std::int64_t channels = lines.rows.channels;
  for (std::int64_t segment = 0; segment < lines.rows.segments; ++segment) {
    std::int64_t at = segment * lines.rows.stride;
    for (std::int64_t i = 0; i < lines.count; ++i, at += lines.width) {
      visit(at, static_cast<std::size_t>(lines.width));
    }
    for (std::int64_t row = lines.count * lines.fold; row < lines.rows.rows; ++row) {
      visit(at, static_cast<std::size_t>(channels));
      at += channels;
    }
  }
}

/// Repeats the first C values over the line.
BIGLITTLE_INLINE void repeat_over_line(const Lines& lines, float* values) {
  for (std::int64_t i = lines.rows.channels; i < lines.width; ++i)
    values[i] = values[i - lines.rows.channels];
}

/// Two double sums a channel.
struct Sums {
  std::vector<double> first;
  std::vector<double> second;
};
/// Of what add(two numbers, first sums, second sums) adds to float sums for each call of
/// for_each's visitor with these two numbers; a line has `width` sums of each kind.
template <typename ForEach, typename Add>
BIGLITTLE_INLINE Sums sum_in_blocks(std::int64_t channels, std::int64_t line,
                                    const ForEach& for_each, const Add& add) {
  const auto width = static_cast<std::size_t>(line);
  const auto step = static_cast<std::size_t>(channels);
  Sums sums{std::vector<double>(step), std::vector<double>(step)};
  std::vector<float> block(2 * width);
  std::int64_t lines_in_block = 0;
  const auto empty_block = [&]() __attribute__((always_inline)) {
    for (std::size_t i = 0; i < width; i += step) {
      for (std::size_t c = 0; c < step; ++c) {
        sums.first[c] += double{block[i + c]};
        sums.second[c] += double{block[width + i + c]};
      }
    }
    std::fill(block.begin(), block.end(), 0.0f);
    lines_in_block = 0;
  };
  for_each([&](std::int64_t at, auto which) __attribute__((always_inline)) {
    add(at, which, block.data(), block.data() + width);
    if (++lines_in_block == kBlockLines) empty_block();
  });
  empty_block();
  return sums;
}

/// Of what add(offset, values, first sums, second sums) adds for each line.
template <typename Add>
BIGLITTLE_INLINE Sums sum_lines(const Lines& lines, const Add& add) {
  const auto each = [&](const auto& visit) __attribute__((always_inline)) {
    for_each_line(lines, visit);
  };
  return sum_in_blocks(lines.rows.channels, lines.width, each, add);
}

/// What the activation lets through unchanged: values strictly between.
struct Limits {
  float low;
  float high;
};
BIGLITTLE_INLINE Limits limits_of(Activation activation) {
  if (activation == Activation::none) return {-INFINITY, INFINITY};
  return {0.0f, activation == Activation::relu6 ? 6.0f : INFINITY};
}

/// The pointers of these lines never overlap; saying so is what lets the loops become vectors.
template <typename Value>
BIGLITTLE_INLINE void add_moments(std::size_t n, const Value* __restrict x, float* __restrict sum,
                                  float* __restrict squares) {
  for (std::size_t i = 0; i < n; ++i) {
    const float value = load(x[i]);
    sum[i] += value;
    squares[i] += value * value;
  }
}

/// The batch's moments into statistics and running ones.
template <typename Value>
BIGLITTLE_INLINE void take_moments(const NormForward<Value>& pass, const Lines& lines) {
  const Sums sums = sum_lines(
      lines, [&](std::int64_t at, std::size_t n, float* sum, float* squares)
                 __attribute__((always_inline)) { add_moments(n, pass.x + at, sum, squares); });
  const auto n = static_cast<double>(pass.rows.count());
  const double momentum{pass.momentum};
  for (std::size_t c = 0; c < sums.first.size(); ++c) {
    const double mean = sums.first[c] / n;
    const double variance = std::max(0.0, sums.second[c] / n - mean * mean);
    pass.statistics.mean[c] = static_cast<float>(mean);
    pass.statistics.inverse_deviation[c] =
        static_cast<float>(1.0 / std::sqrt(variance + double{pass.epsilon}));
    const double unbiased = variance * n / std::max(1.0, n - 1.0);
    pass.running_mean[c] =
        static_cast<float>((1.0 - momentum) * double{pass.running_mean[c]} + momentum * mean);
    pass.running_variance[c] = static_cast<float>(
        (1.0 - momentum) * double{pass.running_variance[c]} + momentum * unbiased);
  }
}

/// norm = slope x + shift, over a line. Forward and backward both ask for it, so that they agree on
/// which side of the activation's bend a value lies.
struct Affine {
  std::vector<float> slope;
  std::vector<float> shift;
};
BIGLITTLE_INLINE Affine affine(const Lines& lines, const NormStatistics& statistics,
                               const float* weight, const float* bias) {
  const auto width = static_cast<std::size_t>(lines.width);
  Affine result{std::vector<float>(width), std::vector<float>(width)};
  for (std::size_t c = 0; c < static_cast<std::size_t>(lines.rows.channels); ++c) {
    const double gain = double{statistics.inverse_deviation[c]} * double{weight[c]};
    result.slope[c] = static_cast<float>(gain);
    result.shift[c] = static_cast<float>(double{bias[c]} - double{statistics.mean[c]} * gain);
  }
  repeat_over_line(lines, result.slope.data());
  repeat_over_line(lines, result.shift.data());
  return result;
}

/// The parameters' gradients, and a and b, which collect what does not depend on t.
template <typename Value>
BIGLITTLE_INLINE Affine take_gradients(const NormBackward<Value>& pass, const Lines& lines,
                                       const Sums& sums) {
  const auto width = static_cast<std::size_t>(lines.width);
  const auto rows = static_cast<double>(pass.rows.count());
  Affine rest{std::vector<float>(width), std::vector<float>(width)};
  for (std::size_t c = 0; c < sums.first.size(); ++c) {
    const double inverse{pass.statistics.inverse_deviation[c]};
    const double gain = double{pass.weight[c]} * inverse;
    const double along = -gain * inverse * inverse * sums.second[c] / rows;
    pass.dbias[c] = static_cast<float>(sums.first[c]);
    pass.dweight[c] = static_cast<float>(sums.second[c] * inverse);
    rest.slope[c] = static_cast<float>(along);
    rest.shift[c] =
        static_cast<float>(-gain * sums.first[c] / rows - along * double{pass.statistics.mean[c]});
  }
  repeat_over_line(lines, rest.slope.data());
  repeat_over_line(lines, rest.shift.data());
  return rest;
}

}  // namespace biglittle
