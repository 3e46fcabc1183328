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

/* ---- windows of two pixels ---- */

/* One to three bytes as the low bytes of a word, zeros above. Where bytes lie before them, one load
 * that ends with the last of them brings them all. */
BL_INLINE uint32_t bl_load_rest(const void* bytes, int32_t count, bool preceded) {
  const uint8_t* byte = (const uint8_t*)bytes;
  if (preceded) return bl_load_word(byte + count - BL_GROUP) >> (8 * (BL_GROUP - count));
  uint32_t word = byte[0];
  if (count > 1) word |= (uint32_t)byte[1] << 8;
  if (count > 2) word |= (uint32_t)byte[2] << 16;
  return word;
}

/* Writes a group of one of the two windows; a group of the other one lies behind it. */
BL_INLINE uint32_t* bl_pack_word(uint32_t* out, uint32_t word) {
  out[0] = bl_even_bytes(word);
  out[1] = bl_odd_bytes(word);
  return out + BL_GROUP_WORDS;
}

/* Appends `count` bytes to a window of which `position` values are there, the last position % 4 in
 * `word` only, and returns what `word` is then. Padding is a word that is read again and again:
 * `step` from word to word is 0 then and 4 otherwise. */
BL_INLINE uint32_t bl_pack_run(uint32_t* window, int32_t position, uint32_t word,
                               const bl_byte* input, int32_t step, int32_t count) {
  uint32_t* out = window + (position & ~(BL_GROUP - 1));
  const int32_t held = position & (BL_GROUP - 1);
  const bool long_enough = count >= BL_GROUP;
  if (held != 0) {
    const int32_t room = BL_GROUP - held;
    word |= (long_enough ? bl_load_word(input) : bl_load_rest(input, count, false)) << (8 * held);
    if (count < room) return word;
    out = bl_pack_word(out, word);
    if (step != 0) input += room;
    count -= room;
  }
  for (; count >= BL_GROUP; count -= BL_GROUP) {
    out = bl_pack_word(out, bl_load_word(input));
    input += step;
  }
  if (count == 0) return 0;
  if (step == 0) return bl_load_word(input) >> (8 * (BL_GROUP - count));
  return bl_load_rest(input, count, long_enough);
}

BL_NOINLINE uint32_t bl_pack_border_run(uint32_t* window, int32_t position, uint32_t word,
                                        const bl_byte* input, int32_t step, int32_t count) {
  return bl_pack_run(window, position, word, input, step, count);
}

