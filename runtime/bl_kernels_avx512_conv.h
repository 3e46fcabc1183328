/* SPDX-License-Identifier: MIT */
#ifndef BL_KERNELS_AVX512_CONV_H
#define BL_KERNELS_AVX512_CONV_H

/* Part of bl_kernels_avx512.h. A tile is the sums of some pixels for one to three blocks of 16
 * channels, all in registers: every loaded weight meets all pixels, every loaded pixel all blocks.
 * Sums are variables of their own, made by macros, because compilers keep arrays of this size in
 * memory. */
#include "bl_kernels_avx512_narrow.h"

struct bl_tiling {
  intptr_t in_row; /* bytes between rows of the kernel */
  intptr_t in_pixel;
  int32_t kernel_height;
  int32_t steps;
  intptr_t block; /* bytes of weights of a block */
  const int8_t* weight;
  const int32_t* bias;
  const float* multiplier;
  intptr_t out_pixel;
  bl_byte_limits limits;
  bl_writing writing;
};

#define BL_BIAS_1 const __m512i bias0 = _mm512_load_si512((const void*)t->bias)
#define BL_BIAS_2 \
  BL_BIAS_1;      \
  const __m512i bias1 = _mm512_load_si512((const void*)(t->bias + 16))
#define BL_BIAS_3 \
  BL_BIAS_2;      \
  const __m512i bias2 = _mm512_load_si512((const void*)(t->bias + 32))

#define BL_BEGIN_1(h, p) __m512i h##p##_0 = bias0;
#define BL_BEGIN_2(h, p) BL_BEGIN_1(h, p) __m512i h##p##_1 = bias1;
#define BL_BEGIN_3(h, p) BL_BEGIN_2(h, p) __m512i h##p##_2 = bias2;

#define BL_WEIGHT_1 const __m512i w0 = _mm512_load_si512((const void*)w)
#define BL_WEIGHT_2 \
  BL_WEIGHT_1;      \
  const __m512i w1 = _mm512_load_si512((const void*)(w + block))
#define BL_WEIGHT_3 \
  BL_WEIGHT_2;      \
  const __m512i w2 = _mm512_load_si512((const void*)(w + 2 * block))

