/* SPDX-License-Identifier: MIT */
#ifndef BL_KERNELS_AVX512_H
#define BL_KERNELS_AVX512_H

/* Part of bl_kernels_x86.h: 16 output channels in a vector of 512 bits. */

/* GCC copies the accumulator before each of these when it is asked by the intrinsic. */
#if defined(__GNUC__) && !defined(__clang__)
#define BL_DOT(sum, bytes, weights) \
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(bytes), "v"(weights))
#define BL_DOT_MEMORY(sum, bytes, weights) \
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(bytes), "m"(weights))
#else
#define BL_DOT(sum, bytes, weights) sum = _mm512_dpbusd_epi32(sum, bytes, weights)
#define BL_DOT_MEMORY(sum, bytes, weights) sum = _mm512_dpbusd_epi32(sum, bytes, weights)
#endif

BL_INLINE __m512i bl_spread(const bl_byte* input) {
  return _mm512_set1_epi32(bl_four_bytes(input));
}

/* ---- requantization ---- */

/* The upper limit is applied before rounding, so that no product is too large for an integer; zero
 * point and lower limit after it, where saturation has made the numbers small. */
typedef struct {
  __m512 highest;
  __m512i zero;
  __m512i low;
} bl_byte_limits;

BL_INLINE bl_byte_limits bl_byte_limits_of(const bl_range* range) {
  bl_byte_limits limits;
  limits.highest = _mm512_set1_ps((float)(range->high - range->output_zero));
  limits.zero = _mm512_set1_epi16((int16_t)(range->output_zero + BL_BYTE_OFFSET));
  limits.low = _mm512_set1_epi8((char)(uint8_t)(range->low + BL_BYTE_OFFSET));
  return limits;
}

BL_INLINE __m512i bl_round(const bl_byte_limits* limits, __m512i sum, __m512 multiplier) {
  const __m512 product = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), multiplier);
  return _mm512_cvtps_epi32(_mm512_min_ps(product, limits->highest));
}

/* Bytes of four rounded vectors: channel c of vector v is byte 16 (c / 4) + 4 v + c % 4. */
BL_INLINE __m512i bl_join(const bl_byte_limits* limits, __m512i v0, __m512i v1, __m512i v2,
                          __m512i v3) {
  const __m512i first = _mm512_adds_epi16(_mm512_packs_epi32(v0, v1), limits->zero);
  const __m512i last = _mm512_adds_epi16(_mm512_packs_epi32(v2, v3), limits->zero);
  return _mm512_max_epu8(_mm512_packus_epi16(first, last), limits->low);
}

BL_INLINE __mmask64 bl_first_bytes(int32_t count) {
  return count >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << count) - 1u;
}

/* One vector of sums alone. */
BL_INLINE void bl_write_sixteen(const bl_byte_limits* limits, __m512i sum, __m512 multiplier,
                                __mmask16 mask, bl_byte* output) {
  const __m512i rounded = bl_round(limits, sum, multiplier);
  const __m512i joined = bl_join(limits, rounded, rounded, rounded, rounded);
  /* Every fourth number of 32 bits is one of the first vector. */
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
  _mm_mask_storeu_epi8(output, mask,
                       _mm512_castsi512_si128(_mm512_permutexvar_epi32(order, joined)));
}

/* How the joined bytes of one, two or four neighbouring pixels get to memory: in one piece where
 * the pixels have all their channels here, else pixel by pixel. */
typedef struct {
  __m512i order;
  __mmask64 together[4]; /* bytes of 1, 2, 3, 4 pixels; 0: not in one piece */
  __mmask64 apart;       /* bytes of one pixel */
  intptr_t pixel;
} bl_writing;

/* `channels` from here to the end of a pixel whose neighbour is `pixel` bytes on; `blocks` of 16
 * are written at once. */
BL_INLINE bl_writing bl_writing_of(int32_t channels, int32_t pixel, int32_t blocks) {
  const int32_t group = blocks == 1 ? 4 : blocks == 2 ? 2 : 1;
  const int32_t most = 64 / group;
  const int32_t count = channels < most ? channels : most;
  const bool together = group == 1 || pixel == count;
  const int32_t pitch = together && group > 1 ? count : most;
  BL_ALIGN64 uint8_t order[64];
  bl_writing writing;
  memset(order, 0, sizeof order);
  for (int32_t p = 0; p < group; ++p) {
    for (int32_t c = 0; c < count; ++c) {
      order[p * pitch + c] = (uint8_t)(c % 16 / 4 * 16 + (p * (4 / group) + c / 16) * 4 + c % 4);
    }
  }
  writing.order = _mm512_load_si512((const void*)order);
  for (int32_t p = 0; p < 4; ++p) {
    writing.together[p] = together && p < group ? bl_first_bytes((p + 1) * count) : 0;
  }
  writing.apart = bl_first_bytes(count);
  writing.pixel = pixel;
  return writing;
}

