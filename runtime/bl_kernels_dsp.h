/* SPDX-License-Identifier: MIT */
#ifndef BL_KERNELS_DSP_H
#define BL_KERNELS_DSP_H

/* The kernels for Cortex-M cores with DSP instructions. Included by bl_runtime.c only.
 *
 * SMLAD multiplies two pairs of 16-bit values and adds both products. Weights are four bytes a word
 * in flash: SXTB16 takes bytes 0 and 2 out of a word, with a rotation bytes 1 and 3. Activations
 * are taken apart in the same way only once, when the windows of two pixels are copied to scratch
 * memory, side by side: one LDM brings four values of both. Per output channel a word of weights
 * then costs one load, two extensions and four SMLAD for eight products.
 *
 * Weights are tight, so words of them are loaded from any address; these cores allow that. */

#include "bl_kernels_common.h"

#if !defined(__GNUC__)
#error "bl_kernels_dsp.h needs GNU inline assembly; define BL_FORM as BL_FORM_PORTABLE"
#endif

/* Values a word holds, and the words that one group of them takes in the windows of two pixels. */
enum { BL_GROUP = 4, BL_GROUP_WORDS = 4 };

BL_INLINE uint32_t bl_load_word(const void* bytes) {
  uint32_t word;
  memcpy(&word, bytes, sizeof word);
  return word;
}

/* ---- DSP instructions ---- */

/* Bytes 0 and 2 as 16-bit values, unsigned and signed; `odd`: bytes 1 and 3. */
BL_INLINE uint32_t bl_even_bytes(uint32_t word) {
  uint32_t pair;
  __asm__("uxtb16 %0, %1" : "=r"(pair) : "r"(word));
  return pair;
}

BL_INLINE uint32_t bl_odd_bytes(uint32_t word) {
  uint32_t pair;
  __asm__("uxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(word));
  return pair;
}

BL_INLINE uint32_t bl_even_weights(uint32_t word) {
  uint32_t pair;
  __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(word));
  return pair;
}

BL_INLINE uint32_t bl_odd_weights(uint32_t word) {
  uint32_t pair;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(word));
  return pair;
}

/* acc + a.low b.low + a.high b.high. */
BL_INLINE int32_t bl_add_products(uint32_t a, uint32_t b, int32_t acc) {
  __asm__("smlad %0, %1, %2, %0" : "+r"(acc) : "r"(a), "r"(b) : "cc");
  return acc;
}

BL_INLINE int32_t bl_add_low_product(uint32_t a, uint32_t b, int32_t acc) {
  __asm__("smlabb %0, %1, %2, %0" : "+r"(acc) : "r"(a), "r"(b) : "cc");
  return acc;
}

BL_INLINE int32_t bl_add_high_product(uint32_t a, uint32_t b, int32_t acc) {
  __asm__("smlatt %0, %1, %2, %0" : "+r"(acc) : "r"(a), "r"(b) : "cc");
  return acc;
}

/* ---- windows of two pixels ---- */

/* Writes one of the two windows: four values to two words, then two words of the other window. */
typedef struct {
  uint32_t* out;
  uint32_t word; /* values that do not fill a word yet */
  int32_t held;  /* their bits */
} bl_packer;

BL_INLINE void bl_pack_word(bl_packer* packer, uint32_t word) {
  packer->out[0] = bl_even_bytes(word);
  packer->out[1] = bl_odd_bytes(word);
  packer->out += BL_GROUP_WORDS;
}

/* Appends `count` bytes; from word to word `input` moves by `step`: 4, or 0 for a word of padding.
 */
static void bl_pack_bytes(bl_packer* packer, const bl_byte* input, int32_t step, int32_t count) {
  bl_packer state = *packer;
  if (state.held == 0) {
    for (; count >= BL_GROUP; count -= BL_GROUP) {
      bl_pack_word(&state, bl_load_word(input));
      input += step;
    }
  } else {
    for (; count >= BL_GROUP; count -= BL_GROUP) {
      const uint32_t word = bl_load_word(input);
      bl_pack_word(&state, state.word | word << state.held);
      state.word = word >> (32 - state.held);
      input += step;
    }
  }
  for (int32_t i = 0; i < count; ++i) {
    state.word |= (uint32_t)input[i] << state.held;
    state.held += 8;
    if (state.held == 32) {
      bl_pack_word(&state, state.word);
      state.word = 0;
      state.held = 0;
    }
  }
  *packer = state;
}