/* One window, padding included, filled up to a whole group with zeros. */
BL_NOINLINE void bl_pack_window(const bl_conv2d_layer* layer, const bl_byte* input, bl_span rows,
                                int32_t x, uint32_t* window) {
  const int32_t channels = layer->input.channels;
  const int32_t row = layer->input.row;
  const int32_t height = layer->window.kernel_height;
  const int32_t width = layer->window.kernel_width * channels;
  const bl_span columns = bl_place_column(&layer->window, x, layer->input.width);
  const int32_t begin = columns.begin * channels, end = columns.end * channels;
  const bl_byte* run = input + (rows.start + rows.begin) * row + columns.start * channels + begin;
  int32_t position = 0;
  uint32_t word = 0;
  if (rows.end - rows.begin == height && end - begin == width) {
    for (int32_t ky = 0; ky < height; ++ky) {
      word = bl_pack_run(window, position, word, run, BL_GROUP, width);
      position += width;
      run += row;
    }
  } else {
    const uint32_t zeros = (uint32_t)(layer->range.input_zero + BL_BYTE_OFFSET) * 0x01010101u;
    const bl_byte* const padding = (const bl_byte*)&zeros;
    for (int32_t ky = 0; ky < height; ++ky) {
      const bool inside = ky >= rows.begin && ky < rows.end;
      const int32_t before = inside ? begin : width;
      if (before != 0) word = bl_pack_border_run(window, position, word, padding, 0, before);
      if (inside && end != begin) {
        word = bl_pack_border_run(window, position + begin, word, run, BL_GROUP, end - begin);
        run += row;
      }
      if (inside && end != width) {
        word = bl_pack_border_run(window, position + end, word, padding, 0, width - end);
      }
      position += width;
    }
  }
  if (position % BL_GROUP != 0) bl_pack_word(window + (position & ~(BL_GROUP - 1)), word);
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
                        bool preceded, int32_t* acc) {
  for (int32_t k = 0; k < 2; ++k) {
    const uint32_t word = bl_load_rest(weight, rest, preceded);
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

/* What stays the same for all channels of two pixels. */
typedef struct {
  const uint32_t* windows;
  int32_t groups; /* whole ones of a window */
  int32_t rest;   /* values behind them, which have a group of their own, filled up with zeros */
  bl_pair_limits limits;
} bl_two_windows;

BL_INLINE void bl_store_pair(uint32_t pair, bl_byte* output) {
  const uint16_t bytes = (uint16_t)(pair | pair >> 8);
  memcpy(output, &bytes, sizeof bytes);
}

/* All channels of two pixels. Where there is one pixel, `second` is `first`, and its window is the
 * same; an odd last channel is computed twice. */
BL_NOINLINE void bl_conv_pixels(const bl_conv2d_layer* layer, const bl_two_windows* two,
                                bl_byte* first, bl_byte* second) {
  const bl_pair_limits limits = two->limits;
  const int32_t rest = two->rest;
  const int32_t length = two->groups * BL_GROUP + rest;
  const int8_t* weight = layer->weight;
  const int32_t* bias = layer->bias;
  const float* multiplier = layer->multiplier;
  for (int32_t left = layer->output.channels; left > 0; left -= 2) {
    const int32_t next = left > 1 ? 1 : 0;
    const int32_t filter = left > 1 ? length : 0;
    int32_t acc[4] = {bias[0], bias[0], bias[next], bias[next]};
    /* Where more weights follow, the group of the rest is multiplied as a whole: what is read
     * behind the weights of a channel meets the zeros. */
    const int32_t whole = left > 2 && rest != 0 ? 1 : 0;
    bl_dot_2x2(two->windows, weight, filter, two->groups + whole, acc);
    if (rest != 0 && !whole) {
      bl_dot_rest(two->windows + two->groups * BL_GROUP_WORDS, weight + two->groups * BL_GROUP,
                  filter, rest, two->groups > 0, acc);
    }
    const float m0 = multiplier[0], m1 = multiplier[next];
    const uint32_t pair =
        bl_to_bytes(bl_scale_for_limits(acc[0], m0), bl_scale_for_limits(acc[2], m1), &limits);
    const uint32_t other_pair =
        bl_to_bytes(bl_scale_for_limits(acc[1], m0), bl_scale_for_limits(acc[3], m1), &limits);
    if (next != 0) {
      bl_store_pair(pair, first);
      bl_store_pair(other_pair, second);
    } else {
      *first = (bl_byte)pair;
      *second = (bl_byte)other_pair;
    }
    weight += 2 * length, bias += 2, multiplier += 2, first += 2, second += 2;
  }
}

void bl_conv2d(const bl_conv2d_layer* layer, const bl_byte* input, bl_byte* output,
               int32_t* scratch) {
  const int32_t length =
      layer->window.kernel_height * layer->window.kernel_width * layer->input.channels;
  const int32_t pixels = layer->output.height * layer->output.width;
  uint32_t* const windows = (uint32_t*)scratch;
  const bl_two_windows two = {windows, length / BL_GROUP, length % BL_GROUP,
                              bl_pair_limits_of(&layer->range)};
  bl_byte* outputs[2];
  int32_t y = 0, x = 0;
  bl_span rows = bl_place_row(&layer->window, y, layer->input.height);
  /* Pairs reach from one row into the next: only the last pixel of a map may be alone. */
  for (int32_t pixel = 0; pixel < pixels; pixel += 2) {
    for (int32_t p = 0; p < 2; ++p) {
      if (pixel + p < pixels) {
        outputs[p] = output + y * layer->output.row + x * layer->output.channels;
        bl_pack_window(layer, input, rows, x, windows + 2 * p);
        if (++x == layer->output.width) {
          x = 0;
          rows = bl_place_row(&layer->window, ++y, layer->input.height);
        }
      } else {
        outputs[p] = outputs[0];
        for (int32_t i = 0; i < length; i += BL_GROUP) {
          memcpy(windows + i + 2, windows + i, 2 * sizeof windows[0]);
        }
      }
    }
    bl_conv_pixels(layer, &two, outputs[0], outputs[1]);
  }
}

/* ---- depthwise convolution ---- */

/* A rectangle of taps. In a rectangle of padding every tap reads the same word. */
typedef struct {
  int32_t rows;
  int32_t columns;
  int32_t step;       /* from tap to tap of the input */
  int32_t channels;   /* of the weights */
  int32_t row;        /* from the first tap of a row to that of the next */
  int32_t weight_row; /* of the weights */
} bl_taps;

/* One tap of four channels: `x` and `w` address its bytes and its weights. */
#define BL_DSP_TAP(x, w)      \
  "ldr r9, [r1" x             \
  "]\n"                       \
  "ldr r11, [r2" w            \
  "]\n"                       \
  "uxtb16 r10, r9, ror #8\n"  \
  "uxtb16 r9, r9\n"           \
  "sxtb16 r12, r11, ror #8\n" \
  "sxtb16 r11, r11\n"         \
  "smlabb r4, r9, r11, r4\n"  \
  "smlabb r5, r10, r12, r5\n" \
  "smlatt r6, r9, r11, r6\n"  \
  "smlatt r7, r10, r12, r7\n"

#define BL_DSP_NEXT_ROW \
  "ldr r9, [sp, #4]\n"  \
  "ldr r10, [sp, #8]\n" \
  "add r1, r9\n"        \
  "add r2, r10\n"

/* Adds the taps of four channels to acc[0 ... 3]; most rectangles are three taps wide. The stack
 * holds acc and the steps from row to row. */
__attribute__((naked, noinline)) static void bl_add_taps(
    const bl_taps* taps __attribute__((unused)), const bl_byte* input __attribute__((unused)),
    const int8_t* weight __attribute__((unused)), int32_t* acc __attribute__((unused))) {
  __asm__ volatile(
      ".syntax unified\n"
      "push {r4-r11, lr}\n"
      "ldrd r9, r10, [r0, #16]\n"
      "push {r3, r9, r10}\n"
      "ldm r3, {r4-r7}\n"
      "ldrd r3, r8, [r0, #8]\n"
      "ldrd r0, lr, [r0]\n"
      "cmp lr, #3\n"
      "bne 2f\n"
      "1:\n" BL_DSP_TAP("", "") BL_DSP_TAP(", r3", ", r8")
          BL_DSP_TAP(", r3, lsl #1", ", r8, lsl #1") BL_DSP_NEXT_ROW
      "subs r0, #1\n"
      "bne 1b\n"
      "b 4f\n"
      "2:\n" /* r1 and r2 walk along a row; r3 and r8 are what is left from its end to the next */
      "ldr r9, [sp, #4]\n"
      "mls r9, r3, lr, r9\n"
      "str r9, [sp, #4]\n"
      "ldr r9, [sp, #8]\n"
      "mls r9, r8, lr, r9\n"
      "str r9, [sp, #8]\n"
      "push {lr}\n"
      "3:\n" BL_DSP_TAP("", "")
      "add r1, r3\n"
      "add r2, r8\n"
      "subs lr, #1\n"
      "bne 3b\n"
      "pop {lr}\n" BL_DSP_NEXT_ROW
      "push {lr}\n"
      "subs r0, #1\n"
      "bne 3b\n"
      "pop {lr}\n"
      "4:\n"
      "pop {r3, r9, r10}\n"
      "stm r3, {r4-r7}\n"
      "pop {r4-r11, pc}\n");
}

/* The taps of one pixel: one rectangle inside the image, and above, below, left and right of it up
 * to four of padding. */
typedef struct {
  const bl_byte* input; /* its first byte */
  int32_t weight;       /* the offset of its first weight */
  bl_taps taps;
} bl_rectangle;

typedef struct {
  bl_pair_limits limits;
  uint32_t zeros; /* a word of padding */
  int32_t count;
  bl_rectangle rectangles[5];
} bl_depthwise_place;

static void bl_add_rectangle(bl_depthwise_place* place, const bl_conv2d_layer* layer,
                             const bl_byte* input, bl_span rows, bl_span columns) {
  const int32_t channels = layer->input.channels;
  const int32_t weight_row = layer->window.kernel_width * channels;
  bl_rectangle* rectangle = place->rectangles + place->count;
  const bl_taps taps = {rows.end - rows.begin,        columns.end - columns.begin,
                        input ? channels : 0,         channels,
                        input ? layer->input.row : 0, weight_row};
  if (taps.rows <= 0 || taps.columns <= 0) return;
  rectangle->input = (const bl_byte*)&place->zeros;
  if (input) {
    rectangle->input = input + (rows.start + rows.begin) * layer->input.row +
                       (columns.start + columns.begin) * channels;
  }
  rectangle->weight = rows.begin * weight_row + columns.begin * channels;
  rectangle->taps = taps;
  place->count += 1;
}

static void bl_place_taps(bl_depthwise_place* place, const bl_conv2d_layer* layer,
                          const bl_byte* input, bl_span rows, bl_span columns) {
  const int32_t height = layer->window.kernel_height, width = layer->window.kernel_width;
  const bl_span above = {0, 0, rows.begin}, below = {0, rows.end, height};
  const bl_span left = {0, 0, columns.begin}, right = {0, columns.end, width};
  const bl_span all = {0, 0, width};
  place->count = 0;
  bl_add_rectangle(place, layer, input, rows, columns);
  if (rows.end - rows.begin == height && columns.end - columns.begin == width) return;
  bl_add_rectangle(place, layer, 0, above, all);
  bl_add_rectangle(place, layer, 0, below, all);
  bl_add_rectangle(place, layer, 0, rows, left);
  bl_add_rectangle(place, layer, 0, rows, right);
}

/* All channels of one pixel, by fours; the last four overlap those before where the number of
 * channels is no multiple of four. */
BL_NOINLINE void bl_depthwise_pixel(const bl_conv2d_layer* layer, const bl_depthwise_place* place,
                                    bl_byte* output) {
  const bl_pair_limits limits = place->limits;
  const int32_t* bias = layer->bias;
  const float* multiplier = layer->multiplier;
  const int32_t last = layer->input.channels - BL_GROUP;
  int32_t channel = 0;
  for (;;) {
    int32_t acc[4];
    memcpy(acc, bias + channel, sizeof acc);
    const bl_rectangle* rectangle = place->rectangles;
    const bl_rectangle* const end = rectangle + place->count;
    do {
      const int32_t first = rectangle->taps.step != 0 ? channel : 0;
      bl_add_taps(&rectangle->taps, rectangle->input + first,
                  layer->weight + rectangle->weight + channel, acc);
    } while (++rectangle != end);
    const float* m = multiplier + channel;
    const uint32_t even =
        bl_to_bytes(bl_scale_for_limits(acc[0], m[0]), bl_scale_for_limits(acc[2], m[2]), &limits);
    const uint32_t odd =
        bl_to_bytes(bl_scale_for_limits(acc[1], m[1]), bl_scale_for_limits(acc[3], m[3]), &limits);
    const uint32_t bytes = even | odd << 8;
    memcpy(output + channel, &bytes, sizeof bytes);
    if (channel == last) return;
    channel = channel + BL_GROUP < last ? channel + BL_GROUP : last;
  }
}

/* Fewer than four channels. */
static void bl_depthwise_few(const bl_conv2d_layer* layer, const bl_limits* limits,
                             const bl_byte* input, bl_span rows, bl_span columns, bl_byte* output) {
  const int32_t channels = layer->input.channels;
  const int32_t zero = layer->range.input_zero + BL_BYTE_OFFSET;
  for (int32_t channel = 0; channel < channels; ++channel) {
    const int8_t* weight = layer->weight + channel;
    int32_t acc = layer->bias[channel];
    for (int32_t ky = 0; ky < layer->window.kernel_height; ++ky) {
      for (int32_t kx = 0; kx < layer->window.kernel_width; ++kx) {
        const bool inside =
            ky >= rows.begin && ky < rows.end && kx >= columns.begin && kx < columns.end;
        const int32_t x = inside ? input[(rows.start + ky) * layer->input.row +
                                         (columns.start + kx) * channels + channel]
                                 : zero;
        acc += x * *weight;
        weight += channels;
      }
    }
    output[channel] = bl_to_byte(acc, layer->multiplier[channel], limits);
  }
}

void bl_depthwise2d(const bl_conv2d_layer* layer, const bl_byte* input, bl_byte* output) {
  const bl_limits limits = bl_limits_of(&layer->range);
  const int32_t channels = layer->input.channels;
  bl_depthwise_place place;
  place.limits = bl_pair_limits_of(&layer->range);
  place.zeros = (uint32_t)(layer->range.input_zero + BL_BYTE_OFFSET) * 0x01010101u;
  for (int32_t y = 0; y < layer->output.height; ++y) {
    const bl_span rows = bl_place_row(&layer->window, y, layer->input.height);
    bl_byte* pixel = output + y * layer->output.row;
    for (int32_t x = 0; x < layer->output.width; ++x) {
      const bl_span columns = bl_place_column(&layer->window, x, layer->input.width);
      if (channels < BL_GROUP) {
        bl_depthwise_few(layer, &limits, input, rows, columns, pixel);
      } else {
        bl_place_taps(&place, layer, input, rows, columns);
        bl_depthwise_pixel(layer, &place, pixel);
      }
      pixel += channels;
    }
  }
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

#endif