#define BL_DOTS_1(h, p) BL_DOT(h##p##_0, x, w0);
#define BL_DOTS_2(h, p) BL_DOTS_1(h, p) BL_DOT(h##p##_1, x, w1);
#define BL_DOTS_3(h, p) BL_DOTS_2(h, p) BL_DOT(h##p##_2, x, w2);
#define BL_STEP(h, p, DOTS)                             \
  {                                                     \
    const __m512i x = bl_spread(h##_in + p * in_pixel); \
    DOTS(h, p)                                          \
  }
#define BL_STEP_1(h, p) BL_STEP(h, p, BL_DOTS_1)
#define BL_STEP_2(h, p) BL_STEP(h, p, BL_DOTS_2)
#define BL_STEP_3(h, p) BL_STEP(h, p, BL_DOTS_3)

#define BL_ROUND(sum, m) bl_round(&limits, sum, m)
#define BL_WRITE(h, p, parts, count, r0, r1, r2, r3) \
  bl_write(&t->writing, bl_join(&limits, r0, r1, r2, r3), parts, count, h##_out + p * out_pixel);

/* One block: four pixels to a vector. */
#define BL_WRITE_1_4(h, p, count, q0, q1, q2, q3)                            \
  BL_WRITE(h, p, 4, count, BL_ROUND(h##q0##_0, m0), BL_ROUND(h##q1##_0, m0), \
           BL_ROUND(h##q2##_0, m0), BL_ROUND(h##q3##_0, m0))
#define BL_END_1_1(h) BL_WRITE_1_4(h, 0, 1, 0, 0, 0, 0)
#define BL_END_1_2(h) BL_WRITE_1_4(h, 0, 2, 0, 1, 1, 1)
#define BL_END_1_3(h) BL_WRITE_1_4(h, 0, 3, 0, 1, 2, 2)
#define BL_END_1_4(h) BL_WRITE_1_4(h, 0, 4, 0, 1, 2, 3)
#define BL_END_1_5(h) BL_END_1_4(h) BL_WRITE_1_4(h, 4, 1, 4, 4, 4, 4)
#define BL_END_1_6(h) BL_END_1_4(h) BL_WRITE_1_4(h, 4, 2, 4, 5, 5, 5)
#define BL_END_1_7(h) BL_END_1_4(h) BL_WRITE_1_4(h, 4, 3, 4, 5, 6, 6)
#define BL_END_1_8(h) BL_END_1_4(h) BL_WRITE_1_4(h, 4, 4, 4, 5, 6, 7)

/* Two blocks: two pixels. */
#define BL_WRITE_2_2(h, p, count, q)                                                               \
  BL_WRITE(h, p, 2, count, BL_ROUND(h##p##_0, m0), BL_ROUND(h##p##_1, m1), BL_ROUND(h##q##_0, m0), \
           BL_ROUND(h##q##_1, m1))
#define BL_END_2_1(h) BL_WRITE_2_2(h, 0, 1, 0)
#define BL_END_2_2(h) BL_WRITE_2_2(h, 0, 2, 1)
#define BL_END_2_3(h) BL_END_2_2(h) BL_WRITE_2_2(h, 2, 1, 2)
#define BL_END_2_4(h) BL_END_2_2(h) BL_WRITE_2_2(h, 2, 2, 3)
#define BL_END_2_5(h) BL_END_2_4(h) BL_WRITE_2_2(h, 4, 1, 4)
#define BL_END_2_6(h) BL_END_2_4(h) BL_WRITE_2_2(h, 4, 2, 5)

#define BL_END_3(h, p)                                                                         \
  BL_WRITE(h, p, 1, 1, BL_ROUND(h##p##_0, m0), BL_ROUND(h##p##_1, m1), BL_ROUND(h##p##_2, m2), \
           _mm512_setzero_si512())
#define BL_END_3_1(h) BL_HALF_1(BL_END_3, h)
#define BL_END_3_2(h) BL_HALF_2(BL_END_3, h)
#define BL_END_3_3(h) BL_HALF_3(BL_END_3, h)
#define BL_END_3_4(h) BL_HALF_4(BL_END_3, h)

#define BL_MULTIPLIER_1 const __m512 m0 = _mm512_load_ps(t->multiplier)
#define BL_MULTIPLIER_2 \
  BL_MULTIPLIER_1;      \
  const __m512 m1 = _mm512_load_ps(t->multiplier + 16)
#define BL_MULTIPLIER_3 \
  BL_MULTIPLIER_2;      \
  const __m512 m2 = _mm512_load_ps(t->multiplier + 32)

#define BL_TILE(BLOCKS, HALF)                                                                     \
  static void bl_tile_##BLOCKS##_##HALF(const bl_tiling* t, const bl_byte* a_begin,               \
                                        const bl_byte* b_begin, bl_byte* a_out, bl_byte* b_out) { \
    const intptr_t in_pixel = t->in_pixel, out_pixel = t->out_pixel, block = t->block;            \
    const bl_byte_limits limits = t->limits;                                                      \
    const int8_t* w = t->weight;                                                                  \
    BL_BIAS_##BLOCKS;                                                                             \
    BL_HALF_##HALF(BL_BEGIN_##BLOCKS, a);                                                         \
    BL_HALF_##HALF(BL_BEGIN_##BLOCKS, b);                                                         \
    for (int32_t ky = 0; ky < t->kernel_height; ++ky) {                                           \
      const bl_byte* a_in = a_begin + ky * t->in_row;                                             \
      const bl_byte* b_in = b_begin + ky * t->in_row;                                             \
      for (int32_t step = t->steps; step != 0; --step, a_in += 4, b_in += 4, w += 64) {           \
        BL_WEIGHT_##BLOCKS;                                                                       \
        BL_HALF_##HALF(BL_STEP_##BLOCKS, a);                                                      \
        BL_HALF_##HALF(BL_STEP_##BLOCKS, b);                                                      \
      }                                                                                           \
    }                                                                                             \
    BL_MULTIPLIER_##BLOCKS;                                                                       \
    BL_END_##BLOCKS##_##HALF(a);                                                                  \
    BL_END_##BLOCKS##_##HALF(b);                                                                  \
    (void)out_pixel;                                                                              \
    (void)block;                                                                                  \
  }

/* At most 24 sums, so that weights and a pixel have registers too. */
BL_TILE(1, 1)
BL_TILE(1, 2)
BL_TILE(1, 3)
BL_TILE(1, 4)
BL_TILE(1, 5)
BL_TILE(1, 6)
BL_TILE(1, 7)
BL_TILE(1, 8)
BL_TILE(2, 1)
BL_TILE(2, 2)
BL_TILE(2, 3)
BL_TILE(2, 4)
BL_TILE(2, 5)
BL_TILE(2, 6)
BL_TILE(3, 1)
BL_TILE(3, 2)
BL_TILE(3, 3)
BL_TILE(3, 4)

enum { BL_MOST_BLOCKS = 3, BL_MOST_HALF = 8 };

static const bl_tile bl_tile_of[BL_MOST_BLOCKS][BL_MOST_HALF] = {
    {bl_tile_1_1, bl_tile_1_2, bl_tile_1_3, bl_tile_1_4, bl_tile_1_5, bl_tile_1_6, bl_tile_1_7,
     bl_tile_1_8},
    {bl_tile_2_1, bl_tile_2_2, bl_tile_2_3, bl_tile_2_4, bl_tile_2_5, bl_tile_2_6, 0, 0},
    {bl_tile_3_1, bl_tile_3_2, bl_tile_3_3, bl_tile_3_4, 0, 0, 0, 0}};

/* The most pixels of half a tile, by blocks. */
static const int32_t bl_most_of[BL_MOST_BLOCKS] = {8, 6, 4};

void bl_conv2d(const bl_conv2d_layer* layer, const bl_byte* input, bl_byte* output,
               int32_t* scratch) {
  const bl_grid grid = bl_grid_of(layer);
  const int32_t channels = layer->output.channels;
  const int32_t blocks = (channels + 15) / 16;
  bl_tiling t;
  t.in_row = layer->input.row;
  t.in_pixel = grid.in_pixel;
  t.kernel_height = layer->window.kernel_height;
  t.steps = (layer->window.kernel_width * layer->input.channels + 3) / 4;
  t.block = (intptr_t)t.kernel_height * t.steps * 64;
  t.out_pixel = channels;
  t.limits = bl_byte_limits_of(&layer->range);
  input -= bl_before_map(layer);
  (void)scratch;
  if (bl_is_narrow(layer, &grid)) {
    bl_conv2d_narrow(layer, &grid, input, output);
    return;
  }
  for (int32_t first = 0; first < blocks;) {
    const int32_t left = blocks - first;
    const int32_t together = left == 4 ? 2 : left < 3 ? left : 3;
    t.weight = layer->weight + first * t.block;
    t.bias = layer->bias + 16 * first;
    t.multiplier = layer->multiplier + 16 * first;
    t.writing = bl_writing_of(channels - 16 * first, channels, together);
    bl_tile_map(&t, &grid, bl_tile_of[together - 1], bl_most_of[together - 1], input,
                output + 16 * first);
    first += together;
  }
}

#endif
