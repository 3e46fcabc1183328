/* SPDX-License-Identifier: MIT */
#include "bl_runtime.h"

#include <string.h>

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif

#ifdef __cplusplus
#define BL_RESTRICT __restrict
#else
#define BL_RESTRICT restrict
#endif

/* Output channels computed together, so that an input value is loaded once for all of them. */
enum { BL_CHANNEL_TILE = 4, BL_DEPTHWISE_TILE = 16 };

/* ---- requantization ---- */

/* value / 2^shift, ties to even; 0 <= shift <= 63. */
static uint64_t bl_round_shift(uint64_t value, int32_t shift) {
  if (shift == 0) return value;
  return (value + ((UINT64_C(1) << (shift - 1)) - 1u) + ((value >> shift) & 1u)) >> shift;
}

static int32_t bl_bit_length(uint32_t value) {
  int32_t length = 0;
  if (value >> 16) length += 16, value >>= 16;
  if (value >> 8) length += 8, value >>= 8;
  if (value >> 4) length += 4, value >>= 4;
  if (value >> 2) length += 2, value >>= 2;
  return length + (value >> 1 ? 2 : (int32_t)value);
}

/* Rounds to the 24 significant bits of a float32 and counts the shift in the exponent. */
static uint32_t bl_round_significand(uint64_t value, int32_t* exponent) {
  const uint32_t above = (uint32_t)(value >> 24);
  if (above == 0) return (uint32_t)value;
  const int32_t shift = bl_bit_length(above);
  *exponent += shift;
  return (uint32_t)bl_round_shift(value, shift);
}

int32_t bl_requantize_integer(int32_t acc, float multiplier, int32_t zero, int32_t low,
                              int32_t high) {
  /* Beyond this every sum with a zero point is outside int8. */
  const uint32_t saturated = 512;
  uint32_t bits;
  memcpy(&bits, &multiplier, sizeof bits);
  /* multiplier = significand 2^exponent; a biased exponent of 0 marks a subnormal number. */
  const int32_t biased = (int32_t)((bits >> 23) & 0xffu);
  const uint32_t significand = (bits & 0x7fffffu) | (biased ? 0x800000u : 0u);
  int32_t exponent = (biased ? biased : 1) - 150;

  const uint32_t magnitude = acc < 0 ? 0u - (uint32_t)acc : (uint32_t)acc;
  const uint32_t rounded_acc = bl_round_significand(magnitude, &exponent);
  const uint32_t product = bl_round_significand((uint64_t)rounded_acc * significand, &exponent);

  uint32_t rounded = 0;
  if (exponent >= 0) {
    if (product != 0)
      rounded = exponent > 9 || product > saturated ? saturated : product << exponent;
  } else if (exponent > -32) {
    rounded = (uint32_t)bl_round_shift(product, -exponent);
  }
  if (rounded > saturated) rounded = saturated;
  const int32_t value = (acc < 0 ? -(int32_t)rounded : (int32_t)rounded) + zero;
  if (value < low) return low;
  return value > high ? high : value;
}

/* Rounds half to even a number between -2^22 and 2^22: adding 1.5 2^23 leaves the whole number in
 * the low bits of the float. */
static int32_t bl_round_small(float value) {
  const float shifted = value + 12582912.0f;
  int32_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  return bits - 0x4b400000;
}

#if !BL_SOFT_FLOAT
/* Clamping to whole numbers before rounding gives the same integers as after it, keeps the number
 * small enough to round, and stands between the product and the sum, so that no compiler can
 * contract the two into one fused operation. */
static inline int32_t bl_requantize(int32_t acc, float multiplier, int32_t zero, int32_t low,
                                    int32_t high) {
  const float lowest = (float)(low - zero);
  const float highest = (float)(high - zero);
  float value = (float)acc * multiplier;
  value = value > lowest ? value : lowest;
  value = value < highest ? value : highest;
  return bl_round_small(value) + zero;
}

int32_t bl_requantize_float(int32_t acc, float multiplier, int32_t zero, int32_t low,
                            int32_t high) {
  return bl_requantize(acc, multiplier, zero, low, high);
}
#else
static int32_t bl_requantize(int32_t acc, float multiplier, int32_t zero, int32_t low,
                             int32_t high) {
  return bl_requantize_integer(acc, multiplier, zero, low, high);
}
#endif

static inline int8_t bl_requantize_to(int32_t acc, float multiplier, bl_range range) {
  return (int8_t)bl_requantize(acc, multiplier, range.output_zero, range.low, range.high);
}