/* One window, padding included, filled up to a whole group with zeros. */
static void bl_pack_window(const bl_conv2d_layer* layer, const bl_byte* input, int32_t y, int32_t x,
                           uint32_t* out) {
  const int32_t channels = layer->input.channels;
  const int32_t width = layer->window.kernel_width;
  const bl_span rows = bl_place_row(&layer->window, y, layer->input.height);
  const bl_span columns = bl_place_column(&layer->window, x, layer->input.width);
  const uint32_t zeros = (uint32_t)(layer->range.input_zero + BL_BYTE_OFFSET) * 0x01010101u;
  const bl_byte* const padding = (const bl_byte*)&zeros;
  bl_packer packer = {out, 0, 0};
  for (int32_t ky = 0; ky < layer->window.kernel_height; ++ky) {
    if (ky < rows.begin || ky >= rows.end) {
      bl_pack_bytes(&packer, padding, 0, width * channels);
      continue;
    }
    if (columns.begin > 0) bl_pack_bytes(&packer, padding, 0, columns.begin * channels);
    if (columns.end > columns.begin) {
      bl_pack_bytes(
          &packer,
          input + (rows.start + ky) * layer->input.row + (columns.start + columns.begin) * channels,
          BL_GROUP, (columns.end - columns.begin) * channels);
    }
    if (columns.end < width) bl_pack_bytes(&packer, padding, 0, (width - columns.end) * channels);
  }
  if (packer.held > 0) bl_pack_word(&packer, packer.word);
}

/* ---- convolution ---- */

/* acc[2 k + p] += the products of window p and output channel k over whole groups, where the
 * weights of the second channel lie `filter` behind those of the first. In assembly as a whole: it
 * takes every register, two pointers to weights, one to the windows, a counter, four sums, four
 * words of windows and two of weights. */
#define BL_DSP_GROUP         \
  "ldmia r0!, {r8-r11}\n"    \
  "ldr r12, [r1], #4\n"      \
  "sxtb16 lr, r12, ror #8\n" \
  "sxtb16 r12, r12\n"        \
  "smlad r5, r10, r12, r5\n" \
  "smlad r4, r8, r12, r4\n"  \
  "ldr r12, [r2], #4\n"      \
  "smlad r5, r11, lr, r5\n"  \
  "smlad r4, r9, lr, r4\n"   \
  "sxtb16 lr, r12, ror #8\n" \
  "sxtb16 r12, r12\n"        \
  "smlad r7, r10, r12, r7\n" \
  "smlad r6, r8, r12, r6\n"  \
  "smlad r7, r11, lr, r7\n"  \
  "smlad r6, r9, lr, r6\n"

__attribute__((naked, noinline)) static void bl_dot_2x2(
    const uint32_t* windows __attribute__((unused)), const int8_t* weight __attribute__((unused)),
    int32_t filter __attribute__((unused)), int32_t groups __attribute__((unused)),
    int32_t* acc __attribute__((unused))) {
  __asm__ volatile(
      ".syntax unified\n"
      "push {r4-r11, lr}\n"
      "ldr r12, [sp, #36]\n"
      "add r2, r1\n"
      "ldm r12, {r4-r7}\n"
      "subs r3, #4\n"
      "blt 2f\n"
      "1:\n" BL_DSP_GROUP BL_DSP_GROUP BL_DSP_GROUP BL_DSP_GROUP
      "subs r3, #4\n"
      "bge 1b\n"
      "2:\n"
      "adds r3, #4\n"
      "beq 4f\n"
      "3:\n" BL_DSP_GROUP
      "subs r3, #1\n"
      "bne 3b\n"
      "4:\n"
      "ldr r12, [sp, #36]\n"
      "stm r12, {r4-r7}\n"
      "pop {r4-r11, pc}\n");
}

/* The last one to three values of a window with their weights. */
static void bl_dot_rest(const uint32_t* windows, const int8_t* weight, int32_t filter, int32_t rest,
                        int32_t* acc) {
  for (int32_t k = 0; k < 2; ++k) {
    uint32_t word = 0;
    for (int32_t i = 0; i < rest; ++i) word |= (uint32_t)(uint8_t)weight[i] << (8 * i);
    const uint32_t even = bl_even_weights(word);
    const uint32_t odd = bl_odd_weights(word);
    for (int32_t p = 0; p < 2; ++p) {
      acc[p] = bl_add_products(windows[2 * p], even, acc[p]);
      acc[p] = bl_add_products(windows[2 * p + 1], odd, acc[p]);
    }
    weight += filter;
    acc += 2;
  }
}

