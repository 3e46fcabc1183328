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

/* ---- results ---- */

/* The limits of a layer twice in a word: two results are clamped at once. */
typedef struct {
  uint32_t low;
  uint32_t high;
  uint32_t add;
} bl_pair_limits;

BL_INLINE uint32_t bl_twice(int32_t value) { return ((uint32_t)value & 0xffffu) * 0x10001u; }

BL_INLINE bl_pair_limits bl_pair_limits_of(const bl_range* range) {
  const bl_limits single = bl_limits_of(range);
  const bl_pair_limits limits = {bl_twice(single.low), bl_twice(single.high), bl_twice(single.add)};
  return limits;
}

/* Stored bytes in the low halves of both 16-bit values. */
BL_INLINE uint32_t bl_to_bytes(int32_t first, int32_t second, const bl_pair_limits* limits) {
  uint32_t pair, difference;
  __asm__(
      "ssat %0, #16, %2\n\t"
      "ssat %1, #16, %3\n\t"
      "pkhbt %0, %0, %1, lsl #16\n\t"
      "ssub16 %1, %0, %4\n\t"
      "sel %0, %0, %4\n\t"
      "ssub16 %1, %0, %5\n\t"
      "sel %0, %5, %0\n\t"
      "sadd16 %0, %0, %6"
      : "=&r"(pair), "=&r"(difference)
      : "r"(first), "r"(second), "r"(limits->low), "r"(limits->high), "r"(limits->add)
      : "cc");
  return pair;
}

/* ---- maximum ---- */

#define BL_HAS_KEEP_LARGER 1

BL_INLINE uint32_t bl_larger_bytes(uint32_t a, uint32_t b) {
  uint32_t difference;
  __asm__(
      "usub8 %1, %0, %2\n\t"
      "sel %0, %0, %2"
      : "+r"(a), "=&r"(difference)
      : "r"(b)
      : "cc");
  return a;
}

/* largest = max(largest, input) for bytes; the last word overlaps the one before. */
static void bl_keep_larger(const bl_byte* input, int32_t count, bl_byte* largest) {
  if (count < BL_GROUP) {
    for (int32_t c = 0; c < count; ++c) largest[c] = input[c] > largest[c] ? input[c] : largest[c];
    return;
  }
  for (int32_t c = 0;; c = c + BL_GROUP < count - BL_GROUP ? c + BL_GROUP : count - BL_GROUP) {
    const uint32_t word = bl_larger_bytes(bl_load_word(largest + c), bl_load_word(input + c));
    memcpy(largest + c, &word, sizeof word);
    if (c == count - BL_GROUP) return;
  }
}

/* ---- linear ---- */

/* Sums of four rows from `row` on; the last row stands for those that are not there. Returns how
 * many there are. */
BL_NOINLINE int32_t bl_linear_rows(const bl_linear_layer* layer, const bl_byte* input, int32_t row,
                                   int32_t* acc) {
  const int32_t inputs = layer->inputs;
  const int32_t last = layer->outputs - 1 - row;
  const int8_t* w0 = layer->weight + row * inputs;
  const int8_t* w1 = w0 + (last > 0 ? inputs : 0);
  const int8_t* w2 = w1 + (last > 1 ? inputs : 0);
  const int8_t* w3 = w2 + (last > 2 ? inputs : 0);
  int32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0;
  int32_t i = 0;
  for (; i + BL_GROUP <= inputs; i += BL_GROUP) {
    const uint32_t x = bl_load_word(input + i);
    const uint32_t even = bl_even_bytes(x), odd = bl_odd_bytes(x);
    uint32_t w = bl_load_word(w0 + i);
    a0 = bl_add_products(even, bl_even_weights(w), a0);
    a0 = bl_add_products(odd, bl_odd_weights(w), a0);
    w = bl_load_word(w1 + i);
    a1 = bl_add_products(even, bl_even_weights(w), a1);
    a1 = bl_add_products(odd, bl_odd_weights(w), a1);
    w = bl_load_word(w2 + i);
    a2 = bl_add_products(even, bl_even_weights(w), a2);
    a2 = bl_add_products(odd, bl_odd_weights(w), a2);
    w = bl_load_word(w3 + i);
    a3 = bl_add_products(even, bl_even_weights(w), a3);
    a3 = bl_add_products(odd, bl_odd_weights(w), a3);
  }
  for (; i < inputs; ++i) {
    a0 += input[i] * w0[i];
    a1 += input[i] * w1[i];
    a2 += input[i] * w2[i];
    a3 += input[i] * w3[i];
  }
  const int32_t* bias = layer->bias + row;
  acc[0] = a0 + bias[0];
  if (last > 0) acc[1] = a1 + bias[1];
  if (last > 1) acc[2] = a2 + bias[2];
  if (last > 2) acc[3] = a3 + bias[3];
  return last < 3 ? last + 1 : 4;
}

void bl_linear(const bl_linear_layer* layer, const bl_byte* input, bl_byte* output) {
  const bl_limits limits = bl_limits_of(&layer->range);
  int32_t row = 0;
  while (row < layer->outputs) {
    int32_t acc[4];
    const int32_t rows = bl_linear_rows(layer, input, row, acc);
    for (int32_t k = 0; k < rows; ++k) {
      output[row + k] = bl_to_byte(acc[k], layer->multiplier[row + k], &limits);
    }
    row += rows;
  }
}

void bl_linear_accumulators(const bl_linear_layer* layer, const bl_byte* input, int32_t* output) {
  int32_t row = 0;
  while (row < layer->outputs) row += bl_linear_rows(layer, input, row, output + row);
}

#include "bl_kernels_dsp_conv.h"
#include "bl_kernels_dsp_depthwise.h"

#endif