/* ---- input ---- */

void bl_input_u8(int32_t count, const uint8_t* input, int8_t* output) {
  for (int32_t i = 0; i < count; ++i) output[i] = (int8_t)((int32_t)input[i] - 128);
}

void bl_input_f32(int32_t count, const float* input, float offset, float step, int32_t zero,
                  int8_t* output) {
  const float lowest = (float)(-128 - zero);
  const float highest = (float)(127 - zero);
  for (int32_t i = 0; i < count; ++i) {
    const float centered = input[i] - offset;
    float value = centered / step;
    value = value > lowest ? value : lowest;
    value = value < highest ? value : highest;
    output[i] = (int8_t)(bl_round_small(value) + zero);
  }
}

/* ---- dot products ---- */

/* acc[4 p + k] += sum_i weight_k[i] (x_p[i] - zero) for two windows and four output channels whose
 * weights lie `filter` apart. Sixteen-bit factors let compilers use multiply-add instructions. */
static inline void bl_dot_2x4(const int8_t* x0, const int8_t* x1, const int8_t* weight,
                              int32_t filter, int32_t length, int32_t zero, int32_t* acc) {
  const int8_t* w0 = weight;
  const int8_t* w1 = w0 + filter;
  const int8_t* w2 = w1 + filter;
  const int8_t* w3 = w2 + filter;
  int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
  int32_t b0 = acc[4], b1 = acc[5], b2 = acc[6], b3 = acc[7];
  for (int32_t i = 0; i < length; ++i) {
    const int16_t a = (int16_t)(x0[i] - zero);
    const int16_t b = (int16_t)(x1[i] - zero);
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

static inline void bl_dot_1x4(const int8_t* x, const int8_t* weight, int32_t filter, int32_t length,
                              int32_t zero, int32_t* acc) {
  const int8_t* w0 = weight;
  const int8_t* w1 = w0 + filter;
  const int8_t* w2 = w1 + filter;
  const int8_t* w3 = w2 + filter;
  int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
  for (int32_t i = 0; i < length; ++i) {
    const int16_t a = (int16_t)(x[i] - zero);
    a0 += (int32_t)a * w0[i];
    a1 += (int32_t)a * w1[i];
    a2 += (int32_t)a * w2[i];
    a3 += (int32_t)a * w3[i];
  }
  acc[0] = a0, acc[1] = a1, acc[2] = a2, acc[3] = a3;
}

static inline int32_t bl_dot_1x1(const int8_t* x, const int8_t* weight, int32_t length,
                                 int32_t zero, int32_t acc) {
  for (int32_t i = 0; i < length; ++i) {
    const int16_t a = (int16_t)(x[i] - zero);
    acc += (int32_t)a * weight[i];
  }
  return acc;
}

/* ---- convolution ---- */

/* Where a window lies along one axis: its taps [begin, end) are inside the image, tap 0 at
 * `start`. */
typedef struct {
  int32_t start;
  int32_t begin;
  int32_t end;
} bl_span;

static inline bl_span bl_place(int32_t position, int32_t stride, int32_t pad, int32_t kernel,
                               int32_t size) {
  bl_span span;
  span.start = position * stride - pad;
  span.begin = span.start < 0 ? -span.start : 0;
  span.end = size - span.start < kernel ? size - span.start : kernel;
  return span;
}

static inline bl_span bl_place_row(const bl_window* window, int32_t y, int32_t height) {
  return bl_place(y, window->stride_height, window->pad_top, window->kernel_height, height);
}

static inline bl_span bl_place_column(const bl_window* window, int32_t x, int32_t width) {
  return bl_place(x, window->stride_width, window->pad_left, window->kernel_width, width);
}

/* The inside part of one window (or of two neighbours of the same form) in one group: `rows`
 * times `runs` stretches of `length` values that are contiguous in input and weights. */
typedef struct {
  const int8_t* input;
  int32_t weight; /* offset of the weight that meets input[0] */
  int32_t rows;
  int32_t runs;
  int32_t length;
  int32_t input_row;
  int32_t weight_row;
  int32_t input_run;
  int32_t weight_run;
  int32_t filter;     /* weights of one output channel */
  int32_t next_pixel; /* from one window to its right neighbour in the input */
} bl_patch;

static bl_patch bl_patch_at(const bl_conv2d_layer* layer, const int8_t* input, bl_span rows,
                            bl_span columns) {
  const int32_t channels = layer->input.channels;
  const int32_t depth = channels / layer->groups;
  const int32_t taps = columns.end - columns.begin;
  bl_patch patch;
  patch.input_row = layer->input.width * channels;
  patch.weight_row = layer->window.kernel_width * depth;
  patch.input_run = channels;
  patch.weight_run = depth;
  patch.rows = taps > 0 ? rows.end - rows.begin : 0;
  patch.runs = layer->groups == 1 ? 1 : taps;
  patch.length = layer->groups == 1 ? taps * depth : depth;
  patch.filter = layer->window.kernel_height * patch.weight_row;
  patch.next_pixel = layer->window.stride_width * channels;
  patch.weight = rows.begin * patch.weight_row + columns.begin * depth;
  /* A window wholly in the padding has no first value to point at. */
  patch.input = patch.rows > 0 ? input + (rows.start + rows.begin) * patch.input_row +
                                     (columns.start + columns.begin) * channels
                               : input;
  return patch;
}

static void bl_patch_2x4(const bl_patch* patch, const int8_t* weight, int32_t zero, int32_t* acc) {
  for (int32_t row = 0; row < patch->rows; ++row) {
    const int8_t* x = patch->input + row * patch->input_row;
    const int8_t* w = weight + row * patch->weight_row;
    for (int32_t run = 0; run < patch->runs; ++run) {
      bl_dot_2x4(x, x + patch->next_pixel, w, patch->filter, patch->length, zero, acc);
      x += patch->input_run;
      w += patch->weight_run;
    }
  }
}

static void bl_patch_1x4(const bl_patch* patch, const int8_t* weight, int32_t zero, int32_t* acc) {
  for (int32_t row = 0; row < patch->rows; ++row) {
    const int8_t* x = patch->input + row * patch->input_row;
    const int8_t* w = weight + row * patch->weight_row;
    for (int32_t run = 0; run < patch->runs; ++run) {
      bl_dot_1x4(x, w, patch->filter, patch->length, zero, acc);
      x += patch->input_run;
      w += patch->weight_run;
    }
  }
}

static int32_t bl_patch_1x1(const bl_patch* patch, const int8_t* input, const int8_t* weight,
                            int32_t zero, int32_t acc) {
  for (int32_t row = 0; row < patch->rows; ++row) {
    const int8_t* x = input + row * patch->input_row;
    const int8_t* w = weight + row * patch->weight_row;
    for (int32_t run = 0; run < patch->runs; ++run) {
      acc = bl_dot_1x1(x, w, patch->length, zero, acc);
      x += patch->input_run;
      w += patch->weight_run;
    }
  }
  return acc;
}

/* Output channels [first, last) of one group for one or two neighbouring pixels. */
static void bl_conv_pixels(const bl_conv2d_layer* layer, const bl_patch* patch, int32_t pixels,
                           int32_t first, int32_t last, int8_t* output) {
  const int32_t zero = layer->range.input_zero;
  const int32_t stride = layer->output.channels;
  const int8_t* weight = layer->weight + patch->weight;
  int32_t o = first;
  for (; o + BL_CHANNEL_TILE <= last; o += BL_CHANNEL_TILE) {
    int32_t acc[2 * BL_CHANNEL_TILE];
    memcpy(acc, layer->bias + o, BL_CHANNEL_TILE * sizeof acc[0]);
    memcpy(acc + BL_CHANNEL_TILE, layer->bias + o, BL_CHANNEL_TILE * sizeof acc[0]);
    if (pixels == 2) {
      bl_patch_2x4(patch, weight + o * patch->filter, zero, acc);
    } else {
      bl_patch_1x4(patch, weight + o * patch->filter, zero, acc);
    }
    for (int32_t p = 0; p < pixels; ++p) {
      for (int32_t k = 0; k < BL_CHANNEL_TILE; ++k) {
        output[p * stride + o + k] =
            bl_requantize_to(acc[p * BL_CHANNEL_TILE + k], layer->multiplier[o + k], layer->range);
      }
    }
  }
  for (; o < last; ++o) {
    for (int32_t p = 0; p < pixels; ++p) {
      const int32_t acc = bl_patch_1x1(patch, patch->input + p * patch->next_pixel,
                                       weight + o * patch->filter, zero, layer->bias[o]);
      output[p * stride + o] = bl_requantize_to(acc, layer->multiplier[o], layer->range);
    }
  }
}

void bl_conv2d(const bl_conv2d_layer* layer, const int8_t* input, int8_t* output) {
  const int32_t kernel_width = layer->window.kernel_width;
  const int32_t depth = layer->input.channels / layer->groups;
  const int32_t group_outputs = layer->output.channels / layer->groups;
  for (int32_t y = 0; y < layer->output.height; ++y) {
    const bl_span rows = bl_place_row(&layer->window, y, layer->input.height);
    int32_t x = 0;
    while (x < layer->output.width) {
      const bl_span columns = bl_place_column(&layer->window, x, layer->input.width);
      const bl_span next = bl_place_column(&layer->window, x + 1, layer->input.width);
      const bool both_inside = x + 1 < layer->output.width && columns.begin == 0 &&
                               columns.end == kernel_width && next.end == kernel_width;
      const int32_t pixels = both_inside ? 2 : 1;
      bl_patch patch = bl_patch_at(layer, input, rows, columns);
      for (int32_t group = 0; group < layer->groups; ++group) {
        bl_conv_pixels(layer, &patch, pixels, group * group_outputs, (group + 1) * group_outputs,
                       output);
        patch.input += depth;
      }
      output += pixels * layer->output.channels;
      x += pixels;
    }
  }
}

/* acc[c] += weight[c] (input[c] - zero); a constant count lets the full tile stay in registers. */
static inline void bl_multiply_channels(const int8_t* input, const int8_t* weight, int32_t count,
                                        int32_t zero, int32_t* BL_RESTRICT acc) {
  for (int32_t c = 0; c < count; ++c) {
    const int16_t value = (int16_t)(input[c] - zero);
    acc[c] += (int32_t)value * weight[c];
  }
}

static void bl_depthwise_pixel(const bl_conv2d_layer* layer, const int8_t* input, bl_span rows,
                               bl_span columns, int8_t* output) {
  const int32_t channels = layer->input.channels;
  const int32_t zero = layer->range.input_zero;
  for (int32_t first = 0; first < channels; first += BL_DEPTHWISE_TILE) {
    const int32_t left = channels - first;
    const int32_t count = left < BL_DEPTHWISE_TILE ? left : BL_DEPTHWISE_TILE;
    int32_t acc[BL_DEPTHWISE_TILE];
    memcpy(acc, layer->bias + first, (size_t)count * sizeof acc[0]);
    for (int32_t ky = rows.begin; ky < rows.end; ++ky) {
      for (int32_t kx = columns.begin; kx < columns.end; ++kx) {
        const int32_t pixel = (rows.start + ky) * layer->input.width + columns.start + kx;
        const int8_t* x = input + pixel * channels + first;
        const int8_t* w = layer->weight + (ky * layer->window.kernel_width + kx) * channels + first;
        if (count == BL_DEPTHWISE_TILE) {
          bl_multiply_channels(x, w, BL_DEPTHWISE_TILE, zero, acc);
        } else {
          bl_multiply_channels(x, w, count, zero, acc);
        }
      }
    }
    for (int32_t c = 0; c < count; ++c) {
      output[first + c] = bl_requantize_to(acc[c], layer->multiplier[first + c], layer->range);
    }
  }
}

void bl_depthwise2d(const bl_conv2d_layer* layer, const int8_t* input, int8_t* output) {
  for (int32_t y = 0; y < layer->output.height; ++y) {
    const bl_span rows = bl_place_row(&layer->window, y, layer->input.height);
    for (int32_t x = 0; x < layer->output.width; ++x) {
      const bl_span columns = bl_place_column(&layer->window, x, layer->input.width);
      bl_depthwise_pixel(layer, input, rows, columns, output);
      output += layer->output.channels;
    }
  }
}

/* ---- linear ---- */

/* Accumulators of up to four rows from `first`; returns how many. */
static int32_t bl_linear_rows(const bl_linear_layer* layer, const int8_t* input, int32_t first,
                              int32_t* acc) {
  const int8_t* weight = layer->weight + first * layer->inputs;
  const int32_t zero = layer->range.input_zero;
  if (layer->outputs - first < BL_CHANNEL_TILE) {
    acc[0] = bl_dot_1x1(input, weight, layer->inputs, zero, layer->bias[first]);
    return 1;
  }
  memcpy(acc, layer->bias + first, BL_CHANNEL_TILE * sizeof acc[0]);
  bl_dot_1x4(input, weight, layer->inputs, layer->inputs, zero, acc);
  return BL_CHANNEL_TILE;
}

void bl_linear(const bl_linear_layer* layer, const int8_t* input, int8_t* output) {
  int32_t acc[BL_CHANNEL_TILE];
  int32_t row = 0;
  while (row < layer->outputs) {
    const int32_t rows = bl_linear_rows(layer, input, row, acc);
    for (int32_t k = 0; k < rows; ++k) {
      output[row + k] = bl_requantize_to(acc[k], layer->multiplier[row + k], layer->range);
    }
    row += rows;
  }
}

void bl_linear_accumulators(const bl_linear_layer* layer, const int8_t* input, int32_t* output) {
  int32_t row = 0;
  while (row < layer->outputs) row += bl_linear_rows(layer, input, row, output + row);
}

/* ---- pooling ---- */

static void bl_keep_larger(const int8_t* BL_RESTRICT input, int32_t count,
                           int8_t* BL_RESTRICT largest) {
  for (int32_t c = 0; c < count; ++c) {
    largest[c] = input[c] > largest[c] ? input[c] : largest[c];
  }
}

void bl_max_pool(const bl_pool_layer* layer, const int8_t* input, int8_t* output) {
  const int32_t channels = layer->input.channels;
  for (int32_t y = 0; y < layer->output.height; ++y) {
    const bl_span rows = bl_place_row(&layer->window, y, layer->input.height);
    for (int32_t x = 0; x < layer->output.width; ++x) {
      const bl_span columns = bl_place_column(&layer->window, x, layer->input.width);
      memset(output, -128, (size_t)channels);
      for (int32_t ky = rows.begin; ky < rows.end; ++ky) {
        for (int32_t kx = columns.begin; kx < columns.end; ++kx) {
          const int32_t pixel = (rows.start + ky) * layer->input.width + columns.start + kx;
          bl_keep_larger(input + pixel * channels, channels, output);
        }
      }
      output += channels;
    }
  }
}

/* The mean of one channel over the inside part of a window; `input` points at that channel. */
static int8_t bl_average(const bl_pool_layer* layer, const int8_t* input, bl_span rows,
                         bl_span columns) {
  int32_t acc = 0;
  for (int32_t ky = rows.begin; ky < rows.end; ++ky) {
    for (int32_t kx = columns.begin; kx < columns.end; ++kx) {
      const int32_t pixel = (rows.start + ky) * layer->input.width + columns.start + kx;
      acc += input[pixel * layer->input.channels] - layer->range.input_zero;
    }
  }
  return bl_requantize_to(acc, layer->multiplier, layer->range);
}

void bl_avg_pool(const bl_pool_layer* layer, const int8_t* input, int8_t* output) {
  for (int32_t y = 0; y < layer->output.height; ++y) {
    const bl_span rows = bl_place_row(&layer->window, y, layer->input.height);
    for (int32_t x = 0; x < layer->output.width; ++x) {
      const bl_span columns = bl_place_column(&layer->window, x, layer->input.width);
      for (int32_t c = 0; c < layer->input.channels; ++c) {
        *output++ = bl_average(layer, input + c, rows, columns);
      }
    }
  }
}

void bl_global_avg_pool(const bl_pool_layer* layer, const int8_t* input, int8_t* output) {
  bl_span rows = {0, 0, 0};
  bl_span columns = {0, 0, 0};
  rows.end = layer->input.height;
  columns.end = layer->input.width;
  for (int32_t c = 0; c < layer->input.channels; ++c) {
    output[c] = bl_average(layer, input + c, rows, columns);
  }
}

/* ---- the rest ---- */

void bl_flatten(bl_shape shape, const int8_t* input, int8_t* output) {
  const int32_t pixels = shape.height * shape.width;
  for (int32_t c = 0; c < shape.channels; ++c) {
    for (int32_t pixel = 0; pixel < pixels; ++pixel) {
      *output++ = input[pixel * shape.channels + c];
    }
  }
}

void bl_add(const bl_add_layer* layer, const int8_t* left, const int8_t* right, int8_t* output) {
  const bl_add_layer add = *layer;
  for (int32_t i = 0; i < add.count; ++i) {
    const int32_t acc = add.left_factor * (left[i] - add.range.input_zero) +
                        add.right_factor * (right[i] - add.right_zero);
    output[i] = bl_requantize_to(acc, add.multiplier, add.range);
  }
}

void bl_clamp(int32_t count, int32_t low, int32_t high, const int8_t* input, int8_t* output) {
  for (int32_t i = 0; i < count; ++i) {
    const int32_t value = input[i] > low ? input[i] : low;
    output[i] = (int8_t)(value < high ? value : high);
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
