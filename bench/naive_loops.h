/* SPDX-License-Identifier: MIT */
#ifndef BIGLITTLE_BENCH_NAIVE_LOOPS_H
#define BIGLITTLE_BENCH_NAIVE_LOOPS_H

/* The layers of an int8 network as anybody would write them down from docs/int8.md: one loop a
 * dimension, bounds tests for the padding, int8 values in height, width, channel order. What
 * portable device code is compared with, in time and in every integer. */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int height;
  int width;
  int channels;
} naive_shape;

typedef struct {
  int kernel_height;
  int kernel_width;
  int stride_height;
  int stride_width;
  int pad_top;
  int pad_left;
} naive_window;

/* The zero points of input and output; results stay within low and high. */
typedef struct {
  int input_zero;
  int output_zero;
  int low;
  int high;
} naive_range;

/* weight: [out][kernel_height][kernel_width][in], depthwise [kernel_height][kernel_width][channel],
 * linear [out][in]; bias and multiplier [out]. */
typedef struct {
  naive_shape input;
  naive_shape output;
  naive_window window;
  naive_range range;
  const int8_t* weight;
  const int32_t* bias;
  const float* multiplier;
} naive_layer;

void naive_conv2d(const naive_layer* layer, const int8_t* input, int8_t* output);
void naive_depthwise2d(const naive_layer* layer, const int8_t* input, int8_t* output);
void naive_linear(const naive_layer* layer, const int8_t* input, int8_t* output);
/* The last layer: sums, not requantized. */
void naive_linear_accumulators(const naive_layer* layer, const int8_t* input, int32_t* output);
void naive_max_pool(const naive_layer* layer, const int8_t* input, int8_t* output);
/* multiplier: one. */
void naive_global_average(const naive_layer* layer, const int8_t* input, int8_t* output);
/* multiplier: one; acc = factors[0] (left - input_zero) + factors[1] (right - right_zero). */
void naive_add(const naive_layer* layer, const int32_t factors[2], int right_zero,
               const int8_t* left, const int8_t* right, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
