/* SPDX-License-Identifier: MIT */
#ifndef BL_KERNELS_AVX512_DEPTHWISE64_H
#define BL_KERNELS_AVX512_DEPTHWISE64_H

/* Part of bl_kernels_avx512_depthwise.h: 64 channels at once, for which interleaving the bytes of
 * neighbouring pixels is cheaper than moving those of 16 channels. It leaves four channels of each
 * block in every vector; weights, biases and multipliers are brought into the same order first, and
 * requantized bytes come out in the order of memory. */
typedef struct {
  const bl_conv2d_layer* layer;
  intptr_t channels;
  __m512i weight[2][3][4]; /* for the left and the right of two outputs; [row of the kernel] */
  __m512i bias[4];
  __m512 multiplier[4];
  bl_byte_limits limits;
} bl_depthwise64;

typedef struct {
  __m512i v0;
  __m512i v1;
  __m512i v2;
  __m512i v3;
} bl_four;

/* Quarter i of vector j becomes quarter j of vector i. */
BL_INLINE void bl_turn_quarters(const void* blocks, intptr_t distance, __m512i* turned) {
  const int8_t* from = (const int8_t*)blocks;
  const __m512i b0 = _mm512_load_si512((const void*)from);
  const __m512i b1 = _mm512_load_si512((const void*)(from + distance));
  const __m512i b2 = _mm512_load_si512((const void*)(from + 2 * distance));
  const __m512i b3 = _mm512_load_si512((const void*)(from + 3 * distance));
  const __m512i low01 = _mm512_shuffle_i32x4(b0, b1, 0x44);
  const __m512i low23 = _mm512_shuffle_i32x4(b2, b3, 0x44);
  const __m512i high01 = _mm512_shuffle_i32x4(b0, b1, 0xee);
  const __m512i high23 = _mm512_shuffle_i32x4(b2, b3, 0xee);
  turned[0] = _mm512_shuffle_i32x4(low01, low23, 0x88);
  turned[1] = _mm512_shuffle_i32x4(low01, low23, 0xdd);
  turned[2] = _mm512_shuffle_i32x4(high01, high23, 0x88);
  turned[3] = _mm512_shuffle_i32x4(high01, high23, 0xdd);
}

static void bl_prepare64(bl_depthwise64* t, int32_t first) {
  const int8_t* weight = t->layer->weight + (intptr_t)first / 16 * 192;
  __m512i multiplier[4];
  for (int32_t ky = 0; ky < 3; ++ky) {
    bl_turn_quarters(weight + 64 * ky, 192, t->weight[0][ky]);
    for (int32_t i = 0; i < 4; ++i) {
      t->weight[1][ky][i] = _mm512_slli_epi32(t->weight[0][ky][i], 8);
    }
  }
  bl_turn_quarters(t->layer->bias + first, 64, t->bias);
  bl_turn_quarters(t->layer->multiplier + first, 64, multiplier);
  for (int32_t i = 0; i < 4; ++i) t->multiplier[i] = _mm512_castsi512_ps(multiplier[i]);
}

/* Three taps of 64 channels; four, where two outputs are made of them. */
BL_INLINE bl_four bl_load_taps64(const bl_byte* input, intptr_t channels, bool two) {
  const __m512i p0 = _mm512_loadu_si512((const void*)input);
  const __m512i p1 = _mm512_loadu_si512((const void*)(input + channels));
  const __m512i p2 = _mm512_loadu_si512((const void*)(input + 2 * channels));
  const __m512i p3 =
      two ? _mm512_loadu_si512((const void*)(input + 3 * channels)) : _mm512_setzero_si512();
  const __m512i low01 = _mm512_unpacklo_epi8(p0, p1), low23 = _mm512_unpacklo_epi8(p2, p3);
  const __m512i high01 = _mm512_unpackhi_epi8(p0, p1), high23 = _mm512_unpackhi_epi8(p2, p3);
  bl_four taps;
  taps.v0 = _mm512_unpacklo_epi16(low01, low23);
  taps.v1 = _mm512_unpackhi_epi16(low01, low23);
  taps.v2 = _mm512_unpacklo_epi16(high01, high23);
  taps.v3 = _mm512_unpackhi_epi16(high01, high23);
  return taps;
}

BL_INLINE bl_four bl_four_of(const __m512i* vectors) {
  const bl_four four = {vectors[0], vectors[1], vectors[2], vectors[3]};
  return four;
}

