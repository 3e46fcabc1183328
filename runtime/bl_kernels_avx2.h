/* SPDX-License-Identifier: MIT */
#ifndef BL_KERNELS_AVX2_H
#define BL_KERNELS_AVX2_H

/* Part of bl_kernels_x86.h: vectors of 256 bits, two for the 16 channels of a block. Without dot
 * products of bytes, even and odd bytes are widened and multiplied apart; the instruction that
 * multiplies bytes directly (vpmaddubsw) saturates its 16-bit sums and is not used. */
#if BL_FORM == BL_FORM_AVX_VNNI
typedef __m256i bl_bytes;
typedef __m256i bl_weights;

BL_INLINE bl_bytes bl_unsigned(__m256i bytes) { return bytes; }
BL_INLINE bl_weights bl_signed(__m256i bytes) { return bytes; }

BL_INLINE __m256i bl_dot(__m256i sum, bl_bytes x, bl_weights w) {
/* GCC copies the sum before each of these when it is asked by the intrinsic. */
#if defined(__GNUC__) && !defined(__clang__)
  __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(x), "x"(w));
  return sum;
#else
  return _mm256_dpbusd_avx_epi32(sum, x, w);
#endif
}
#else
typedef struct {
  __m256i even;
  __m256i odd;
} bl_bytes;
typedef bl_bytes bl_weights;

BL_INLINE bl_bytes bl_unsigned(__m256i bytes) {
  bl_bytes words;
  words.even = _mm256_and_si256(bytes, _mm256_set1_epi16(255));
  words.odd = _mm256_srli_epi16(bytes, 8);
  return words;
}

BL_INLINE bl_weights bl_signed(__m256i bytes) {
  bl_weights words;
  words.even = _mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8);
  words.odd = _mm256_srai_epi16(bytes, 8);
  return words;
}

BL_INLINE __m256i bl_dot(__m256i sum, bl_bytes x, bl_weights w) {
  sum = _mm256_add_epi32(sum, _mm256_madd_epi16(x.even, w.even));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(x.odd, w.odd));
}
#endif

BL_INLINE __m256i bl_load(const void* address) {
  return _mm256_load_si256((const __m256i*)address);
}

BL_INLINE bl_weights bl_load_weights(const int8_t* weight) { return bl_signed(bl_load(weight)); }

BL_INLINE bl_bytes bl_spread(const bl_byte* input) {
  return bl_unsigned(_mm256_set1_epi32(bl_four_bytes(input)));
}

/* ---- requantization ---- */

/* The upper limit is applied before rounding, so that no product is too large for an integer; zero
 * point and lower limit after it, where saturation has made the numbers small. */
typedef struct {
  __m256 highest;
  __m256i zero;
  __m256i low;
} bl_byte_limits;

BL_INLINE bl_byte_limits bl_byte_limits_of(const bl_range* range) {
  bl_byte_limits limits;
  limits.highest = _mm256_set1_ps((float)(range->high - range->output_zero));
  limits.zero = _mm256_set1_epi16((int16_t)(range->output_zero + BL_BYTE_OFFSET));
  limits.low = _mm256_set1_epi8((char)(uint8_t)(range->low + BL_BYTE_OFFSET));
  return limits;
}

BL_INLINE __m256i bl_round(const bl_byte_limits* limits, __m256i sum, __m256 multiplier) {
  const __m256 product = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), multiplier);
  return _mm256_cvtps_epi32(_mm256_min_ps(product, limits->highest));
}

/* Multipliers and limits of a block. */
typedef struct {
  bl_byte_limits limits;
  __m256 first;
  __m256 last;
} bl_scaling;

BL_INLINE bl_scaling bl_scaling_of(const bl_byte_limits* limits, const float* multiplier) {
  bl_scaling scaling;
  scaling.limits = *limits;
  scaling.first = _mm256_load_ps(multiplier);
  scaling.last = _mm256_load_ps(multiplier + 8);
  return scaling;
}

/* Rounded sums of 16 channels as 16-bit numbers, four from each vector in turn. */
BL_INLINE __m256i bl_narrow(const bl_scaling* scaling, __m256i first, __m256i last) {
  const __m256i words = _mm256_packs_epi32(bl_round(&scaling->limits, first, scaling->first),
                                           bl_round(&scaling->limits, last, scaling->last));
  return _mm256_adds_epi16(words, scaling->limits.zero);
}

