/* SPDX-License-Identifier: MIT */
#ifndef BL_KERNELS_AVX512_DEPTHWISE_H
#define BL_KERNELS_AVX512_DEPTHWISE_H

/* Part of bl_kernels_avx512.h. Four neighbouring taps of a channel are multiplied and added at
 * once, for the 16 channels of a block; or for several pixels where they have so few channels that
 * 16 is a multiple of them. Pixels hold channels next to each other, so bytes change places first,
 * which costs as much as the sums: kernels of three rows therefore go down the map with the sums of
 * the rows below begun, and kernels of three columns take two outputs from the same four pixels. */
#include "bl_kernels_avx512_depthwise64.h"

typedef struct {
  const bl_conv2d_layer* layer;
  intptr_t channels;
  int32_t steps;  /* vectors of weights for a row of the kernel */
  int32_t pixels; /* of one vector */
  bool joined;    /* all taps of a vector lie in the 64 bytes from the first one */
  intptr_t in_pixel;
  intptr_t in_row; /* from output row to output row */
  const int8_t* weight;
  const int32_t* bias;
  const float* multiplier;
  __m512i order;
  bl_byte_limits limits;
  bl_writing writing;
} bl_depthwise;

/* Byte 4 l + k of the result is tap k of lane l: channel l % channels of pixel l / channels. */
static __m512i bl_taps_order(intptr_t pixel, intptr_t tap, intptr_t channels) {
  BL_ALIGN64 uint8_t order[64];
  for (int32_t l = 0; l < 16; ++l) {
    for (int32_t k = 0; k < 4; ++k) {
      order[4 * l + k] = (uint8_t)(l / channels * pixel + k * tap + l % channels);
    }
  }
  return _mm512_load_si512((const void*)order);
}

/* The first `count` taps of a step in the order of the weights; never a tap behind the window,
 * which may lie behind the arena. */
BL_INLINE __m512i bl_load_taps(const bl_depthwise* t, const bl_byte* input, bool joined,
                               int32_t count) {
  if (joined) return _mm512_permutexvar_epi8(t->order, _mm512_loadu_si512((const void*)input));
  __m512i taps = _mm512_castsi128_si512(bl_load16(input));
  if (count > 1) taps = _mm512_inserti32x4(taps, bl_load16(input + t->channels), 1);
  if (count > 2) taps = _mm512_inserti32x4(taps, bl_load16(input + 2 * t->channels), 2);
  if (count > 3) taps = _mm512_inserti32x4(taps, bl_load16(input + 3 * t->channels), 3);
  return _mm512_permutexvar_epi8(t->order, taps);
}

/* ---- any kernel ---- */

static __m512i bl_depthwise_sum(const bl_depthwise* t, const bl_byte* input) {
  const bl_window* window = &t->layer->window;
  const int8_t* w = t->weight;
  __m512i sum = _mm512_load_si512((const void*)t->bias);
  for (int32_t ky = 0; ky < window->kernel_height; ++ky) {
    const bl_byte* x = input + (intptr_t)ky * t->layer->input.row;
    for (int32_t step = 0; step < t->steps; ++step, x += 4 * t->channels, w += 64) {
      BL_DOT(sum, bl_load_taps(t, x, t->joined, window->kernel_width - 4 * step),
             _mm512_load_si512((const void*)w));
    }
  }
  return sum;
}

/* The first `left` pixels of one vector. */
BL_INLINE void bl_write_vector(const bl_depthwise* t, __m512i sum, int32_t left, bl_byte* output) {
  const int32_t count = left < t->pixels ? left * (int32_t)t->channels : 16;
  bl_write_sixteen(&t->limits, sum, _mm512_load_ps(t->multiplier),
                   (__mmask16)(t->writing.apart & bl_first_bytes(count)), output);
}

static void bl_depthwise_any(const bl_depthwise* t, const bl_byte* input, bl_byte* output) {
  const bl_map* map = &t->layer->output;
  for (int32_t y = 0; y < map->height; ++y) {
    for (int32_t x = 0; x < map->width; x += t->pixels) {
      const __m512i sum = bl_depthwise_sum(t, input + y * t->in_row + x * t->in_pixel);
      bl_write_vector(t, sum, map->width - x, output + y * (intptr_t)map->row + x * t->channels);
    }
  }
}

