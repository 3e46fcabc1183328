/* SPDX-License-Identifier: MIT */
#ifndef BL_KERNELS_NEON_H
#define BL_KERNELS_NEON_H

/* Convolutions, linear layers, sums of maps and pools on AArch64, with and without dot products of
 * bytes. Activations are signed bytes. Float32 arithmetic takes the rounding mode of FPCR, which is
 * to nearest even unless a program changes it. A run of values is read up to 3 bytes, a vector of
 * channels up to 15 bytes behind its end: what lies there meets weights of zero or is not stored.
 * Nothing is stored outside the output's pixels. */

#include <arm_neon.h>

#include "bl_kernels_common.h"

/* Compilers load weights long before they are used until no register is left for the sums; they
 * load nothing across this, which is no instruction. */
#if defined(__GNUC__)
#define BL_KEEP_ORDER __asm__ volatile("" ::: "memory");
#else
#define BL_KEEP_ORDER
#endif

/* Sums of the 16 channels of a block. */
typedef struct {
  int32x4_t a;
  int32x4_t b;
  int32x4_t c;
  int32x4_t d;
} bl_sums;

BL_INLINE bl_sums bl_load_sums(const int32_t* values) {
  bl_sums sums;
  sums.a = vld1q_s32(values);
  sums.b = vld1q_s32(values + 4);
  sums.c = vld1q_s32(values + 8);
  sums.d = vld1q_s32(values + 12);
  return sums;
}

/* Four stored bytes, four times. */
BL_INLINE int8x16_t bl_spread(const bl_byte* input) {
  int32_t four;
  memcpy(&four, input, sizeof four);
  return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

/* ---- requantization ---- */

typedef struct {
  float32x4_t a;
  float32x4_t b;
  float32x4_t c;
  float32x4_t d;
  int16x8_t zero;
  int8x16_t low;
  int8x16_t high;
} bl_scaling;

BL_INLINE bl_scaling bl_scaling_of(const bl_range* range, const float* multiplier) {
  bl_scaling scaling;
  scaling.a = vld1q_f32(multiplier);
  scaling.b = vld1q_f32(multiplier + 4);
  scaling.c = vld1q_f32(multiplier + 8);
  scaling.d = vld1q_f32(multiplier + 12);
  scaling.zero = vdupq_n_s16((int16_t)range->output_zero);
  scaling.low = vdupq_n_s8((int8_t)range->low);
  scaling.high = vdupq_n_s8((int8_t)range->high);
  return scaling;
}

/* Rounds half to even; what is too large for 16 bits saturates, at first the conversion does. */
BL_INLINE int16x4_t bl_round(int32x4_t sum, float32x4_t multiplier) {
  return vqmovn_s32(vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(sum), multiplier)));
}

/* Saturated numbers stay outside the range of a byte when the zero point is added, so each of the
 * steps clamps or changes nothing. */
BL_INLINE int8x16_t bl_narrow(bl_sums sums, const bl_scaling* scaling) {
  const int16x8_t first = vcombine_s16(bl_round(sums.a, scaling->a), bl_round(sums.b, scaling->b));
  const int16x8_t last = vcombine_s16(bl_round(sums.c, scaling->c), bl_round(sums.d, scaling->d));
  const int8x16_t bytes = vcombine_s8(vqmovn_s16(vqaddq_s16(first, scaling->zero)),
                                      vqmovn_s16(vqaddq_s16(last, scaling->zero)));
  return vminq_s8(vmaxq_s8(bytes, scaling->low), scaling->high);
}

