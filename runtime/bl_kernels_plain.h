/* SPDX-License-Identifier: MIT */
#ifndef BL_KERNELS_PLAIN_H
#define BL_KERNELS_PLAIN_H

/* The kernels in C99. Included by bl_runtime.c only.
 *
 * A convolution copies the windows of two pixels into scratch memory, where padding and the gaps
 * between rows are gone, and computes dot products of both with several output channels, so that
 * every value that was loaded is used several times.
 *
 * Where compilers can use vectors, windows are widened to 16 bits when they are copied, so that
 * sums of 16-bit products become multiply-add instructions, and four channels share two windows.
 * Cores without vectors have registers for two channels, and load bytes as fast as anything. */

#include "bl_kernels_common.h"

#if BL_SCALAR_CORE
typedef uint8_t bl_cell;
enum { BL_CHANNEL_TILE = 2, BL_DEPTHWISE_TILE = 4 };
#else
typedef int16_t bl_cell;
enum { BL_CHANNEL_TILE = 4, BL_DEPTHWISE_TILE = 16 };
#endif

/* ---- dot products ---- */

#if BL_SCALAR_CORE

/* acc[2 p + k] += sum_i weight_k[i] window_p[i]; weights of the channels lie `filter` apart. */
BL_INLINE void bl_dot_tile(const bl_cell* x0, const bl_cell* x1, const int8_t* weight,
                           int32_t filter, int32_t length, int32_t* acc) {
  const int8_t* w0 = weight;
  const int8_t* w1 = w0 + filter;
  const int8_t* const end = w0 + length;
  int32_t a0 = acc[0], a1 = acc[1], b0 = acc[2], b1 = acc[3];
  while (w0 != end) {
    const int32_t a = *x0++, b = *x1++, w = *w0++, v = *w1++;
    a0 += a * w;
    b0 += b * w;
    a1 += a * v;
    b1 += b * v;
  }
  acc[0] = a0, acc[1] = a1, acc[2] = b0, acc[3] = b1;
}

#else

/* acc[4 p + k] += sum_i weight_k[i] window_p[i]; weights of the channels lie `filter` apart. */
BL_INLINE void bl_dot_tile(const bl_cell* x0, const bl_cell* x1, const int8_t* weight,
                           int32_t filter, int32_t length, int32_t* acc) {
  const int8_t* w0 = weight;
  const int8_t* w1 = w0 + filter;
  const int8_t* w2 = w1 + filter;
  const int8_t* w3 = w2 + filter;
  int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
  int32_t b0 = acc[4], b1 = acc[5], b2 = acc[6], b3 = acc[7];
  for (int32_t i = 0; i < length; ++i) {
    const int16_t a = x0[i];
    const int16_t b = x1[i];
    a0 += (int32_t)a * w0[i];
    a1 += (int32_t)a * w1[i];
    a2 += (int32_t)a * w2[i];
    a3 += (int32_t)a * w3[i];
    b0 += (int32_t)b * w0[i];
    b1 += (int32_t)b * w1[i];
    b2 += (int32_t)b * w2[i];
    b3 += (int32_t)b * w3[i];
  }
  acc[0] = a0, acc[1] = a1, acc[2] = a2, acc[3] = a3;
  acc[4] = b0, acc[5] = b1, acc[6] = b2, acc[7] = b3;
}

#endif

BL_INLINE int32_t bl_dot_one(const bl_cell* x, const int8_t* weight, int32_t length, int32_t acc) {
  for (int32_t i = 0; i < length; ++i) acc += (int32_t)x[i] * weight[i];
  return acc;
}

/* ---- windows ---- */

static bl_cell* bl_copy_cells(bl_cell* cells, const bl_byte* input, int32_t count) {
#if BL_SCALAR_CORE
  memcpy(cells, input, (size_t)count);
#else
  for (int32_t i = 0; i < count; ++i) cells[i] = (bl_cell)input[i];
#endif
  return cells + count;
}

static bl_cell* bl_fill_cells(bl_cell* cells, int32_t value, int32_t count) {
#if BL_SCALAR_CORE
  memset(cells, value, (size_t)count);
#else
  for (int32_t i = 0; i < count; ++i) cells[i] = (bl_cell)value;
#endif
  return cells + count;
}

/* The window of one output pixel as one run of values, padding included: copied to `cells`, unless
 * it is one already. */
