// SPDX-License-Identifier: MIT
#include "train/libtorch/fused_kernels.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/vector_clones.h"

namespace biglittle {
namespace {

// Values of a channel summed in float32 before they are added to double sums: few enough to be
// exact to rounding, enough for the conversion not to matter.
constexpr std::int64_t kBlockLines = 128;

// Rows of few channels are taken several at a time, as one line of at least so many values: a loop
// over 16 channels would wait for its own sums.
constexpr std::int64_t kLineValues = 256;

// How the rows of a segment fall into lines of `fold` rows, and how many are left: single rows.
struct Lines {
  NormRows rows;
  std::int64_t fold;
  std::int64_t width;  // values of a line
  std::int64_t count;  // of whole lines in a segment
};

BIGLITTLE_INLINE Lines lines_of(const NormRows& rows) {
  const std::int64_t most = std::clamp<std::int64_t>(kLineValues / rows.channels, 1, rows.rows);
  // Somewhat shorter lines that leave no row are better.
  std::int64_t fold = most;
  while (rows.rows % fold != 0 && fold > most / 2) --fold;
  if (rows.rows % fold != 0) fold = most;
  return {rows, fold, fold * rows.channels, rows.rows / fold};
}

// Calls visit(offset of the line's first value, its values) for each line and each row left.
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

// Repeats the first C values over the line.
BIGLITTLE_INLINE void repeat_over_line(const Lines& lines, float* values) {
  for (std::int64_t i = lines.rows.channels; i < lines.width; ++i)
    values[i] = values[i - lines.rows.channels];
}

// Two double sums a channel of what add(offset, values, first sums, second sums) adds to float sums
// for each line.
struct Sums {
  std::vector<double> first;
  std::vector<double> second;
};
template <typename AddLine>
BIGLITTLE_INLINE Sums sum_lines(const Lines& lines, const AddLine& add) {
  const auto channels = static_cast<std::size_t>(lines.rows.channels);
  const auto width = static_cast<std::size_t>(lines.width);
  Sums sums{std::vector<double>(channels), std::vector<double>(channels)};
  std::vector<float> block(2 * width);
  std::int64_t lines_in_block = 0;
  const auto empty_block = [&]() __attribute__((always_inline)) {
    for (std::size_t i = 0; i < width; i += channels) {
      for (std::size_t c = 0; c < channels; ++c) {
        sums.first[c] += double{block[i + c]};
        sums.second[c] += double{block[width + i + c]};
      }
    }
    std::fill(block.begin(), block.end(), 0.0f);
    lines_in_block = 0;
  };
  for_each_line(
      lines, [&](std::int64_t at, std::size_t values) __attribute__((always_inline)) {
        add(at, values, block.data(), block.data() + width);
        if (++lines_in_block == kBlockLines) empty_block();
      });
  empty_block();
  return sums;
}

// What the activation lets through unchanged: values strictly between.
struct Limits {
  float low;
  float high;
};
BIGLITTLE_INLINE Limits limits_of(Activation activation) {
  if (activation == Activation::none) return {-INFINITY, INFINITY};
  return {0.0f, activation == Activation::relu6 ? 6.0f : INFINITY};
}
// Written so that a NaN stays a NaN.
BIGLITTLE_INLINE float clamp(float value, Limits limits) {
  const float raised = value < limits.low ? limits.low : value;
  return raised > limits.high ? limits.high : raised;
}
BIGLITTLE_INLINE float let_through(float gradient, float value, Limits limits) {
  return value > limits.low && value < limits.high ? gradient : 0.0f;
}

// The pointers of these lines never overlap; saying so is what lets the loops become vectors.
template <typename Value>
BIGLITTLE_INLINE void add_moments(std::size_t n, const Value* __restrict x, float* __restrict sum,
                                  float* __restrict squares) {
  for (std::size_t i = 0; i < n; ++i) {
    const float value = load(x[i]);
    sum[i] += value;
    squares[i] += value * value;
  }
}

// `skip` is read with a residual only.
template <Residual kResidual, typename Value>
BIGLITTLE_INLINE void scale_line(std::size_t n, const Value* __restrict x,
                                 const Value* __restrict skip, Value* __restrict y,
                                 const float* __restrict slope, const float* __restrict shift,
                                 Limits limits) {
  for (std::size_t i = 0; i < n; ++i) {
    float value = load(x[i]) * slope[i] + shift[i];
    if constexpr (kResidual == Residual::inside) value += load(skip[i]);
    value = clamp(value, limits);
    if constexpr (kResidual == Residual::outside) value += load(skip[i]);
    store(y[i], value);
  }
}

// The batch's moments into statistics and running ones.
template <typename Value>
BIGLITTLE_INLINE void take_moments(const NormForward<Value>& pass, const Sums& sums) {
  const auto n = static_cast<double>(pass.rows.count());
  const double momentum{pass.momentum};
  for (std::size_t c = 0; c < sums.first.size(); ++c) {
    const double mean = sums.first[c] / n;
    const double variance = std::max(0.0, sums.second[c] / n - mean * mean);
    pass.statistics.mean[c] = static_cast<float>(mean);
    pass.statistics.inverse_deviation[c] =
        static_cast<float>(1.0 / std::sqrt(variance + double{pass.epsilon}));
    const double unbiased = variance * n / (n - 1.0);
    pass.running_mean[c] =
        static_cast<float>((1.0 - momentum) * double{pass.running_mean[c]} + momentum * mean);
    pass.running_variance[c] = static_cast<float>(
        (1.0 - momentum) * double{pass.running_variance[c]} + momentum * unbiased);
  }
}

// norm = slope x + shift, over a line. Forward and backward both ask for it, so that they agree on
// which side of the activation's bend a value lies.
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

template <Residual kResidual, typename Value>
BIGLITTLE_INLINE void forward(const NormForward<Value>& pass) {
  const Lines lines = lines_of(pass.rows);
  take_moments(pass, sum_lines(
                         lines, [&](std::int64_t at, std::size_t n, float* sum, float* squares)
                                    __attribute__((always_inline)) {
                                      add_moments(n, pass.x + at, sum, squares);
                                    }));
  const Affine norm = affine(lines, pass.statistics, pass.weight, pass.bias);
  const Limits limits = limits_of(pass.tail.activation);
  const Value* const skip = kResidual == Residual::none ? pass.x : pass.skip;  // not read when none
  for_each_line(
      lines, [&](std::int64_t at, std::size_t n) __attribute__((always_inline)) {
        scale_line<kResidual>(n, pass.x + at, skip + at, pass.y + at, norm.slope.data(),
                              norm.shift.data(), limits);
      });
}

// How the gradient t that passed the activation is had: it is dy, or dy where the activation's
// input slope x + shift lies between the limits, or the same with skip in that input, kept in
// dskip.
enum class Gate { open, computed, stored };

// One line's part of sum t and sum t (x - mean).
template <Gate kGate, typename Value>
BIGLITTLE_INLINE void add_line(std::size_t n, const Value* __restrict x,
                               const Value* __restrict skip, const Value* __restrict dy,
                               Value* __restrict dskip, const float* __restrict slope,
                               const float* __restrict shift, const float* __restrict mean,
                               Limits limits, float* __restrict sum, float* __restrict product) {
  for (std::size_t i = 0; i < n; ++i) {
    const float value = load(x[i]);
    float t = load(dy[i]);
    if constexpr (kGate == Gate::computed) t = let_through(t, value * slope[i] + shift[i], limits);
    if constexpr (kGate == Gate::stored) {
      t = let_through(t, value * slope[i] + shift[i] + load(skip[i]), limits);
      store(dskip[i], t);
    }
    sum[i] += t;
    product[i] += t * (value - mean[i]);
  }
}

// dx = k t + a x + b, with k = slope; what is stored of t is read from `dy`.
template <Gate kGate, typename Value>
BIGLITTLE_INLINE void combine_line(std::size_t n, const Value* __restrict x,
                                   const Value* __restrict dy, Value* __restrict dx,
                                   const float* __restrict slope, const float* __restrict shift,
                                   const float* __restrict a, const float* __restrict b,
                                   Limits limits) {
  for (std::size_t i = 0; i < n; ++i) {
    const float value = load(x[i]);
    float t = load(dy[i]);
    if constexpr (kGate == Gate::computed) t = let_through(t, value * slope[i] + shift[i], limits);
    store(dx[i], slope[i] * t + (a[i] * value + b[i]));
  }
}

// The parameters' gradients, and a and b, which collect what does not depend on t.
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

template <Gate kGate, typename Value>
BIGLITTLE_INLINE void backward(const NormBackward<Value>& pass) {
  const Lines lines = lines_of(pass.rows);
  const Affine norm = affine(lines, pass.statistics, pass.weight, pass.bias);
  const Limits limits = limits_of(pass.tail.activation);
  std::vector<float> mean(static_cast<std::size_t>(lines.width));
  std::copy_n(pass.statistics.mean, pass.rows.channels, mean.begin());
  repeat_over_line(lines, mean.data());
  // Neither is used unless t is stored.
  const Value* const skip = kGate == Gate::stored ? pass.skip : pass.x;
  Value* const dskip = kGate == Gate::stored ? pass.dskip : pass.dx;
  const Sums sums = sum_lines(
      lines, [&](std::int64_t at, std::size_t n, float* sum,
                 float* product) __attribute__((always_inline)) {
        add_line<kGate>(n, pass.x + at, skip + at, pass.dy + at, dskip + at, norm.slope.data(),
                        norm.shift.data(), mean.data(), limits, sum, product);
      });
  const Affine rest = take_gradients(pass, lines, sums);
  const Value* const t = kGate == Gate::stored ? pass.dskip : pass.dy;
  for_each_line(
      lines, [&](std::int64_t at, std::size_t n) __attribute__((always_inline)) {
        combine_line<kGate>(n, pass.x + at, t + at, pass.dx + at, norm.slope.data(),
                            norm.shift.data(), rest.slope.data(), rest.shift.data(), limits);
      });
}

template <typename Value>
BIGLITTLE_INLINE void forward_by_tail(const NormForward<Value>& pass) {
  switch (pass.tail.residual) {
    case Residual::none:
      return forward<Residual::none>(pass);
    case Residual::inside:
      return forward<Residual::inside>(pass);
    case Residual::outside:
      return forward<Residual::outside>(pass);
  }
}

template <typename Value>
BIGLITTLE_INLINE void backward_by_tail(const NormBackward<Value>& pass) {
  if (pass.tail.activation == Activation::none) return backward<Gate::open>(pass);
  if (pass.tail.residual == Residual::inside) return backward<Gate::stored>(pass);
  return backward<Gate::computed>(pass);
}

}  // namespace

BIGLITTLE_VECTOR_CLONES void normalize_forward(const NormForward<float>& pass) {
  forward_by_tail(pass);
}
BIGLITTLE_VECTOR_CLONES void normalize_forward(const NormForward<Bfloat16>& pass) {
  forward_by_tail(pass);
}
BIGLITTLE_VECTOR_CLONES void normalize_backward(const NormBackward<float>& pass) {
  backward_by_tail(pass);
}
BIGLITTLE_VECTOR_CLONES void normalize_backward(const NormBackward<Bfloat16>& pass) {
  backward_by_tail(pass);
}

}  // namespace biglittle
