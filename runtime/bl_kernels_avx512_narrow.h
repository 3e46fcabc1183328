/* SPDX-License-Identifier: MIT */
#ifndef BL_KERNELS_AVX512_NARROW_H
#define BL_KERNELS_AVX512_NARROW_H

/* Part of bl_kernels_avx512.h: convolutions of few channels to at most eight, such as the first of
 * a small network, which would leave half of every block of 16 channels empty. Here the lanes of a
 * vector are 16 pixels of a row, and an output channel is a vector of its own. */
enum { BL_NARROW_OUTPUTS = 8, BL_NARROW_PIXEL = 8, BL_NARROW_LANES = 16 };

typedef struct {
  const bl_conv2d_layer* layer;
  int32_t steps;
  __m512i gather;       /* the four bytes of every pixel, from the first pixel */
  __mmask64 upper;      /* 0, or the lanes of the last eight pixels, */
  intptr_t upper_bytes; /* which are gathered from here on */
  __m512i spread;       /* bytes in the order of memory: the first 64, and what follows */
  __m512i spread_rest;
  __mmask64 first;
  __mmask64 rest;
  bl_byte_limits limits;
} bl_narrow;

BL_INLINE __m512i bl_narrow_load(const bl_narrow* t, const bl_byte* input) {
  const __m512i bytes = _mm512_permutexvar_epi8(t->gather, _mm512_loadu_si512((const void*)input));
  if (t->upper == 0) return bytes;
  return _mm512_mask_permutexvar_epi8(bytes, t->upper, t->gather,
                                      _mm512_loadu_si512((const void*)(input + t->upper_bytes)));
}

BL_INLINE __m512i bl_narrow_round(const bl_narrow* t, __m512i sum, int32_t o) {
  return bl_round(&t->limits, sum, _mm512_set1_ps(t->layer->multiplier[o]));
}

/* Byte 16 i + 4 o + k of `low` is channel o of pixel 4 i + k; of `high` channel 4 + o. */
BL_INLINE void bl_narrow_write(const bl_narrow* t, __m512i low, __m512i high, bl_byte* output) {
  _mm512_mask_storeu_epi8(output, t->first, _mm512_permutex2var_epi8(low, t->spread, high));
  _mm512_mask_storeu_epi8(output + 64, t->rest,
                          _mm512_permutex2var_epi8(low, t->spread_rest, high));
}