/* `parts`: into how many pixels the vector is divided; the first `count` are written. */
BL_INLINE void bl_write(const bl_writing* writing, __m512i joined, int32_t parts, int32_t count,
                        bl_byte* output) {
  const __m512i bytes = _mm512_permutexvar_epi8(writing->order, joined);
  const __mmask64 together = writing->together[count - 1];
  if (parts == 1 || together != 0) {
    _mm512_mask_storeu_epi8(output, together, bytes);
    return;
  }
  const __mmask64 apart = writing->apart;
  const intptr_t pixel = writing->pixel;
  if (parts == 2) {
    _mm256_mask_storeu_epi8(output, (__mmask32)apart, _mm512_castsi512_si256(bytes));
    if (count == 2) {
      _mm256_mask_storeu_epi8(output + pixel, (__mmask32)apart,
                              _mm512_extracti64x4_epi64(bytes, 1));
    }
    return;
  }
  const __mmask16 mask = (__mmask16)apart;
  _mm_mask_storeu_epi8(output, mask, _mm512_castsi512_si128(bytes));
  if (count > 1) {
    _mm_mask_storeu_epi8(output + pixel, mask, _mm512_extracti32x4_epi32(bytes, 1));
  }
  if (count > 2) {
    _mm_mask_storeu_epi8(output + 2 * pixel, mask, _mm512_extracti32x4_epi32(bytes, 2));
  }
  if (count > 3) {
    _mm_mask_storeu_epi8(output + 3 * pixel, mask, _mm512_extracti32x4_epi32(bytes, 3));
  }
}

#include "bl_kernels_avx512_conv.h"
#include "bl_kernels_avx512_depthwise.h"
#include "bl_kernels_avx512_maps.h"

/* ---- linear ---- */

/* Sums of one block of 16 outputs. One sum must wait for the one before it, so eight are kept. */
BL_INLINE __m512i bl_linear_block(const bl_byte* input, int32_t steps, const int8_t* weight,
                                  const int32_t* bias) {
  __m512i s0 = _mm512_load_si512((const void*)bias), s1 = _mm512_setzero_si512();
  __m512i s2 = s1, s3 = s1, s4 = s1, s5 = s1, s6 = s1, s7 = s1;
  int32_t step = 0;
  for (; step + 8 <= steps; step += 8, input += 32, weight += 512) {
    BL_DOT(s0, bl_spread(input), _mm512_load_si512((const void*)weight));
    BL_DOT(s1, bl_spread(input + 4), _mm512_load_si512((const void*)(weight + 64)));
    BL_DOT(s2, bl_spread(input + 8), _mm512_load_si512((const void*)(weight + 128)));
    BL_DOT(s3, bl_spread(input + 12), _mm512_load_si512((const void*)(weight + 192)));
    BL_DOT(s4, bl_spread(input + 16), _mm512_load_si512((const void*)(weight + 256)));
    BL_DOT(s5, bl_spread(input + 20), _mm512_load_si512((const void*)(weight + 320)));
    BL_DOT(s6, bl_spread(input + 24), _mm512_load_si512((const void*)(weight + 384)));
    BL_DOT(s7, bl_spread(input + 28), _mm512_load_si512((const void*)(weight + 448)));
  }
  for (; step < steps; ++step, input += 4, weight += 64) {
    BL_DOT(s0, bl_spread(input), _mm512_load_si512((const void*)weight));
  }
  s0 = _mm512_add_epi32(_mm512_add_epi32(s0, s1), _mm512_add_epi32(s2, s3));
  s4 = _mm512_add_epi32(_mm512_add_epi32(s4, s5), _mm512_add_epi32(s6, s7));
  return _mm512_add_epi32(s0, s4);
}

void bl_linear(const bl_linear_layer* layer, const bl_byte* input, bl_byte* output) {
  const bl_byte_limits limits = bl_byte_limits_of(&layer->range);
  const int32_t steps = (layer->inputs + 3) / 4;
  for (int32_t o = 0; o < layer->outputs; o += 16) {
    const __m512i sum =
        bl_linear_block(input, steps, layer->weight + (intptr_t)o * 4 * steps, layer->bias + o);
    bl_write_sixteen(&limits, sum, _mm512_load_ps(layer->multiplier + o),
                     (__mmask16)bl_first_bytes(layer->outputs - o), output + o);
  }
}

void bl_linear_accumulators(const bl_linear_layer* layer, const bl_byte* input, int32_t* output) {
  const int32_t steps = (layer->inputs + 3) / 4;
  for (int32_t o = 0; o < layer->outputs; o += 16) {
    const __m512i sum =
        bl_linear_block(input, steps, layer->weight + (intptr_t)o * 4 * steps, layer->bias + o);
    _mm512_mask_storeu_epi32(output + o, (__mmask16)bl_first_bytes(layer->outputs - o), sum);
  }
}

#endif