/* ---- kernels of three rows and one step ---- */

/* What the vectors of a row of the kernel meet. `paired`: vectors 1 and 3 are the right neighbours
 * of 0 and 2 and take the same pixels, with weights moved on by a tap. */
BL_INLINE bl_four bl_load_four(const bl_depthwise* t, const bl_byte* input, int32_t vectors,
                               bool joined, bool paired) {
  const intptr_t next = t->pixels * t->in_pixel;
  const int32_t count = paired ? 4 : 3;
  bl_four x;
  x.v0 = bl_load_taps(t, input, joined, count);
  x.v1 = x.v2 = x.v3 = x.v0;
  if (paired) {
    if (vectors > 2) x.v2 = x.v3 = bl_load_taps(t, input + 2 * next, joined, count);
    return x;
  }
  if (vectors > 1) x.v1 = bl_load_taps(t, input + next, joined, count);
  if (vectors > 2) x.v2 = bl_load_taps(t, input + 2 * next, joined, count);
  if (vectors > 3) x.v3 = bl_load_taps(t, input + 3 * next, joined, count);
  return x;
}

BL_INLINE bl_four bl_add_dots(bl_four sums, const bl_four* x, __m512i w, bool paired,
                              int32_t vectors) {
  const __m512i next = paired ? _mm512_slli_epi32(w, 8) : w;
  BL_DOT(sums.v0, x->v0, w);
  if (vectors > 1) BL_DOT(sums.v1, x->v1, next);
  if (vectors > 2) BL_DOT(sums.v2, x->v2, w);
  if (vectors > 3) BL_DOT(sums.v3, x->v3, next);
  return sums;
}

BL_INLINE void bl_write_four(const bl_depthwise* t, const bl_four* sums, int32_t vectors,
                             int32_t left, bl_byte* output) {
  if (vectors == 1) {
    bl_write_vector(t, sums->v0, left, output);
    return;
  }
  const __m512 multiplier = _mm512_load_ps(t->multiplier);
  const __m512i v0 = bl_round(&t->limits, sums->v0, multiplier);
  const __m512i v1 = bl_round(&t->limits, sums->v1, multiplier);
  const __m512i v2 = vectors > 2 ? bl_round(&t->limits, sums->v2, multiplier) : v0;
  const __m512i v3 = vectors > 2 ? bl_round(&t->limits, sums->v3, multiplier) : v0;
  bl_write(&t->writing, bl_join(&t->limits, v0, v1, v2, v3), 4, vectors, output);
}

/* `vectors` next to each other from the top of the map to its bottom. begun and half are sums with
 * the first row of the kernel, and with the first two. */
BL_INLINE void bl_go_down(const bl_depthwise* t, const bl_byte* input, bl_byte* output,
                          int32_t left, int32_t vectors, bool joined, bool paired) {
  const intptr_t row = t->layer->input.row;
  const int32_t height = t->layer->output.height;
  const bool skip = t->layer->window.stride_height == 2;
  const __m512i bias = _mm512_load_si512((const void*)t->bias);
  const __m512i w0 = _mm512_load_si512((const void*)t->weight);
  const __m512i w1 = _mm512_load_si512((const void*)(t->weight + 64));
  const __m512i w2 = _mm512_load_si512((const void*)(t->weight + 128));
  const bl_four none = {bias, bias, bias, bias};
  bl_four x = bl_load_four(t, input, vectors, joined, paired);
  bl_four begun = bl_add_dots(none, &x, w0, paired, vectors);
  bl_four half = begun;
  if (!skip) {
    input += row;
    x = bl_load_four(t, input, vectors, joined, paired);
    half = bl_add_dots(begun, &x, w1, paired, vectors);
    begun = bl_add_dots(none, &x, w0, paired, vectors);
  }
  for (int32_t y = 0; y < height; ++y, output += t->layer->output.row) {
    if (skip) {
      input += row;
      x = bl_load_four(t, input, vectors, joined, paired);
      half = bl_add_dots(begun, &x, w1, paired, vectors);
    }
    input += row;
    x = bl_load_four(t, input, vectors, joined, paired);
    const bl_four sums = bl_add_dots(half, &x, w2, paired, vectors);
    if (!skip) half = bl_add_dots(begun, &x, w1, paired, vectors);
    begun = bl_add_dots(none, &x, w0, paired, vectors);
    bl_write_four(t, &sums, vectors, left, output);
  }
}

