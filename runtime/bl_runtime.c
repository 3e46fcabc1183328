/* SPDX-License-Identifier: MIT */
#include "bl_runtime.h"

#include <string.h>

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif

#include "bl_kernels_common.h"

#if BL_FORM == BL_FORM_PORTABLE
#include "bl_kernels_plain.h"
#elif BL_FORM == BL_FORM_DSP
#include "bl_kernels_dsp.h"
#elif BL_FORM == BL_FORM_NEON || BL_FORM == BL_FORM_NEON_DOT
#include "bl_kernels_neon.h"
#else
#include "bl_kernels_x86.h"
#endif

/* Channels that pools average at once. */
#define BL_POOL_TILE (BL_SCALAR_CORE ? 4 : 16)

/* ---- requantization of one number ---- */

int32_t bl_requantize_integer(int32_t acc, float multiplier, int32_t zero, int32_t low,
                              int32_t high) {
  return bl_clamp_to(bl_scale(acc, multiplier), low - zero, high - zero) + zero;
}

#if !BL_SOFT_FLOAT
int32_t bl_requantize_float(int32_t acc, float multiplier, int32_t zero, int32_t low,
                            int32_t high) {
  const bl_range range = {0, zero, low, high};
  const bl_limits limits = bl_limits_of(&range);
  return (int32_t)bl_to_byte(acc, multiplier, &limits) - BL_BYTE_OFFSET;
}
#endif

/* ---- input ---- */

void bl_input_u8(const bl_map* map, const uint8_t* input, bl_byte* output) {
  const int32_t count = map->width * map->channels;
  for (int32_t y = 0; y < map->height; ++y) {
    for (int32_t i = 0; i < count; ++i) {
      output[i] = (bl_byte)((int32_t)input[i] - 128 + BL_BYTE_OFFSET);
    }
    input += count;
    output += map->row;
  }
}

void bl_input_f32(const bl_map* map, const float* input, float offset, float step, int32_t zero,
                  bl_byte* output) {
  const int32_t count = map->width * map->channels;
  const float lowest = (float)(-128 - zero);
  const float highest = (float)(127 - zero);
  for (int32_t y = 0; y < map->height; ++y) {
    for (int32_t i = 0; i < count; ++i) {
      const float centered = input[i] - offset;
      float value = centered / step;
      value = value > lowest ? value : lowest;
      value = value < highest ? value : highest;
      output[i] = (bl_byte)(bl_round_small(value) + zero + BL_BYTE_OFFSET);
    }
    input += count;
    output += map->row;
  }
}

void bl_fill_padding(const bl_map* map, int32_t top, int32_t left, int32_t bottom, int32_t right,
                     int32_t zero, bl_byte* output) {
  const int byte = zero + BL_BYTE_OFFSET;
  const size_t left_bytes = (size_t)(left * map->channels);
  const size_t right_bytes = (size_t)(right * map->channels);
  const int32_t inside = map->width * map->channels;
  for (int32_t y = -top; y < map->height + bottom; ++y) {
    bl_byte* row = output + y * map->row;
    if (y < 0 || y >= map->height) {
      memset(row - left_bytes, byte, left_bytes + (size_t)inside + right_bytes);
    } else {
      memset(row - left_bytes, byte, left_bytes);
      memset(row + inside, byte, right_bytes);
    }
  }
}

/* ---- grouped convolution ---- */

/* The sum of weight * stored byte over one window of one output channel; `input` points at the
 * first channel of its group. */
static int32_t bl_grouped_sum(const bl_conv2d_layer* layer, const bl_byte* input,
                              const int8_t* weight, bl_span rows, bl_span columns) {
  const int32_t depth = layer->input.channels / layer->groups;
  const int32_t zero = layer->range.input_zero + BL_BYTE_OFFSET;
  int32_t acc = 0;
  for (int32_t ky = 0; ky < layer->window.kernel_height; ++ky) {
    for (int32_t kx = 0; kx < layer->window.kernel_width; ++kx) {
      if (ky >= rows.begin && ky < rows.end && kx >= columns.begin && kx < columns.end) {
        const bl_byte* x = input + (rows.start + ky) * layer->input.row +
                           (columns.start + kx) * layer->input.channels;
        for (int32_t i = 0; i < depth; ++i) acc += (int32_t)(int16_t)x[i] * weight[i];
      } else {
        for (int32_t i = 0; i < depth; ++i) acc += zero * weight[i];
      }
      weight += depth;
    }
  }
  return acc;
}

