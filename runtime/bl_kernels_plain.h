/* SPDX-License-Identifier: MIT */
#ifndef BL_KERNELS_PLAIN_H
#define BL_KERNELS_PLAIN_H

/* The kernels in C99. Included by bl_runtime.c only.
 *
 * A convolution copies the windows of two neighbouring pixels into scratch memory, where padding
 * and the gaps between rows are gone, and computes dot products of both with several output
 * channels, so that every value that was loaded is used several times. */

#include "bl_kernels_common.h"

enum { BL_CHANNEL_TILE = 4, BL_DEPTHWISE_TILE = 16 };

/* ---- dot products ---- */

/* acc[4 p + k] += sum_i weight_k[i] window_p[i]. */
BL_INLINE void bl_dot_2x4(const int16_t* x0, const int16_t* x1, const int8_t* weight,
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

BL_INLINE int32_t bl_dot_window(const int16_t* x, const int8_t* weight, int32_t length,
                                int32_t acc) {
  for (int32_t i = 0; i < length; ++i) acc += (int32_t)x[i] * weight[i];
  return acc;
}

/* ---- convolution ---- */

/* The window of one output pixel as one run of values, padding included. */
static void bl_gather(const bl_conv2d_layer* layer, const bl_byte* input, bl_span rows,
                      bl_span columns, int16_t* window) {
  const int32_t channels = layer->input.channels;
  const int32_t zero = layer->range.input_zero + BL_BYTE_OFFSET;
  for (int32_t ky = 0; ky < layer->window.kernel_height; ++ky) {
    for (int32_t kx = 0; kx < layer->window.kernel_width; ++kx) {
      const bool inside =
          ky >= rows.begin && ky < rows.end && kx >= columns.begin && kx < columns.end;
      const bl_byte* x =
          inside ? input + (rows.start + ky) * layer->input.row + (columns.start + kx) * channels
                 : input;
      for (int32_t c = 0; c < channels; ++c) window[c] = (int16_t)(inside ? x[c] : zero);
      window += channels;
    }
  }
}

static void bl_conv_pixels(const bl_conv2d_layer* layer, const bl_limits* limits,
                           const int16_t* windows, int32_t length, int32_t pixels,
                           bl_byte* output) {
  const int32_t outputs = layer->output.channels;
  int32_t o = 0;
  for (; o + BL_CHANNEL_TILE <= outputs; o += BL_CHANNEL_TILE) {
    int32_t acc[2 * BL_CHANNEL_TILE];
    memcpy(acc, layer->bias + o, BL_CHANNEL_TILE * sizeof acc[0]);
    memcpy(acc + BL_CHANNEL_TILE, layer->bias + o, BL_CHANNEL_TILE * sizeof acc[0]);
    bl_dot_2x4(windows, windows + (pixels - 1) * length, layer->weight + o * length, length, length,
               acc);
    for (int32_t p = 0; p < pixels; ++p) {
      for (int32_t k = 0; k < BL_CHANNEL_TILE; ++k) {
        output[p * outputs + o + k] =
            bl_to_byte(acc[p * BL_CHANNEL_TILE + k], layer->multiplier[o + k], limits);
      }
    }
  }
  for (; o < outputs; ++o) {
    for (int32_t p = 0; p < pixels; ++p) {
      const int32_t acc =
          bl_dot_window(windows + p * length, layer->weight + o * length, length, layer->bias[o]);
      output[p * outputs + o] = bl_to_byte(acc, layer->multiplier[o], limits);
    }
  }
}

void bl_conv2d(const bl_conv2d_layer* layer, const bl_byte* input, bl_byte* output,
               int32_t* scratch) {
  const bl_limits limits = bl_limits_of(&layer->range);
  const int32_t length =
      layer->window.kernel_height * layer->window.kernel_width * layer->input.channels;
  int16_t* const windows = (int16_t*)(void*)scratch;
  for (int32_t y = 0; y < layer->output.height; ++y) {
    const bl_span rows = bl_place_row(&layer->window, y, layer->input.height);
    bl_byte* row = output + y * layer->output.row;
    for (int32_t x = 0; x < layer->output.width; x += 2) {
      const int32_t pixels = layer->output.width - x < 2 ? 1 : 2;
      for (int32_t p = 0; p < pixels; ++p) {
        bl_gather(layer, input, rows, bl_place_column(&layer->window, x + p, layer->input.width),
                  windows + p * length);
      }
      bl_conv_pixels(layer, &limits, windows, length, pixels, row);
      row += pixels * layer->output.channels;
    }
  }
}

/* ---- depthwise convolution ---- */

static void bl_depthwise_pixel(const bl_conv2d_layer* layer, const bl_limits* limits,
                               const bl_byte* input, bl_span rows, bl_span columns,
                               bl_byte* output) {
  const int32_t channels = layer->input.channels;
  const int32_t zero = layer->range.input_zero + BL_BYTE_OFFSET;
  for (int32_t first = 0; first < channels; first += BL_DEPTHWISE_TILE) {
    const int32_t left = channels - first;
    const int32_t count = left < BL_DEPTHWISE_TILE ? left : BL_DEPTHWISE_TILE;
    const int8_t* w = layer->weight + first;
    int32_t acc[BL_DEPTHWISE_TILE];
    memcpy(acc, layer->bias + first, (size_t)count * sizeof acc[0]);
    for (int32_t ky = 0; ky < layer->window.kernel_height; ++ky) {
      for (int32_t kx = 0; kx < layer->window.kernel_width; ++kx) {
        if (ky >= rows.begin && ky < rows.end && kx >= columns.begin && kx < columns.end) {
          const bl_byte* x = input + (rows.start + ky) * layer->input.row +
                             (columns.start + kx) * channels + first;
          for (int32_t c = 0; c < count; ++c) acc[c] += (int32_t)x[c] * w[c];
        } else {
          for (int32_t c = 0; c < count; ++c) acc[c] += zero * w[c];
        }
        w += channels;
      }
    }
    for (int32_t c = 0; c < count; ++c) {
      output[first + c] = bl_to_byte(acc[c], layer->multiplier[first + c], limits);
    }
  }
}

void bl_depthwise2d(const bl_conv2d_layer* layer, const bl_byte* input, bl_byte* output) {
  const bl_limits limits = bl_limits_of(&layer->range);
  for (int32_t y = 0; y < layer->output.height; ++y) {
    const bl_span rows = bl_place_row(&layer->window, y, layer->input.height);
    bl_byte* row = output + y * layer->output.row;
    for (int32_t x = 0; x < layer->output.width; ++x) {
      const bl_span columns = bl_place_column(&layer->window, x, layer->input.width);
      bl_depthwise_pixel(layer, &limits, input, rows, columns, row);
      row += layer->output.channels;
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