static void bl_conv_pixels(const bl_conv2d_layer* layer, const bl_limits* limits,
                           const uint32_t* windows, int32_t length, bl_byte* first,
                           bl_byte* second) {
  const int32_t outputs = layer->output.channels;
  const int32_t groups = length / BL_GROUP;
  const int32_t rest = length % BL_GROUP;
  const int8_t* weight = layer->weight;
  for (int32_t o = 0; o < outputs; o += 2) {
    /* An odd last channel is computed twice. */
    const int32_t next = o + 1 < outputs ? 1 : 0;
    const int32_t filter = next * length;
    int32_t acc[4];
    acc[0] = acc[1] = layer->bias[o];
    acc[2] = acc[3] = layer->bias[o + next];
    bl_dot_2x2(windows, weight, filter, groups, acc);
    if (rest != 0) {
      bl_dot_rest(windows + groups * BL_GROUP_WORDS, weight + groups * BL_GROUP, filter, rest, acc);
    }
    /* Where there is one pixel, `second` is `first`, and its window is the same. */
    for (int32_t k = 0; k <= next; ++k) {
      const float multiplier = layer->multiplier[o + k];
      first[o + k] = bl_to_byte(acc[2 * k], multiplier, limits);
      second[o + k] = bl_to_byte(acc[2 * k + 1], multiplier, limits);
    }
    weight += 2 * length;
  }
}

void bl_conv2d(const bl_conv2d_layer* layer, const bl_byte* input, bl_byte* output,
               int32_t* scratch) {
  const bl_limits limits = bl_limits_of(&layer->range);
  const int32_t length =
      layer->window.kernel_height * layer->window.kernel_width * layer->input.channels;
  const int32_t pixels = layer->output.height * layer->output.width;
  uint32_t* const windows = (uint32_t*)scratch;
  bl_byte* outputs[2];
  int32_t y = 0, x = 0;
  /* Pairs reach from one row into the next: only the last pixel of a map may be alone. */
  for (int32_t pixel = 0; pixel < pixels; pixel += 2) {
    for (int32_t p = 0; p < 2; ++p) {
      if (pixel + p < pixels) {
        outputs[p] = output + y * layer->output.row + x * layer->output.channels;
        bl_pack_window(layer, input, y, x, windows + 2 * p);
        if (++x == layer->output.width) x = 0, ++y;
      } else {
        outputs[p] = outputs[0];
        for (int32_t i = 0; i < length; i += BL_GROUP) {
          memcpy(windows + i + 2, windows + i, 2 * sizeof windows[0]);
        }
      }
    }
    bl_conv_pixels(layer, &limits, windows, length, outputs[0], outputs[1]);
  }
}

/* ---- depthwise convolution ---- */

/* Four channels over neighbouring taps: bytes lie `step` apart, weights `channels`. */
BL_INLINE void bl_add_taps(const bl_byte* input, int32_t step, const int8_t* weight,
                           int32_t channels, int32_t taps, int32_t* acc) {
  for (int32_t i = 0; i < taps; ++i) {
    const uint32_t x = bl_load_word(input);
    const uint32_t w = bl_load_word(weight);
    const uint32_t even = bl_even_bytes(x), odd = bl_odd_bytes(x);
    const uint32_t even_weights = bl_even_weights(w), odd_weights = bl_odd_weights(w);
    acc[0] = bl_add_low_product(even, even_weights, acc[0]);
    acc[1] = bl_add_low_product(odd, odd_weights, acc[1]);
    acc[2] = bl_add_high_product(even, even_weights, acc[2]);
    acc[3] = bl_add_high_product(odd, odd_weights, acc[3]);
    input += step;
    weight += channels;
  }
}

/* Where one pixel's taps lie: outside the image a word of padding stands for all of them. */
typedef struct {
  bl_span rows;
  bl_span columns;
  const bl_byte* input; /* the first tap inside the image */
  uint32_t padding;
} bl_taps;

static void bl_depthwise_four(const bl_conv2d_layer* layer, const bl_limits* limits,
                              const bl_taps* taps, int32_t channel, bl_byte* output) {
  const int32_t channels = layer->input.channels;
  const int32_t width = layer->window.kernel_width;
  const int32_t inside = taps->columns.end - taps->columns.begin;
  const bl_byte* const padding = (const bl_byte*)&taps->padding;
  const bl_byte* input = taps->input + channel;
  const int8_t* weight = layer->weight + channel;
  int32_t acc[4];
  memcpy(acc, layer->bias + channel, sizeof acc);
  for (int32_t ky = 0; ky < layer->window.kernel_height; ++ky) {
    if (ky < taps->rows.begin || ky >= taps->rows.end) {
      bl_add_taps(padding, 0, weight, channels, width, acc);
      weight += width * channels;
      continue;
    }
    bl_add_taps(padding, 0, weight, channels, taps->columns.begin, acc);
    weight += taps->columns.begin * channels;
    bl_add_taps(input, channels, weight, channels, inside, acc);
    weight += inside * channels;
    bl_add_taps(padding, 0, weight, channels, width - taps->columns.end, acc);
    weight += (width - taps->columns.end) * channels;
    input += layer->input.row;
  }
  for (int32_t k = 0; k < 4; ++k) {
    output[channel + k] = bl_to_byte(acc[k], layer->multiplier[channel + k], limits);
  }
}