BL_INLINE bl_four bl_add_dots64(bl_four sums, const bl_four* x, const __m512i* w) {
  BL_DOT_MEMORY(sums.v0, x->v0, w[0]);
  BL_DOT_MEMORY(sums.v1, x->v1, w[1]);
  BL_DOT_MEMORY(sums.v2, x->v2, w[2]);
  BL_DOT_MEMORY(sums.v3, x->v3, w[3]);
  return sums;
}

BL_INLINE void bl_write64(const bl_depthwise64* t, const bl_four* sums, bl_byte* output) {
  const __m512i bytes = bl_join(&t->limits, bl_round(&t->limits, sums->v0, t->multiplier[0]),
                                bl_round(&t->limits, sums->v1, t->multiplier[1]),
                                bl_round(&t->limits, sums->v2, t->multiplier[2]),
                                bl_round(&t->limits, sums->v3, t->multiplier[3]));
  _mm512_storeu_si512((void*)output, bytes);
}

/* One or two columns of outputs from top to bottom, as bl_go_down does it. */
BL_INLINE void bl_go_down64(const bl_depthwise64* t, const bl_byte* input, bl_byte* output,
                            bool two) {
  const intptr_t row = t->layer->input.row, channels = t->channels;
  const bool skip = t->layer->window.stride_height == 2;
  const bl_four bias = bl_four_of(t->bias);
  bl_four x = bl_load_taps64(input, channels, two);
  bl_four begun_a = bl_add_dots64(bias, &x, t->weight[0][0]), half_a = begun_a;
  bl_four begun_b = bl_add_dots64(bias, &x, t->weight[1][0]), half_b = begun_b;
  if (!skip) {
    input += row;
    x = bl_load_taps64(input, channels, two);
    half_a = bl_add_dots64(begun_a, &x, t->weight[0][1]);
    begun_a = bl_add_dots64(bias, &x, t->weight[0][0]);
    if (two) half_b = bl_add_dots64(begun_b, &x, t->weight[1][1]);
    if (two) begun_b = bl_add_dots64(bias, &x, t->weight[1][0]);
  }
  for (int32_t y = 0; y < t->layer->output.height; ++y, output += t->layer->output.row) {
    if (skip) {
      input += row;
      x = bl_load_taps64(input, channels, two);
      half_a = bl_add_dots64(begun_a, &x, t->weight[0][1]);
      if (two) half_b = bl_add_dots64(begun_b, &x, t->weight[1][1]);
    }
    input += row;
    x = bl_load_taps64(input, channels, two);
    const bl_four a = bl_add_dots64(half_a, &x, t->weight[0][2]);
    if (!skip) half_a = bl_add_dots64(begun_a, &x, t->weight[0][1]);
    begun_a = bl_add_dots64(bias, &x, t->weight[0][0]);
    bl_write64(t, &a, output);
    if (two) {
      const bl_four b = bl_add_dots64(half_b, &x, t->weight[1][2]);
      if (!skip) half_b = bl_add_dots64(begun_b, &x, t->weight[1][1]);
      begun_b = bl_add_dots64(bias, &x, t->weight[1][0]);
      bl_write64(t, &b, output + channels);
    }
  }
}

static void bl_go_down64_one(const bl_depthwise64* t, const bl_byte* input, bl_byte* output) {
  bl_go_down64(t, input, output, false);
}

static void bl_go_down64_two(const bl_depthwise64* t, const bl_byte* input, bl_byte* output) {
  bl_go_down64(t, input, output, true);
}

/* All channels that are in a whole 64; returns how many. Kernels of three rows and columns, at most
 * every second row. */
static int32_t bl_depthwise2d_64(const bl_conv2d_layer* layer, const bl_byte* input,
                                 bl_byte* output) {
  const int32_t channels = layer->output.channels;
  const intptr_t in_pixel = (intptr_t)layer->window.stride_width * channels;
  bl_depthwise64 t;
  t.layer = layer;
  t.channels = channels;
  t.limits = bl_byte_limits_of(&layer->range);
  int32_t first = 0;
  for (; first + 64 <= channels; first += 64) {
    bl_prepare64(&t, first);
    int32_t x = 0;
    while (x < layer->output.width) {
      const bool two = layer->window.stride_width == 1 && x + 2 <= layer->output.width;
      const bl_byte* in = input + x * in_pixel + first;
      bl_byte* out = output + x * (intptr_t)channels + first;
      if (two) {
        bl_go_down64_two(&t, in, out);
      } else {
        bl_go_down64_one(&t, in, out);
      }
      x += two ? 2 : 1;
    }
  }
  return first;
}

#endif
