// SPDX-License-Identifier: MIT
#include "train/libtorch/fused_kernels.h"

#include <algorithm>
#include <vector>

#include "core/vector_clones.h"
#include "train/libtorch/norm_sums.h"

namespace biglittle {
namespace {

// Written so that a NaN stays a NaN.
BIGLITTLE_INLINE float clamp(float value, Limits limits) {
  const float raised = value < limits.low ? limits.low : value;
  return raised > limits.high ? limits.high : raised;
}
BIGLITTLE_INLINE float let_through(float gradient, float value, Limits limits) {
  return value > limits.low && value < limits.high ? gradient : 0.0f;
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

template <Residual kResidual, typename Value>
BIGLITTLE_INLINE void forward(const NormForward<Value>& pass) {
  const Lines lines = lines_of(pass.rows);
  take_moments(pass, lines);
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
BIGLITTLE_NARROW_CLONES void normalize_forward(const NormForward<Bfloat16>& pass) {
  forward_by_tail(pass);
}
BIGLITTLE_VECTOR_CLONES void normalize_backward(const NormBackward<float>& pass) {
  backward_by_tail(pass);
}
BIGLITTLE_NARROW_CLONES void normalize_backward(const NormBackward<Bfloat16>& pass) {
  backward_by_tail(pass);
}

}  // namespace biglittle