static const bl_cell* bl_gather(const bl_conv2d_layer* layer, const bl_byte* input, bl_span rows,
                                int32_t x, bl_cell* cells) {
  const int32_t channels = layer->input.channels;
  const int32_t height = layer->window.kernel_height;
  const int32_t width = layer->window.kernel_width * channels;
  const int32_t zero = layer->range.input_zero + BL_BYTE_OFFSET;
  const bl_span columns = bl_place_column(&layer->window, x, layer->input.width);
  const int32_t begin = columns.begin * channels, end = columns.end * channels;
  const bl_byte* run =
      input + (rows.start + rows.begin) * layer->input.row + columns.start * channels + begin;
#if BL_SCALAR_CORE
  if (height == 1 && rows.end == 1 && end - begin == width) return run;
#endif
  bl_cell* cell = bl_fill_cells(cells, zero, rows.begin * width);
  for (int32_t ky = rows.begin; ky < rows.end; ++ky) {
    if (begin > 0) cell = bl_fill_cells(cell, zero, begin);
    cell = bl_copy_cells(cell, run, end - begin);
    if (width > end) cell = bl_fill_cells(cell, zero, width - end);
    run += layer->input.row;
  }
  bl_fill_cells(cell, zero, (height - rows.end) * width);
  return cells;
}

/* ---- convolution ---- */

/* All channels of two pixels. Where there is one pixel, both windows and both outputs are the
 * same. */
BL_NOINLINE void bl_conv_pixels(const bl_conv2d_layer* layer, const bl_limits* all_limits,
                                const bl_cell* const* windows, int32_t length,
                                bl_byte* const* pixels) {
  const bl_limits limits = *all_limits;
  const int32_t outputs = layer->output.channels;
  const int8_t* weight = layer->weight;
  const int32_t* bias = layer->bias;
  const float* multiplier = layer->multiplier;
  bl_byte* const first = pixels[0];
  bl_byte* const second = pixels[1];
  int32_t o = 0;
  for (; o + BL_CHANNEL_TILE <= outputs; o += BL_CHANNEL_TILE) {
    int32_t acc[2 * BL_CHANNEL_TILE];
    for (int32_t k = 0; k < BL_CHANNEL_TILE; ++k) {
      acc[k] = acc[BL_CHANNEL_TILE + k] = bias[o + k];
    }
    bl_dot_tile(windows[0], windows[1], weight + o * length, length, length, acc);
    for (int32_t k = 0; k < BL_CHANNEL_TILE; ++k) {
      first[o + k] = bl_to_byte(acc[k], multiplier[o + k], &limits);
      second[o + k] = bl_to_byte(acc[BL_CHANNEL_TILE + k], multiplier[o + k], &limits);
    }
  }
  for (; o < outputs; ++o) {
    for (int32_t p = 0; p < 2; ++p) {
      const int32_t acc = bl_dot_one(windows[p], weight + o * length, length, bias[o]);
      pixels[p][o] = bl_to_byte(acc, multiplier[o], &limits);
    }
  }
}

void bl_conv2d(const bl_conv2d_layer* layer, const bl_byte* input, bl_byte* output,
               int32_t* scratch) {
  const bl_limits limits = bl_limits_of(&layer->range);
  const int32_t length =
      layer->window.kernel_height * layer->window.kernel_width * layer->input.channels;
  const int32_t pixels = layer->output.height * layer->output.width;
  bl_cell* const cells = (bl_cell*)(void*)scratch;
  const bl_cell* windows[2];
  bl_byte* outputs[2];
  int32_t y = 0, x = 0;
  bl_span rows = bl_place_row(&layer->window, y, layer->input.height);
  /* Pairs reach from one row into the next: only the last pixel of a map may be alone. */
  for (int32_t pixel = 0; pixel < pixels; ++pixel) {
    const int32_t p = pixel & 1;
    windows[p] = bl_gather(layer, input, rows, x, cells + p * length);
    outputs[p] = output + y * layer->output.row + x * layer->output.channels;
    if (++x == layer->output.width) {
      x = 0;
      rows = bl_place_row(&layer->window, ++y, layer->input.height);
    }
    if (p == 0 && pixel + 1 < pixels) continue;
    windows[1] = windows[p];
    outputs[1] = outputs[p];
    bl_conv_pixels(layer, &limits, windows, length, outputs);
  }
}

