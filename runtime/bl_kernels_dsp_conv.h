/* SPDX-License-Identifier: MIT */
#ifndef BL_KERNELS_DSP_CONV_H
#define BL_KERNELS_DSP_CONV_H

/* The convolution of bl_kernels_dsp.h, which includes this. */

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

#endif