void bl_grouped2d(const bl_conv2d_layer* layer, const bl_byte* input, bl_byte* output) {
  const bl_limits limits = bl_limits_of(&layer->range);
  const int32_t depth = layer->input.channels / layer->groups;
  const int32_t group_outputs = layer->output.channels / layer->groups;
  const int32_t filter = layer->window.kernel_height * layer->window.kernel_width * depth;
  for (int32_t y = 0; y < layer->output.height; ++y) {
    const bl_span rows = bl_place_row(&layer->window, y, layer->input.height);
    for (int32_t x = 0; x < layer->output.width; ++x) {
      const bl_span columns = bl_place_column(&layer->window, x, layer->input.width);
      bl_byte* pixel = output + y * layer->output.row + x * layer->output.channels;
      for (int32_t o = 0; o < layer->output.channels; ++o) {
        const int32_t acc = bl_grouped_sum(layer, input + o / group_outputs * depth,
                                           layer->weight + o * filter, rows, columns);
        pixel[o] = bl_to_byte(layer->bias[o] + acc, layer->multiplier[o], &limits);
      }
    }
  }
}

/* ---- pooling ---- */

#ifndef BL_HAS_POOL_WINDOWS
#if !defined(BL_HAS_KEEP_LARGER)
static void bl_keep_larger(const bl_byte* BL_RESTRICT input, int32_t count,
                           bl_byte* BL_RESTRICT largest) {
  for (int32_t c = 0; c < count; ++c) {
    largest[c] = input[c] > largest[c] ? input[c] : largest[c];
  }
}
#endif

/* The largest value of every channel inside a window. */
static void bl_largest_of(const bl_pool_layer* layer, const bl_byte* input, bl_span rows,
                          bl_span columns, bl_byte* output) {
  const int32_t channels = layer->input.channels;
  memset(output, -128 + BL_BYTE_OFFSET, (size_t)channels);
  for (int32_t ky = rows.begin; ky < rows.end; ++ky) {
    for (int32_t kx = columns.begin; kx < columns.end; ++kx) {
      bl_keep_larger(input + (rows.start + ky) * layer->input.row + (columns.start + kx) * channels,
                     channels, output);
    }
  }
}

BL_INLINE void bl_add_channels(const bl_byte* BL_RESTRICT input, int32_t count,
                               int32_t* BL_RESTRICT acc) {
  for (int32_t c = 0; c < count; ++c) acc[c] += input[c];
}

/* The means of all channels over the inside part of a window. */
BL_NOINLINE void bl_average(const bl_pool_layer* layer, const bl_limits* limits,
                            const bl_byte* input, bl_span rows, bl_span columns, bl_byte* output) {
  const int32_t channels = layer->input.channels;
  const int32_t height = rows.end - rows.begin;
  const int32_t width = columns.end - columns.begin;
  const int32_t zeros = height * width * (layer->range.input_zero + BL_BYTE_OFFSET);
  for (int32_t first = 0; first < channels; first += BL_POOL_TILE) {
    const int32_t left = channels - first;
    const int32_t count = left < BL_POOL_TILE ? left : BL_POOL_TILE;
    int32_t acc[BL_POOL_TILE] = {0};
    for (int32_t y = 0; y < height; ++y) {
      const bl_byte* x = input + (rows.start + rows.begin + y) * layer->input.row +
                         (columns.start + columns.begin) * channels + first;
      for (int32_t i = 0; i < width; ++i) {
        if (!BL_SCALAR_CORE && count == BL_POOL_TILE) {
          bl_add_channels(x + i * channels, BL_POOL_TILE, acc);
        } else {
          bl_add_channels(x + i * channels, count, acc);
        }
      }
    }
    for (int32_t c = 0; c < count; ++c) {
      output[first + c] = bl_to_byte(acc[c] - zeros, layer->multiplier, limits);
    }
  }
}

#endif

void bl_max_pool(const bl_pool_layer* layer, const bl_byte* input, bl_byte* output) {
  for (int32_t y = 0; y < layer->output.height; ++y) {
    const bl_span rows = bl_place_row(&layer->window, y, layer->input.height);
    for (int32_t x = 0; x < layer->output.width; ++x) {
      const bl_span columns = bl_place_column(&layer->window, x, layer->input.width);
      bl_largest_of(layer, input, rows, columns,
                    output + y * layer->output.row + x * layer->output.channels);
    }
  }
}

void bl_avg_pool(const bl_pool_layer* layer, const bl_byte* input, bl_byte* output) {
  const bl_limits limits = bl_limits_of(&layer->range);
  for (int32_t y = 0; y < layer->output.height; ++y) {
    const bl_span rows = bl_place_row(&layer->window, y, layer->input.height);
    for (int32_t x = 0; x < layer->output.width; ++x) {
      const bl_span columns = bl_place_column(&layer->window, x, layer->input.width);
      bl_average(layer, &limits, input, rows, columns,
                 output + y * layer->output.row + x * layer->output.channels);
    }
  }
}