/* ---- depthwise convolution ---- */

/* acc[c] += weight[c] input[c]; a constant count lets the full tile stay in registers. */
BL_INLINE void bl_multiply_channels(const bl_byte* input, const int8_t* weight, int32_t count,
                                    int32_t* BL_RESTRICT acc) {
#if BL_SCALAR_CORE
  /* Written out, since compilers keep an array in memory where they do not unroll. */
  if (count == BL_DEPTHWISE_TILE) {
    acc[0] += input[0] * weight[0];
    acc[1] += input[1] * weight[1];
    acc[2] += input[2] * weight[2];
    acc[3] += input[3] * weight[3];
    return;
  }
#endif
  for (int32_t c = 0; c < count; ++c) acc[c] += (int32_t)(int16_t)input[c] * weight[c];
}

/* Up to a tile of channels of one pixel. */
BL_INLINE void bl_depthwise_tile(const bl_conv2d_layer* layer, const bl_limits* limits,
                                 const bl_byte* input, const bl_byte* padding, bl_span rows,
                                 bl_span columns, int32_t first, int32_t count, bl_byte* output) {
  const int32_t channels = layer->input.channels;
  const int8_t* w = layer->weight + first;
  int32_t acc[BL_DEPTHWISE_TILE];
  memcpy(acc, layer->bias + first, (size_t)count * sizeof acc[0]);
  for (int32_t ky = 0; ky < layer->window.kernel_height; ++ky) {
    const bl_byte* x =
        input + (rows.start + ky) * layer->input.row + columns.start * channels + first;
    const bool inside = ky >= rows.begin && ky < rows.end;
    for (int32_t kx = 0; kx < layer->window.kernel_width; ++kx) {
      const bool is_pixel = inside && kx >= columns.begin && kx < columns.end;
      bl_multiply_channels(is_pixel ? x + kx * channels : padding, w, count, acc);
      w += channels;
    }
  }
  for (int32_t c = 0; c < count; ++c) {
    output[first + c] = bl_to_byte(acc[c], layer->multiplier[first + c], limits);
  }
}

void bl_depthwise2d(const bl_conv2d_layer* layer, const bl_byte* input, bl_byte* output) {
  const bl_limits limits = bl_limits_of(&layer->range);
  const int32_t channels = layer->input.channels;
  bl_byte padding[BL_DEPTHWISE_TILE];
  memset(padding, layer->range.input_zero + BL_BYTE_OFFSET, sizeof padding);
  for (int32_t y = 0; y < layer->output.height; ++y) {
    const bl_span rows = bl_place_row(&layer->window, y, layer->input.height);
    bl_byte* pixel = output + y * layer->output.row;
    for (int32_t x = 0; x < layer->output.width; ++x) {
      const bl_span columns = bl_place_column(&layer->window, x, layer->input.width);
      int32_t c = 0;
      for (; c + BL_DEPTHWISE_TILE <= channels; c += BL_DEPTHWISE_TILE) {
        bl_depthwise_tile(layer, &limits, input, padding, rows, columns, c, BL_DEPTHWISE_TILE,
                          pixel);
      }
      if (c < channels) {
        bl_depthwise_tile(layer, &limits, input, padding, rows, columns, c, channels - c, pixel);
      }
      pixel += channels;
    }
  }
}

/* ---- linear ---- */

static int32_t bl_linear_row(const bl_linear_layer* layer, const bl_byte* input, int32_t row) {
  const int8_t* weight = layer->weight + row * layer->inputs;
  int32_t acc = layer->bias[row];
  for (int32_t i = 0; i < layer->inputs; ++i) acc += (int32_t)(int16_t)input[i] * weight[i];
  return acc;
}

void bl_linear(const bl_linear_layer* layer, const bl_byte* input, bl_byte* output) {
  const bl_limits limits = bl_limits_of(&layer->range);
  for (int32_t row = 0; row < layer->outputs; ++row) {
    output[row] = bl_to_byte(bl_linear_row(layer, input, row), layer->multiplier[row], &limits);
  }
}

void bl_linear_accumulators(const bl_linear_layer* layer, const bl_byte* input, int32_t* output) {
  for (int32_t row = 0; row < layer->outputs; ++row) {
    output[row] = bl_linear_row(layer, input, row);
  }
}

#endif