/* The first `count` bytes, without a call of memcpy for each pixel. */
BL_INLINE void bl_store(bl_byte* output, int8x16_t bytes, int32_t count) {
  if (count >= 16) {
    vst1q_s8(output, bytes);
    return;
  }
  if ((count & 8) != 0) {
    vst1_s8(output, vget_low_s8(bytes));
    output += 8;
    bytes = vextq_s8(bytes, bytes, 8);
  }
  if ((count & 4) != 0) {
    const int32_t four = vgetq_lane_s32(vreinterpretq_s32_s8(bytes), 0);
    memcpy(output, &four, sizeof four);
    output += 4;
    bytes = vextq_s8(bytes, bytes, 4);
  }
  if ((count & 2) != 0) {
    vst1q_lane_s8(output, bytes, 0);
    vst1q_lane_s8(output + 1, bytes, 1);
    output += 2;
    bytes = vextq_s8(bytes, bytes, 2);
  }
  if ((count & 1) != 0) vst1q_lane_s8(output, bytes, 0);
}

/* ---- pixels ---- */

/* One output pixel, or several neighbours that are computed as one: the first value of the window
 * and where its result goes. */
typedef struct {
  const bl_byte* in;
  bl_byte* out;
} bl_pixel;

/* Walks over the pixels of a map, row by row, so that tiles need not end where rows do; behind the
 * last pixel it stays there, and a tile computes that one more than once. */
typedef struct {
  bl_pixel pixel;
  bl_pixel row; /* the first pixel of the row */
  int32_t left; /* pixels from here to the end of the row */
  int32_t rows; /* rows below this one */
  int32_t width;
  int32_t step; /* pixels at once */
  intptr_t in_step;
  intptr_t out_step;
  intptr_t in_row;
  intptr_t out_row;
} bl_walk;

/* The first value that the first window reads. */
BL_INLINE const bl_byte* bl_first_window(const bl_conv2d_layer* layer, const bl_byte* input) {
  return input - (intptr_t)layer->window.pad_top * layer->input.row -
         (intptr_t)layer->window.pad_left * layer->input.channels;
}

static bl_walk bl_walk_of(const bl_conv2d_layer* layer, const bl_byte* input, bl_byte* output,
                          int32_t step) {
  bl_walk walk;
  walk.row.in = bl_first_window(layer, input);
  walk.row.out = output;
  walk.pixel = walk.row;
  walk.left = walk.width = layer->output.width;
  walk.rows = layer->output.height - 1;
  walk.step = step;
  walk.in_step = (intptr_t)step * layer->window.stride_width * layer->input.channels;
  walk.out_step = (intptr_t)step * layer->output.channels;
  walk.in_row = (intptr_t)layer->window.stride_height * layer->input.row;
  walk.out_row = layer->output.row;
  return walk;
}

/* Pixels, or groups of neighbours, that the walk meets. */
BL_INLINE int32_t bl_walk_length(const bl_walk* walk) {
  return (walk->rows + 1) * ((walk->width + walk->step - 1) / walk->step);
}

BL_INLINE void bl_advance(bl_walk* walk) {
  if (walk->left > walk->step) {
    walk->left -= walk->step;
    walk->pixel.in += walk->in_step;
    walk->pixel.out += walk->out_step;
  } else if (walk->rows > 0) {
    walk->rows -= 1;
    walk->left = walk->width;
    walk->row.in += walk->in_row;
    walk->row.out += walk->out_row;
    walk->pixel = walk->row;
  }
}

/* ---- convolution ---- */

/* What computes 16 output channels of one layer. */
typedef struct {
  intptr_t in_row; /* bytes between rows of the kernel */
  int32_t kernel_height;
  int32_t steps;
  const int8_t* weight;
  const int32_t* bias;
} bl_block;

/* Something for every pixel of a tile. */
#define BL_PIXELS_1(DO) DO(0)
#define BL_PIXELS_2(DO) DO(0) DO(1)
#define BL_PIXELS_4(DO) DO(0) DO(1) DO(2) DO(3)

#define BL_TAKE(p)                       \
  const bl_pixel pixel_##p = walk.pixel; \
  bl_advance(&walk);
#define BL_BEGIN(p) bl_partial part_##p = bias;
#define BL_ROW(p) const bl_byte* in_##p = pixel_##p.in + ky * block->in_row;
#define BL_END(p) bl_store(pixel_##p.out, bl_narrow(bl_end(part_##p), scaling), count);

