// SPDX-License-Identifier: MIT
#pragma once

// 3x3 depthwise convolution for training, on one thread. oneDNN's own backward pass computes row by
// row and prepares each anew, which takes longer than the row.

#include <cstdint>

#include "train/libtorch/bfloat16.h"

namespace biglittle {

/// The most zeros that may be added on a side.
inline constexpr std::int64_t kMostDepthwisePadding = 2;

/// x [n, C / together, height, width, together] and y [n, C / together, out_height, out_width,
/// together]: `together` is C for channels-last maps or kLanes for blocks of them. `pad_top` rows
/// and `pad_left` columns of zeros, at most two, precede x, and as many as y needs, at most two,
/// follow it.
struct DepthwiseSize {
  std::int64_t n;
  std::int64_t height;
  std::int64_t width;
  std::int64_t out_height;
  std::int64_t out_width;
  std::int64_t channels;
  std::int64_t together;
  std::int64_t stride_height;
  std::int64_t stride_width;
  std::int64_t pad_top;
  std::int64_t pad_left;
};

/// y[n, i, j, c] = sum over k, l of weight[c, k, l] x[n, i stride - pad + k, j stride - pad + l,
/// c], in float32; `weight` [C, 3, 3].
template <typename Value>
struct DepthwiseForward {
  const Value* x;
  const float* weight;
  Value* y;
  DepthwiseSize size;
};
void depthwise_forward(const DepthwiseForward<float>& pass);
void depthwise_forward(const DepthwiseForward<Bfloat16>& pass);

/// Writes all of `dx` (as x) and `dweight` (as weight), the latter summed in float64 over images.
template <typename Value>
struct DepthwiseBackward {
  const Value* x;
  const float* weight;
  const Value* dy;
  Value* dx;
  float* dweight;
  DepthwiseSize size;
};
void depthwise_backward(const DepthwiseBackward<float>& pass);
void depthwise_backward(const DepthwiseBackward<Bfloat16>& pass);

}  // namespace biglittle