void bl_global_avg_pool(const bl_pool_layer* layer, const bl_byte* input, bl_byte* output) {
  const bl_limits limits = bl_limits_of(&layer->range);
  const bl_span rows = {0, 0, layer->input.height};
  const bl_span columns = {0, 0, layer->input.width};
  bl_average(layer, &limits, input, rows, columns, output);
}

/* ---- the rest ---- */

void bl_flatten(const bl_map* map, const bl_byte* input, bl_byte* output) {
  for (int32_t c = 0; c < map->channels; ++c) {
    for (int32_t y = 0; y < map->height; ++y) {
      const bl_byte* x = input + y * map->row + c;
      for (int32_t i = 0; i < map->width; ++i) *output++ = x[i * map->channels];
    }
  }
}

#ifndef BL_HAS_ADD
void bl_add(const bl_add_layer* layer, const bl_byte* left, const bl_byte* right, bl_byte* output) {
  const bl_limits limits = bl_limits_of(&layer->range);
  const int32_t left_factor = layer->left_factor;
  const int32_t right_factor = layer->right_factor;
  const float multiplier = layer->multiplier;
  const int32_t left_zero = layer->range.input_zero + BL_BYTE_OFFSET;
  const int32_t right_zero = layer->right_zero + BL_BYTE_OFFSET;
  const int32_t count = layer->output.width * layer->output.channels;
  for (int32_t y = 0; y < layer->output.height; ++y) {
    for (int32_t i = 0; i < count; ++i) {
      const int32_t acc =
          left_factor * (left[i] - left_zero) + right_factor * (right[i] - right_zero);
      output[i] = bl_to_byte(acc, multiplier, &limits);
    }
    left += layer->left.row;
    right += layer->right.row;
    output += layer->output.row;
  }
}
#endif

void bl_clamp(const bl_map* input_map, const bl_map* output_map, int32_t low, int32_t high,
              const bl_byte* input, bl_byte* output) {
  const int32_t count = output_map->width * output_map->channels;
  for (int32_t y = 0; y < output_map->height; ++y) {
    for (int32_t i = 0; i < count; ++i) {
      output[i] = (bl_byte)bl_clamp_to(input[i], low + BL_BYTE_OFFSET, high + BL_BYTE_OFFSET);
    }
    input += input_map->row;
    output += output_map->row;
  }
}

/* ---- the decision ---- */

/* Class and margin; the rest is left to the rule. */
static bl_result bl_largest(int32_t classes, const int32_t* accumulators) {
  int32_t top = 0;
  for (int32_t i = 1; i < classes; ++i) {
    if (accumulators[i] > accumulators[top]) top = i;
  }
  int32_t second = top == 0 ? 1 : 0;
  for (int32_t i = 0; i < classes; ++i) {
    if (i != top && accumulators[i] > accumulators[second]) second = i;
  }
  bl_result result;
  result.class_index = top;
  result.margin = accumulators[top] - accumulators[second];
  result.score = BL_TIE_SCORE;
  result.escalate = true;
  result.accumulators = accumulators;
  return result;
}

bl_result bl_decide(const bl_score_rule* rule, const int32_t* accumulators,
                    const volatile int64_t* thresholds) {
  bl_result result = bl_largest(rule->classes, accumulators);
  if (result.margin != 0) {
    const int32_t top = result.class_index;
    int32_t to_other = 0;
    if (rule->other >= 0) {
      to_other = top == rule->other ? result.margin : accumulators[top] - accumulators[rule->other];
    }
    result.score = (int64_t)rule->margin_weight * result.margin +
                   (int64_t)rule->other_weight * to_other + rule->offsets[top];
  }
  result.escalate = !(result.score >= thresholds[result.class_index]);
  return result;
}

bl_result bl_decide_margin(int32_t classes, const int32_t* accumulators,
                           const volatile int64_t* thresholds) {
  bl_result result = bl_largest(classes, accumulators);
  if (result.margin != 0) result.score = result.margin;
  result.escalate = !(result.score >= thresholds[result.class_index]);
  return result;
}

/* ---- the audit ---- */

bool bl_audit(uint32_t n, uint32_t limit) {
  /* A one-to-one map of 32-bit numbers, so exactly `limit` of them pass: an odd constant, so that
   * number 0 is mixed too, then C. Wellons's lowbias32 ("Prospecting for Hash Functions", 2018). */
  uint32_t x = n + UINT32_C(0x9e3779b9);
  x = (x ^ (x >> 16)) * UINT32_C(0x7feb352d);
  x = (x ^ (x >> 15)) * UINT32_C(0x846ca68b);
  return (x ^ (x >> 16)) < limit;
}