#if BL_FORM == BL_FORM_NEON_DOT
/* sdot adds four products of signed bytes to a 32-bit sum. */
typedef bl_sums bl_partial;

BL_INLINE bl_partial bl_begin(const int32_t* bias) { return bl_load_sums(bias); }
BL_INLINE bl_sums bl_end(bl_partial partial) { return partial; }

#define BL_DOT(p, lane)                                       \
  part_##p.a = vdotq_laneq_s32(part_##p.a, w_a, x_##p, lane); \
  part_##p.b = vdotq_laneq_s32(part_##p.b, w_b, x_##p, lane); \
  part_##p.c = vdotq_laneq_s32(part_##p.c, w_c, x_##p, lane); \
  part_##p.d = vdotq_laneq_s32(part_##p.d, w_d, x_##p, lane);
#define BL_DOT_0(p) BL_DOT(p, 0)
#define BL_DOT_1(p) BL_DOT(p, 1)
#define BL_DOT_2(p) BL_DOT(p, 2)
#define BL_DOT_3(p) BL_DOT(p, 3)
#define BL_STEP(PIXELS, DOT)                                        \
  {                                                                 \
    const int8x16_t w_a = vld1q_s8(w), w_b = vld1q_s8(w + 16);      \
    const int8x16_t w_c = vld1q_s8(w + 32), w_d = vld1q_s8(w + 48); \
    w += 64;                                                        \
    PIXELS(DOT)                                                     \
    BL_KEEP_ORDER                                                   \
  }
#define BL_LOAD_4(p)                         \
  const int8x16_t x_##p = bl_spread(in_##p); \
  in_##p += 4;
#define BL_LOAD_16(p)                       \
  const int8x16_t x_##p = vld1q_s8(in_##p); \
  in_##p += 16;

/* One row of the kernel. */
#define BL_SUM_RUN(PIXELS)         \
  int32_t steps = block->steps;    \
  for (; steps >= 4; steps -= 4) { \
    PIXELS(BL_LOAD_16)             \
    BL_STEP(PIXELS, BL_DOT_0)      \
    BL_STEP(PIXELS, BL_DOT_1)      \
    BL_STEP(PIXELS, BL_DOT_2)      \
    BL_STEP(PIXELS, BL_DOT_3)      \
  }                                \
  for (; steps > 0; --steps) {     \
    PIXELS(BL_LOAD_4)              \
    BL_STEP(PIXELS, BL_DOT_0)      \
  }

/* Sums of four pixels, four vectors of weights and four of inputs leave registers to spare. */
enum { BL_TILE = 4 };
#define BL_TILE_PIXELS BL_PIXELS_4
#else
/* Channel 0 has lanes 0 and 1 of low.a, channel 1 lanes 2 and 3, channel 2 lanes 0 and 1 of high.a
 * and so on: two neighbouring lanes make one sum. */
typedef struct {
  bl_sums low;
  bl_sums high;
} bl_partial;

BL_INLINE bl_partial bl_begin(const int32_t* bias) {
  const bl_sums sums = bl_load_sums(bias);
  const int32x4_t none = vdupq_n_s32(0);
  bl_partial partial;
  partial.low.a = vzip1q_s32(sums.a, none), partial.high.a = vzip2q_s32(sums.a, none);
  partial.low.b = vzip1q_s32(sums.b, none), partial.high.b = vzip2q_s32(sums.b, none);
  partial.low.c = vzip1q_s32(sums.c, none), partial.high.c = vzip2q_s32(sums.c, none);
  partial.low.d = vzip1q_s32(sums.d, none), partial.high.d = vzip2q_s32(sums.d, none);
  return partial;
}

BL_INLINE bl_sums bl_end(bl_partial partial) {
  bl_sums sums;
  sums.a = vpaddq_s32(partial.low.a, partial.high.a);
  sums.b = vpaddq_s32(partial.low.b, partial.high.b);
  sums.c = vpaddq_s32(partial.low.c, partial.high.c);
  sums.d = vpaddq_s32(partial.low.d, partial.high.d);
  return sums;
}