#define BL_NARROW_BEGIN(h, o) __m512i h##o = _mm512_set1_epi32(t->layer->bias[o]);
#define BL_NARROW_DOTS(x, o)                                         \
  {                                                                  \
    const __m512i w_o = _mm512_set1_epi32(bl_four_bytes(w + 4 * o)); \
    BL_DOT(a##o, x##_a, w_o);                                        \
    BL_DOT(b##o, x##_b, w_o);                                        \
  }
#define BL_NARROW_JOIN(h, o0, o1, o2, o3)                                           \
  bl_join(&t->limits, bl_narrow_round(t, h##o0, o0), bl_narrow_round(t, h##o1, o1), \
          bl_narrow_round(t, h##o2, o2), bl_narrow_round(t, h##o3, o3))
#define BL_NARROW_HIGH_4(h) _mm512_setzero_si512()
#define BL_NARROW_HIGH_6(h) BL_NARROW_JOIN(h, 4, 5, 5, 5)
#define BL_NARROW_HIGH_8(h) BL_NARROW_JOIN(h, 4, 5, 6, 7)

/* Sixteen pixels of two rows. */
#define BL_NARROW_TILE(OUTPUTS)                                                                 \
  static void bl_narrow_##OUTPUTS(const bl_narrow* t, const bl_byte* a_in, const bl_byte* b_in, \
                                  bl_byte* a_out, bl_byte* b_out) {                             \
    const int8_t* w = t->layer->weight;                                                         \
    BL_HALF_##OUTPUTS(BL_NARROW_BEGIN, a);                                                      \
    BL_HALF_##OUTPUTS(BL_NARROW_BEGIN, b);                                                      \
    for (int32_t ky = 0; ky < t->layer->window.kernel_height; ++ky) {                           \
      for (int32_t step = 0; step < t->steps; ++step, w += 64) {                                \
        const __m512i x_a = bl_narrow_load(t, a_in + 4 * step);                                 \
        const __m512i x_b = bl_narrow_load(t, b_in + 4 * step);                                 \
        BL_HALF_##OUTPUTS(BL_NARROW_DOTS, x);                                                   \
      }                                                                                         \
      a_in += t->layer->input.row;                                                              \
      b_in += t->layer->input.row;                                                              \
    }                                                                                           \
    bl_narrow_write(t, BL_NARROW_JOIN(a, 0, 1, 2, 3), BL_NARROW_HIGH_##OUTPUTS(a), a_out);      \
    bl_narrow_write(t, BL_NARROW_JOIN(b, 0, 1, 2, 3), BL_NARROW_HIGH_##OUTPUTS(b), b_out);      \
  }
BL_NARROW_TILE(4)
BL_NARROW_TILE(6)
BL_NARROW_TILE(8)

static bl_narrow bl_narrow_of(const bl_conv2d_layer* layer, intptr_t in_pixel) {
  const int32_t outputs = layer->output.channels;
  /* Where 64 bytes do not hold sixteen pixels, they hold eight. */
  const int32_t at_once = in_pixel <= 4 ? 16 : 8;
  BL_ALIGN64 uint8_t gather[64];
  BL_ALIGN64 uint8_t spread[128];
  bl_narrow t;
  memset(spread, 0, sizeof spread);
  for (int32_t b = 0; b < 64; ++b) gather[b] = (uint8_t)(b / 4 % at_once * in_pixel + b % 4);
  for (int32_t b = 0; b < 16 * outputs; ++b) {
    const int32_t pixel = b / outputs, o = b % outputs;
    spread[b] = (uint8_t)(o / 4 * 64 + pixel / 4 * 16 + o % 4 * 4 + pixel % 4);
  }
  t.layer = layer;
  t.steps = (layer->window.kernel_width * layer->input.channels + 3) / 4;
  t.gather = _mm512_load_si512((const void*)gather);
  t.upper = at_once == 16 ? 0 : ~bl_first_bytes(32);
  t.upper_bytes = 8 * in_pixel;
  t.spread = _mm512_load_si512((const void*)spread);
  t.spread_rest = _mm512_load_si512((const void*)(spread + 64));
  t.first = bl_first_bytes(16 * outputs);
  t.rest = outputs > 4 ? bl_first_bytes(16 * outputs - 64) : 0;
  t.limits = bl_byte_limits_of(&layer->range);
  return t;
}

/* Whether a layer can be computed this way: no lane is without a pixel. */
BL_INLINE bool bl_is_narrow(const bl_conv2d_layer* layer, const bl_grid* grid) {
  return layer->output.channels <= BL_NARROW_OUTPUTS && grid->in_pixel <= BL_NARROW_PIXEL &&
         grid->width >= BL_NARROW_LANES;
}

/* The last pixels of a row reach back, and the last of an odd number of rows is computed twice. */
static void bl_conv2d_narrow(const bl_conv2d_layer* layer, const bl_grid* grid,
                             const bl_byte* input, bl_byte* output) {
  const bl_narrow t = bl_narrow_of(layer, grid->in_pixel);
  const int32_t outputs = layer->output.channels;
  for (int32_t y = 0; y < grid->height; y += 2) {
    const bl_byte* in = input + y * grid->in_row;
    bl_byte* out = output + y * grid->out_row;
    const intptr_t in_next = y + 1 < grid->height ? grid->in_row : 0;
    const intptr_t out_next = y + 1 < grid->height ? grid->out_row : 0;
    for (int32_t x = 0; x < grid->width; x += 16) {
      const int32_t begin = x + 16 <= grid->width ? x : grid->width - 16;
      const bl_byte* a_in = in + begin * grid->in_pixel;
      bl_byte* a_out = out + begin * grid->out_pixel;
      (outputs <= 4   ? bl_narrow_4
       : outputs <= 6 ? bl_narrow_6
                      : bl_narrow_8)(&t, a_in, a_in + in_next, a_out, a_out + out_next);
    }
  }
}

#endif
