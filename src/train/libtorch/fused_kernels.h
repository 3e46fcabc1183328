// SPDX-License-Identifier: MIT
#pragma once

// Batch norm with its activation and a residual sum in one pass forward and one backward, and 2x2
// max pooling, over channels-last memory. Convolutions leave little time to the rest: as separate
// LibTorch operations these passes take a third of a training step. One thread; float32 or bfloat16
// values, float32 parameters.

#include <cstdint>

namespace biglittle {

/// A bfloat16 as its bits.
struct Bfloat16 {
  std::uint16_t bits;
};

enum class Activation { none, relu, relu6 };

/// Where `skip` is added: not at all, act(norm + skip) (He et al. 2016) or act(norm) + skip.
enum class Residual { none, inside, outside };

/// What follows a batch norm at once.
struct NormTail {
  Activation activation = Activation::none;
  Residual residual = Residual::none;
};

/// What the backward pass needs: [C] each.
struct NormStatistics {
  float* mean;
  float* inverse_deviation;
};

/// `x`, `y` and, with a residual, `skip` [rows, C]. mean and biased variance over rows;
/// norm = (x - mean) / sqrt(var + epsilon) * weight + bias (Ioffe & Szegedy 2015, algorithm 1),
/// y = norm with its tail. Running statistics move by `momentum` towards the batch's mean and
/// unbiased variance. rows >= 2.
template <typename Value>
struct NormForward {
  const Value* x;
  const Value* skip;
  Value* y;
  std::int64_t rows;
  std::int64_t channels;
  const float* weight;
  const float* bias;
  float* running_mean;
  float* running_variance;
  float momentum;
  float epsilon;
  NormTail tail;
  NormStatistics statistics;
};
void normalize_forward(const NormForward<float>& pass);
void normalize_forward(const NormForward<Bfloat16>& pass);

/// dx, dweight and dbias from dy. With t = dy where the activation is not flat (all of dy without
/// activation), xhat the normalized x and k = weight / sqrt(var + epsilon): dbias = sum t, dweight
/// = sum t xhat, dx = k (t - dbias / rows - xhat dweight / rows). The activation's input is
/// computed again: exact where y is rounded, and one stream less to read. A residual inside an
/// activation takes `skip` for that and gets `dskip` = t; neither is used otherwise, dskip being dy
/// itself.
template <typename Value>
struct NormBackward {
  const Value* x;
  const Value* skip;
  const Value* dy;
  Value* dx;
  Value* dskip;
  std::int64_t rows;
  std::int64_t channels;
  const float* weight;
  const float* bias;
  NormStatistics statistics;
  float* dweight;
  float* dbias;
  NormTail tail;
};
void normalize_backward(const NormBackward<float>& pass);
void normalize_backward(const NormBackward<Bfloat16>& pass);

/// 2x2 maximum with stride 2: `x` [n, height, width, C] -> `y` [n, height / 2, width / 2, C]; an
/// odd last row or column is left out. `winner` (as y) says which of the four (row-major) won, the
/// first on a tie.
struct PoolSize {
  std::int64_t n;
  std::int64_t height;
  std::int64_t width;
  std::int64_t channels;
};
void pool_forward(const float* x, float* y, std::uint8_t* winner, const PoolSize& size);
void pool_forward(const Bfloat16* x, Bfloat16* y, std::uint8_t* winner, const PoolSize& size);

/// Writes all of `dx` [n, height, width, C]: dy at each winner, 0 elsewhere.
void pool_backward(const float* dy, const std::uint8_t* winner, float* dx, const PoolSize& size);
void pool_backward(const Bfloat16* dy, const std::uint8_t* winner, Bfloat16* dx,
                   const PoolSize& size);

}  // namespace biglittle