/* One of the last channels where their number is no multiple of four. */
static void bl_depthwise_one(const bl_conv2d_layer* layer, const bl_limits* limits,
                             const bl_taps* taps, int32_t channel, bl_byte* output) {
  const int32_t channels = layer->input.channels;
  const int8_t* weight = layer->weight + channel;
  int32_t acc = layer->bias[channel];
  for (int32_t ky = 0; ky < layer->window.kernel_height; ++ky) {
    const bl_byte* input = taps->input + (ky - taps->rows.begin) * layer->input.row + channel;
    for (int32_t kx = 0; kx < layer->window.kernel_width; ++kx) {
      const bool inside = ky >= taps->rows.begin && ky < taps->rows.end &&
                          kx >= taps->columns.begin && kx < taps->columns.end;
      const int32_t x =
          inside ? input[(kx - taps->columns.begin) * channels] : (int32_t)(taps->padding & 0xffu);
      acc += x * *weight;
      weight += channels;
    }
  }
  output[channel] = bl_to_byte(acc, layer->multiplier[channel], limits);
}

void bl_depthwise2d(const bl_conv2d_layer* layer, const bl_byte* input, bl_byte* output) {
  const bl_limits limits = bl_limits_of(&layer->range);
  const int32_t channels = layer->input.channels;
  bl_taps taps;
  taps.padding = (uint32_t)(layer->range.input_zero + BL_BYTE_OFFSET) * 0x01010101u;
  for (int32_t y = 0; y < layer->output.height; ++y) {
    taps.rows = bl_place_row(&layer->window, y, layer->input.height);
    bl_byte* pixel = output + y * layer->output.row;
    for (int32_t x = 0; x < layer->output.width; ++x) {
      taps.columns = bl_place_column(&layer->window, x, layer->input.width);
      taps.input = input + (taps.rows.start + taps.rows.begin) * layer->input.row +
                   (taps.columns.start + taps.columns.begin) * channels;
      int32_t channel = 0;
      for (; channel + 4 <= channels; channel += 4) {
        bl_depthwise_four(layer, &limits, &taps, channel, pixel);
      }
      for (; channel < channels; ++channel) {
        bl_depthwise_one(layer, &limits, &taps, channel, pixel);
      }
      pixel += channels;
    }
  }
}

/* ---- linear ---- */

/* Two neighbouring rows, the second `filter` behind the first. */
static void bl_linear_rows(const bl_linear_layer* layer, const bl_byte* input, int32_t row,
                           int32_t filter, int32_t* acc) {
  const int8_t* first = layer->weight + row * layer->inputs;
  const int8_t* second = first + filter;
  int32_t a = acc[0], b = acc[1];
  int32_t i = 0;
  for (; i + BL_GROUP <= layer->inputs; i += BL_GROUP) {
    const uint32_t x = bl_load_word(input + i);
    const uint32_t even = bl_even_bytes(x), odd = bl_odd_bytes(x);
    const uint32_t w = bl_load_word(first + i), v = bl_load_word(second + i);
    a = bl_add_products(even, bl_even_weights(w), a);
    a = bl_add_products(odd, bl_odd_weights(w), a);
    b = bl_add_products(even, bl_even_weights(v), b);
    b = bl_add_products(odd, bl_odd_weights(v), b);
  }
  for (; i < layer->inputs; ++i) {
    a += input[i] * first[i];
    b += input[i] * second[i];
  }
  acc[0] = a;
  acc[1] = b;
}

/* Rows from `row` on, one or two; returns how many. */
static int32_t bl_linear_step(const bl_linear_layer* layer, const bl_byte* input, int32_t row,
                              int32_t* acc) {
  const int32_t next = row + 1 < layer->outputs ? 1 : 0;
  acc[0] = layer->bias[row];
  acc[1] = layer->bias[row + next];
  bl_linear_rows(layer, input, row, next * layer->inputs, acc);
  return 1 + next;
}

void bl_linear(const bl_linear_layer* layer, const bl_byte* input, bl_byte* output) {
  const bl_limits limits = bl_limits_of(&layer->range);
  int32_t row = 0;
  while (row < layer->outputs) {
    int32_t acc[2];
    const int32_t rows = bl_linear_step(layer, input, row, acc);
    for (int32_t k = 0; k < rows; ++k) {
      output[row + k] = bl_to_byte(acc[k], layer->multiplier[row + k], &limits);
    }
    row += rows;
  }
}

void bl_linear_accumulators(const bl_linear_layer* layer, const bl_byte* input, int32_t* output) {
  int32_t row = 0;
  while (row < layer->outputs) {
    int32_t acc[2];
    const int32_t rows = bl_linear_step(layer, input, row, acc);
    for (int32_t k = 0; k < rows; ++k) output[row + k] = acc[k];
    row += rows;
  }
}

#endif
