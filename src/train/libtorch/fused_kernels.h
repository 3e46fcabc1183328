// SPDX-License-Identifier: MIT
#pragma once

// Batch norm with its activation and a residual sum in one pass forward and one backward, over
// channels-last memory. Convolutions leave little time to the rest: as separate LibTorch operations
// these passes take a third of a training step. One thread; float32 or bfloat16 values, float32
// parameters.

#include <cstdint>

#include "train/libtorch/bfloat16.h"

namespace biglittle {

enum class Activation { none, relu, relu6 };

/// Where `skip` is added: not at all, act(norm + skip) (He et al. 2016) or act(norm) + skip.
enum class Residual { none, inside, outside };

/// What follows a batch norm at once; a maximum over 2x2 windows with stride 2 last, and only
/// without a residual.
struct NormTail {
  Activation activation = Activation::none;
  Residual residual = Residual::none;
  bool pools = false;
};

/// What the backward pass needs: [C] each.
struct NormStatistics {
  float* mean;
  float* inverse_deviation;
};

/// Where the values of some channels lie: `segments` times `rows` rows of [channels] values, a
/// segment's rows one after the other and segments `stride` values apart. A segment is an image:
/// of channels-last maps all of it, of [n, C / 16, pixels, 16] a block of 16 channels.
struct NormRows {
  std::int64_t segments;
  std::int64_t rows;
  std::int64_t stride;
  std::int64_t channels;

  std::int64_t count() const { return segments * rows; }
};

/// `x`, `y` and, with a residual, `skip` by `rows`. mean and biased variance over rows;
/// norm = (x - mean) / sqrt(var + epsilon) * weight + bias (Ioffe & Szegedy 2015, algorithm 1),
/// y = norm with its tail. Running statistics move by `momentum` towards the batch's mean and
/// unbiased variance; of a single row both variances are 0.
template <typename Value>
struct NormForward {
  const Value* x;
  const Value* skip;
  Value* y;
  NormRows rows;
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
  NormRows rows;
  const float* weight;
  const float* bias;
  NormStatistics statistics;
  float* dweight;
  float* dbias;
  NormTail tail;
};
void normalize_backward(const NormBackward<float>& pass);
void normalize_backward(const NormBackward<Bfloat16>& pass);

}  // namespace biglittle