#define BL_GO_DOWN(NAME, VECTORS, JOINED, PAIRED)                                                \
  static void NAME(const bl_depthwise* t, const bl_byte* input, bl_byte* output, int32_t left) { \
    bl_go_down(t, input, output, left, VECTORS, JOINED, PAIRED);                                 \
  }
BL_GO_DOWN(bl_down_four_pairs_joined, 4, true, true)
BL_GO_DOWN(bl_down_four_pairs, 4, false, true)
BL_GO_DOWN(bl_down_two_pairs, 2, false, true)
BL_GO_DOWN(bl_down_four_joined, 4, true, false)
BL_GO_DOWN(bl_down_one_joined, 1, true, false)
BL_GO_DOWN(bl_down_four, 4, false, false)
BL_GO_DOWN(bl_down_one, 1, false, false)

/* Four vectors at once from left to right; where a map has that many, the last four reach back. */
static void bl_depthwise_three_rows(const bl_depthwise* t, const bl_byte* input, bl_byte* output) {
  const bool paired = t->pixels == 1 && t->layer->window.stride_width == 1;
  const int32_t width = t->layer->output.width;
  const int32_t four = 4 * t->pixels;
  int32_t x = 0;
  while (x < width) {
    int32_t left = width - x;
    if (left < four && (left > 2 * t->pixels || !paired) && width >= four) {
      x = width - four;
      left = four;
    }
    const bl_byte* in = input + x * t->in_pixel;
    bl_byte* out = output + x * t->channels;
    if (left >= four) {
      (!paired     ? t->joined ? bl_down_four_joined : bl_down_four
       : t->joined ? bl_down_four_pairs_joined
                   : bl_down_four_pairs)(t, in, out, left);
      x += four;
    } else if (paired && left >= 2) {
      bl_down_two_pairs(t, in, out, left);
      x += 2;
    } else {
      (t->joined ? bl_down_one_joined : bl_down_one)(t, in, out, left);
      x += t->pixels;
    }
  }
}

void bl_depthwise2d(const bl_conv2d_layer* layer, const bl_byte* input, bl_byte* output) {
  const bl_window* window = &layer->window;
  const int32_t channels = layer->output.channels;
  const int32_t stride = window->stride_width;
  bl_depthwise t;
  t.layer = layer;
  t.channels = channels;
  t.steps = (window->kernel_width + 3) / 4;
  t.joined = 16 % channels == 0 && ((16 / channels - 1) * stride + 4) * channels <= 64;
  t.pixels = t.joined ? 16 / channels : 1;
  t.in_pixel = (intptr_t)stride * channels;
  t.in_row = (intptr_t)window->stride_height * layer->input.row;
  t.order = t.joined ? bl_taps_order(t.in_pixel, channels, channels) : bl_taps_order(0, 16, 16);
  t.limits = bl_byte_limits_of(&layer->range);
  const bool three_rows =
      window->kernel_height == 3 && window->stride_height <= 2 && window->kernel_width == 3;
  const intptr_t block = (intptr_t)window->kernel_height * t.steps * 64;
  input -= bl_before_map(layer);
  int32_t first = three_rows ? bl_depthwise2d_64(layer, input, output) : 0;
  for (; first < channels; first += 16) {
    t.weight = layer->weight + first / 16 * block;
    t.bias = layer->bias + first;
    t.multiplier = layer->multiplier + first;
    t.writing = t.joined ? bl_writing_of(16, 16, 1) : bl_writing_of(channels - first, channels, 1);
    (three_rows ? bl_depthwise_three_rows : bl_depthwise_any)(&t, input + first, output + first);
  }
}

#endif