/* Two products are added in 16 bits: no weight is -128, so that they are at most 2 * 128 * 127 =
 * 32512 from 0. */
#define BL_DOT_TWO(p, quad)                                                              \
  {                                                                                      \
    const int16x8_t low_0 = vmull_s8(vget_low_s8(w_0), vget_low_s8(x_##p##_0));          \
    const int16x8_t low = vmlal_s8(low_0, vget_low_s8(w_1), vget_low_s8(x_##p##_1));     \
    const int16x8_t high = vmlal_high_s8(vmull_high_s8(w_0, x_##p##_0), w_1, x_##p##_1); \
    part_##p.low.quad = vpadalq_s16(part_##p.low.quad, low);                             \
    part_##p.high.quad = vpadalq_s16(part_##p.high.quad, high);                          \
  }
#define BL_DOT_ONE(p, quad)                                                              \
  {                                                                                      \
    const int16x8_t low = vmull_s8(vget_low_s8(w_0), vget_low_s8(x_##p##_0));            \
    part_##p.low.quad = vpadalq_s16(part_##p.low.quad, low);                             \
    part_##p.high.quad = vpadalq_s16(part_##p.high.quad, vmull_high_s8(w_0, x_##p##_0)); \
  }
#define BL_DOT_TWO_a(p) BL_DOT_TWO(p, a)
#define BL_DOT_TWO_b(p) BL_DOT_TWO(p, b)
#define BL_DOT_TWO_c(p) BL_DOT_TWO(p, c)
#define BL_DOT_TWO_d(p) BL_DOT_TWO(p, d)
#define BL_DOT_ONE_a(p) BL_DOT_ONE(p, a)
#define BL_DOT_ONE_b(p) BL_DOT_ONE(p, b)
#define BL_DOT_ONE_c(p) BL_DOT_ONE(p, c)
#define BL_DOT_ONE_d(p) BL_DOT_ONE(p, d)
/* Four channels. */
#define BL_QUAD_TWO(PIXELS, DOT, at)                                     \
  {                                                                      \
    const int8x16_t w_0 = vld1q_s8(w + at), w_1 = vld1q_s8(w + at + 64); \
    PIXELS(DOT)                                                          \
    BL_KEEP_ORDER                                                        \
  }
#define BL_QUAD_ONE(PIXELS, DOT, at)        \
  {                                         \
    const int8x16_t w_0 = vld1q_s8(w + at); \
    PIXELS(DOT)                             \
    BL_KEEP_ORDER                           \
  }
#define BL_LOAD_4(p) const int8x16_t x_##p##_0 = bl_spread(in_##p);
#define BL_LOAD_8(p)                                                                \
  const int8x16_t x_##p##_0 = bl_spread(in_##p), x_##p##_1 = bl_spread(in_##p + 4); \
  in_##p += 8;

/* One row of the kernel. */
#define BL_SUM_RUN(PIXELS)                   \
  int32_t steps = block->steps;              \
  for (; steps >= 2; steps -= 2, w += 128) { \
    PIXELS(BL_LOAD_8)                        \
    BL_QUAD_TWO(PIXELS, BL_DOT_TWO_a, 0)     \
    BL_QUAD_TWO(PIXELS, BL_DOT_TWO_b, 16)    \
    BL_QUAD_TWO(PIXELS, BL_DOT_TWO_c, 32)    \
    BL_QUAD_TWO(PIXELS, BL_DOT_TWO_d, 48)    \
  }                                          \
  if (steps > 0) {                           \
    PIXELS(BL_LOAD_4)                        \
    BL_QUAD_ONE(PIXELS, BL_DOT_ONE_a, 0)     \
    BL_QUAD_ONE(PIXELS, BL_DOT_ONE_b, 16)    \
    BL_QUAD_ONE(PIXELS, BL_DOT_ONE_c, 32)    \
    BL_QUAD_ONE(PIXELS, BL_DOT_ONE_d, 48)    \
    w += 64;                                 \
  }

/* Eight sums a pixel: two pixels take half of the registers. */
enum { BL_TILE = 2 };
#define BL_TILE_PIXELS BL_PIXELS_2
#endif

/* Computes pixels until none or one of `left` is left. */
BL_NOINLINE int32_t bl_tiles(const bl_block* block, const bl_scaling* scaling, int32_t count,
                             int32_t left, bl_walk* from) {
  bl_walk walk = *from;
  for (; left > 1; left -= BL_TILE) {
    const bl_partial bias = bl_begin(block->bias);
    const int8_t* w = block->weight;
    BL_TILE_PIXELS(BL_TAKE)
    BL_TILE_PIXELS(BL_BEGIN)
    for (int32_t ky = 0; ky < block->kernel_height; ++ky) {
      BL_TILE_PIXELS(BL_ROW)
      BL_SUM_RUN(BL_TILE_PIXELS)
    }
    BL_TILE_PIXELS(BL_END)
  }
  *from = walk;
  return left;
}

/* The sums of one pixel, or of 16 outputs of a linear layer. */
BL_INLINE bl_sums bl_sums_at(const bl_block* block, const bl_byte* input) {
  bl_partial part_0 = bl_begin(block->bias);
  const int8_t* w = block->weight;
  for (int32_t ky = 0; ky < block->kernel_height; ++ky) {
    const bl_byte* in_0 = input + ky * block->in_row;
    BL_SUM_RUN(BL_PIXELS_1)
  }
  return bl_end(part_0);
}

void bl_conv2d(const bl_conv2d_layer* layer, const bl_byte* input, bl_byte* output,
               int32_t* scratch) {
  const int32_t channels = layer->output.channels;
  bl_block block;
  block.in_row = layer->input.row;
  block.kernel_height = layer->window.kernel_height;
  block.steps = (layer->window.kernel_width * layer->input.channels + 3) / 4;
  (void)scratch;
  for (int32_t first = 0; first < channels; first += 16) {
    const bl_scaling scaling = bl_scaling_of(&layer->range, layer->multiplier + first);
    const int32_t count = channels - first;
    bl_walk walk = bl_walk_of(layer, input, output + first, 1);
    block.weight = layer->weight + (intptr_t)first * 4 * block.kernel_height * block.steps;
    block.bias = layer->bias + first;
    if (bl_tiles(&block, &scaling, count, bl_walk_length(&walk), &walk) == 1) {
      const bl_sums sums = bl_sums_at(&block, walk.pixel.in);
      bl_store(walk.pixel.out, bl_narrow(sums, &scaling), count);
    }
  }
}

/* ---- linear ---- */

BL_INLINE bl_sums bl_linear_sums(const bl_linear_layer* layer, const bl_byte* input,
                                 int32_t first) {
  bl_block block;
  block.in_row = 0;
  block.kernel_height = 1;
  block.steps = (layer->inputs + 3) / 4;
  block.weight = layer->weight + (intptr_t)first * 4 * block.steps;
  block.bias = layer->bias + first;
  return bl_sums_at(&block, input);
}

void bl_linear(const bl_linear_layer* layer, const bl_byte* input, bl_byte* output) {
  for (int32_t o = 0; o < layer->outputs; o += 16) {
    const bl_scaling scaling = bl_scaling_of(&layer->range, layer->multiplier + o);
    const bl_sums sums = bl_linear_sums(layer, input, o);
    bl_store(output + o, bl_narrow(sums, &scaling), layer->outputs - o);
  }
}

void bl_linear_accumulators(const bl_linear_layer* layer, const bl_byte* input, int32_t* output) {
  for (int32_t o = 0; o < layer->outputs; o += 16) {
    const bl_sums sums = bl_linear_sums(layer, input, o);
    const int32_t left = layer->outputs - o;
    memcpy(output + o, &sums, (size_t)(left < 16 ? left : 16) * sizeof *output);
  }
}

#include "bl_kernels_neon_depthwise.h"
#include "bl_kernels_neon_maps.h"

#endif
