/* SPDX-License-Identifier: MIT */
#ifndef BL_KERNELS_AVX512_MAPS_H
#define BL_KERNELS_AVX512_MAPS_H

/* Part of bl_kernels_avx512.h: sums of two maps and the windows of pools, which compilers turn into
 * vectors badly. bl_runtime.c leaves its own out. */
#define BL_HAS_ADD
#define BL_HAS_POOL_WINDOWS

/* ---- add ---- */

/* Factors as pairs of 16-bit numbers, and what zero points contribute to every sum. */
typedef struct {
  __m512i factors;
  __m512i begin;
  __m512 multiplier;
  bl_byte_limits limits;
} bl_addition;

BL_INLINE bl_addition bl_addition_of(const bl_add_layer* layer) {
  const uint32_t pair = (uint32_t)layer->right_factor << 16 | (uint32_t)layer->left_factor;
  bl_addition addition;
  addition.factors = _mm512_set1_epi32((int32_t)pair);
  addition.begin =
      _mm512_set1_epi32(-layer->left_factor * (layer->range.input_zero + BL_BYTE_OFFSET) -
                        layer->right_factor * (layer->right_zero + BL_BYTE_OFFSET));
  addition.multiplier = _mm512_set1_ps(layer->multiplier);
  addition.limits = bl_byte_limits_of(&layer->range);
  return addition;
}

/* Sixteen pairs of a left and a right number. */
BL_INLINE __m512i bl_add_pairs(const bl_addition* a, __m512i pairs) {
  return bl_round(&a->limits, _mm512_dpwssd_epi32(a->begin, pairs, a->factors), a->multiplier);
}

BL_INLINE __m512i bl_add_bytes(const bl_addition* a, __m512i left, __m512i right) {
  const __m512i none = _mm512_setzero_si512();
  const __m512i low = _mm512_unpacklo_epi8(left, right);
  const __m512i high = _mm512_unpackhi_epi8(left, right);
  return bl_join(&a->limits, bl_add_pairs(a, _mm512_unpacklo_epi8(low, none)),
                 bl_add_pairs(a, _mm512_unpackhi_epi8(low, none)),
                 bl_add_pairs(a, _mm512_unpacklo_epi8(high, none)),
                 bl_add_pairs(a, _mm512_unpackhi_epi8(high, none)));
}

void bl_add(const bl_add_layer* layer, const bl_byte* left, const bl_byte* right, bl_byte* output) {
  const bl_addition addition = bl_addition_of(layer);
  const int32_t count = layer->output.width * layer->output.channels;
  for (int32_t y = 0; y < layer->output.height; ++y) {
    int32_t i = 0;
    for (; i + 64 <= count; i += 64) {
      _mm512_storeu_si512((void*)(output + i),
                          bl_add_bytes(&addition, _mm512_loadu_si512((const void*)(left + i)),
                                       _mm512_loadu_si512((const void*)(right + i))));
    }
    const __mmask64 rest = bl_first_bytes(count - i);
    _mm512_mask_storeu_epi8(output + i, rest,
                            bl_add_bytes(&addition, _mm512_maskz_loadu_epi8(rest, left + i),
                                         _mm512_maskz_loadu_epi8(rest, right + i)));
    left += layer->left.row;
    right += layer->right.row;
    output += layer->output.row;
  }
}

/* ---- windows of pools ---- */

/* The largest value of every channel inside a window. Short vectors for few channels: long ones
 * would cross a line of the cache nearly every time. */
static void bl_largest_of(const bl_pool_layer* layer, const bl_byte* input, bl_span rows,
                          bl_span columns, bl_byte* output) {
  const int32_t channels = layer->input.channels;
  const bl_byte* row = input + (rows.start + rows.begin) * layer->input.row +
                       (columns.start + columns.begin) * channels;
  for (int32_t first = 0; first < channels; first += 16, row += 16) {
    const bl_byte* next = row;
    __m128i largest = _mm_setzero_si128();
    for (int32_t ky = rows.begin; ky < rows.end; ++ky, next += layer->input.row) {
      const bl_byte* x = next;
      for (int32_t kx = columns.begin; kx < columns.end; ++kx, x += channels) {
        largest = _mm_max_epu8(largest, bl_load16(x));
      }
    }
    _mm_mask_storeu_epi8(output + first, (__mmask16)bl_first_bytes(channels - first), largest);
  }
}

/* The means of all channels inside a window. */
static void bl_average(const bl_pool_layer* layer, const bl_limits* unused, const bl_byte* input,
                       bl_span rows, bl_span columns, bl_byte* output) {
  const bl_byte_limits limits = bl_byte_limits_of(&layer->range);
  const __m512 multiplier = _mm512_set1_ps(layer->multiplier);
  const int32_t channels = layer->input.channels;
  const int32_t height = rows.end - rows.begin;
  const int32_t width = columns.end - columns.begin;
  const int32_t zeros = height * width * (layer->range.input_zero + BL_BYTE_OFFSET);
  const bl_byte* begin = input + (rows.start + rows.begin) * layer->input.row +
                         (columns.start + columns.begin) * channels;
  (void)unused;
  for (int32_t first = 0; first < channels; first += 16) {
    const __mmask16 mask = (__mmask16)bl_first_bytes(channels - first);
    const bl_byte* row = begin + first;
    __m512i sum = _mm512_set1_epi32(-zeros);
    for (int32_t y = 0; y < height; ++y, row += layer->input.row) {
      const bl_byte* x = row;
      for (int32_t i = 0; i < width; ++i, x += channels) {
        sum = _mm512_add_epi32(sum, _mm512_cvtepu8_epi32(bl_load16(x)));
      }
    }
    bl_write_sixteen(&limits, sum, multiplier, mask, output + first);
  }
}

#endif