BL_INLINE void bl_store_some(bl_byte* output, __m128i bytes, int32_t count) {
  if (count >= 16) {
    _mm_storeu_si128((__m128i*)(void*)output, bytes);
    return;
  }
  if (count & 8) {
    _mm_storel_epi64((__m128i*)(void*)output, bytes);
    bytes = _mm_srli_si128(bytes, 8);
    output += 8;
  }
  if (count & 4) {
    const int32_t four = _mm_cvtsi128_si32(bytes);
    memcpy(output, &four, sizeof four);
    bytes = _mm_srli_si128(bytes, 4);
    output += 4;
  }
  const int32_t left = _mm_cvtsi128_si32(bytes);
  if (count & 2) memcpy(output, &left, 2);
  if (count & 1) output[count & 2] = (bl_byte)(left >> 8 * (count & 2));
}

/* Bytes of two pixels from what bl_narrow made of them. */
BL_INLINE __m256i bl_join(const bl_scaling* scaling, __m256i a, __m256i b) {
  const __m256i bytes = _mm256_max_epu8(_mm256_packus_epi16(a, b), scaling->limits.low);
  return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

/* Of a block. */
typedef struct {
  __m256i first;
  __m256i last;
} bl_sums;

/* ---- convolution ---- */

struct bl_tiling {
  intptr_t in_row; /* bytes between rows of the kernel */
  intptr_t in_pixel;
  int32_t kernel_height;
  int32_t steps;
  const int8_t* weight;
  const int32_t* bias;
  intptr_t out_pixel;
  int32_t count; /* channels to write */
  bl_scaling scaling;
};

#define BL_BEGIN(h, p) __m256i h##p##_first = bias_first, h##p##_last = bias_last;

#define BL_STEP(h, p)                                    \
  {                                                      \
    const bl_bytes x = bl_spread(h##_in + p * in_pixel); \
    h##p##_first = bl_dot(h##p##_first, x, w_first);     \
    h##p##_last = bl_dot(h##p##_last, x, w_last);        \
  }

/* The same pixel of both halves. */
#define BL_END(h, p)                                                                       \
  {                                                                                        \
    const __m256i bytes = bl_join(scaling, bl_narrow(scaling, a##p##_first, a##p##_last),  \
                                  bl_narrow(scaling, b##p##_first, b##p##_last));          \
    bl_store_some(a_out + p * t->out_pixel, _mm256_castsi256_si128(bytes), t->count);      \
    bl_store_some(b_out + p * t->out_pixel, _mm256_extracti128_si256(bytes, 1), t->count); \
  }

#define BL_TILE(HALF)                                                                            \
  static void bl_tile_##HALF(const bl_tiling* t, const bl_byte* a_begin, const bl_byte* b_begin, \
                             bl_byte* a_out, bl_byte* b_out) {                                   \
    const intptr_t in_pixel = t->in_pixel;                                                       \
    const __m256i bias_first = bl_load(t->bias), bias_last = bl_load(t->bias + 8);               \
    const int8_t* w = t->weight;                                                                 \
    BL_HALF_##HALF(BL_BEGIN, a)                                                                  \
        BL_HALF_##HALF(BL_BEGIN, b) for (int32_t ky = 0; ky < t->kernel_height; ++ky) {          \
      const bl_byte* a_in = a_begin + ky * t->in_row;                                            \
      const bl_byte* b_in = b_begin + ky * t->in_row;                                            \
      for (int32_t step = t->steps; step != 0; --step, a_in += 4, b_in += 4, w += 64) {          \
        const bl_weights w_first = bl_load_weights(w), w_last = bl_load_weights(w + 32);         \
        BL_HALF_##HALF(BL_STEP, a) BL_HALF_##HALF(BL_STEP, b)                                    \
      }                                                                                          \
    }                                                                                            \
    const bl_scaling* scaling = &t->scaling;                                                     \
    BL_HALF_##HALF(BL_END, a)                                                                    \
  }

/* As many sums as leave registers for weights and a pixel. */
BL_TILE(1)
BL_TILE(2)
#if BL_FORM == BL_FORM_AVX_VNNI
BL_TILE(3)
enum { BL_MOST_HALF = 3 };
static const bl_tile bl_tile_of[BL_MOST_HALF] = {bl_tile_1, bl_tile_2, bl_tile_3};
#else
enum { BL_MOST_HALF = 2 };
static const bl_tile bl_tile_of[BL_MOST_HALF] = {bl_tile_1, bl_tile_2};
#endif

void bl_conv2d(const bl_conv2d_layer* layer, const bl_byte* input, bl_byte* output,
               int32_t* scratch) {
  const bl_grid grid = bl_grid_of(layer);
  const bl_byte_limits limits = bl_byte_limits_of(&layer->range);
  const int32_t channels = layer->output.channels;
  bl_tiling t;
  t.in_row = layer->input.row;
  t.in_pixel = grid.in_pixel;
  t.kernel_height = layer->window.kernel_height;
  t.steps = (layer->window.kernel_width * layer->input.channels + 3) / 4;
  t.out_pixel = channels;
  input -= bl_before_map(layer);
  (void)scratch;
  for (int32_t first = 0; first < channels; first += 16) {
    t.weight = layer->weight + (intptr_t)first * 4 * t.kernel_height * t.steps;
    t.bias = layer->bias + first;
    t.count = channels - first < 16 ? channels - first : 16;
    t.scaling = bl_scaling_of(&limits, layer->multiplier + first);
    bl_tile_map(&t, &grid, bl_tile_of, BL_MOST_HALF, input, output + first);
  }
}

/* ---- linear ---- */

/* Sums of 16 outputs. One sum must wait for the one before it, so four are kept of each. */
BL_INLINE bl_sums bl_linear_block(const bl_linear_layer* layer, const bl_byte* input,
                                  int32_t first) {
  const int32_t steps = (layer->inputs + 3) / 4;
  const int8_t* w = layer->weight + (intptr_t)first * 4 * steps;
  const __m256i none = _mm256_setzero_si256();
  __m256i a0 = bl_load(layer->bias + first), a1 = none, a2 = none, a3 = none;
  __m256i b0 = bl_load(layer->bias + first + 8), b1 = none, b2 = none, b3 = none;
#define BL_LINEAR_STEP(k)                                     \
  {                                                           \
    const bl_bytes x = bl_spread(input + 4 * k);              \
    a##k = bl_dot(a##k, x, bl_load_weights(w + 64 * k));      \
    b##k = bl_dot(b##k, x, bl_load_weights(w + 64 * k + 32)); \
  }
  int32_t step = 0;
  for (; step + 4 <= steps; step += 4, input += 16, w += 256) {
    BL_LINEAR_STEP(0)
    BL_LINEAR_STEP(1)
    BL_LINEAR_STEP(2)
    BL_LINEAR_STEP(3)
  }
  for (; step < steps; ++step, input += 4, w += 64) BL_LINEAR_STEP(0)
#undef BL_LINEAR_STEP
  bl_sums sums;
  sums.first = _mm256_add_epi32(_mm256_add_epi32(a0, a1), _mm256_add_epi32(a2, a3));
  sums.last = _mm256_add_epi32(_mm256_add_epi32(b0, b1), _mm256_add_epi32(b2, b3));
  return sums;
}

void bl_linear(const bl_linear_layer* layer, const bl_byte* input, bl_byte* output) {
  const bl_byte_limits limits = bl_byte_limits_of(&layer->range);
  for (int32_t o = 0; o < layer->outputs; o += 16) {
    const bl_scaling scaling = bl_scaling_of(&limits, layer->multiplier + o);
    const bl_sums sums = bl_linear_block(layer, input, o);
    const __m256i words = bl_narrow(&scaling, sums.first, sums.last);
    bl_store_some(output + o, _mm256_castsi256_si128(bl_join(&scaling, words, words)),
                  layer->outputs - o);
  }
}

void bl_linear_accumulators(const bl_linear_layer* layer, const bl_byte* input, int32_t* output) {
  for (int32_t o = 0; o < layer->outputs; o += 16) {
    const bl_sums sums = bl_linear_block(layer, input, o);
    const int32_t left = layer->outputs - o;
    memcpy(output + o, &sums, (size_t)(left < 16 ? left : 16) * sizeof *output);
  }
}

#include "bl_kernels_avx2_depthwise.h"
#include "bl_kernels_avx2_maps.h"

#endif
