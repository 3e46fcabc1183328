/* SPDX-License-Identifier: MIT */
#ifndef BL_KERNELS_AVX2_MAPS_H
#define BL_KERNELS_AVX2_MAPS_H

/* Part of bl_kernels_avx2.h: sums of two maps and the windows of pools, which compilers turn into
 * vectors badly. bl_runtime.c leaves its own out. */
#define BL_HAS_ADD
#define BL_HAS_POOL_WINDOWS

/* ---- add ---- */

/* Factors as pairs of 16-bit numbers, and what zero points contribute to every sum. */
typedef struct {
  __m256i factors;
  __m256i begin;
  __m256 multiplier;
  bl_byte_limits limits;
} bl_addition;

BL_INLINE bl_addition bl_addition_of(const bl_add_layer* layer) {
  const uint32_t pair = (uint32_t)layer->right_factor << 16 | (uint32_t)layer->left_factor;
  bl_addition addition;
  addition.factors = _mm256_set1_epi32((int32_t)pair);
  addition.begin =
      _mm256_set1_epi32(-layer->left_factor * (layer->range.input_zero + BL_BYTE_OFFSET) -
                        layer->right_factor * (layer->right_zero + BL_BYTE_OFFSET));
  addition.multiplier = _mm256_set1_ps(layer->multiplier);
  addition.limits = bl_byte_limits_of(&layer->range);
  return addition;
}

/* Eight pairs of a left and a right number. */
BL_INLINE __m256i bl_add_pairs(const bl_addition* a, __m256i pairs) {
  const __m256i sum = _mm256_add_epi32(a->begin, _mm256_madd_epi16(pairs, a->factors));
  return bl_round(&a->limits, sum, a->multiplier);
}

BL_INLINE void bl_add_bytes(const bl_addition* a, const bl_byte* left, const bl_byte* right,
                            bl_byte* output) {
  const __m256i none = _mm256_setzero_si256();
  const __m256i l = _mm256_loadu_si256((const __m256i*)(const void*)left);
  const __m256i r = _mm256_loadu_si256((const __m256i*)(const void*)right);
  const __m256i low = _mm256_unpacklo_epi8(l, r), high = _mm256_unpackhi_epi8(l, r);
  const __m256i first = _mm256_packs_epi32(bl_add_pairs(a, _mm256_unpacklo_epi8(low, none)),
                                           bl_add_pairs(a, _mm256_unpackhi_epi8(low, none)));
  const __m256i last = _mm256_packs_epi32(bl_add_pairs(a, _mm256_unpacklo_epi8(high, none)),
                                          bl_add_pairs(a, _mm256_unpackhi_epi8(high, none)));
  const __m256i bytes = _mm256_packus_epi16(_mm256_adds_epi16(first, a->limits.zero),
                                            _mm256_adds_epi16(last, a->limits.zero));
  _mm256_storeu_si256((__m256i*)(void*)output, _mm256_max_epu8(bytes, a->limits.low));
}

void bl_add(const bl_add_layer* layer, const bl_byte* left, const bl_byte* right, bl_byte* output) {
  const bl_addition addition = bl_addition_of(layer);
  const int32_t count = layer->output.width * layer->output.channels;
  const size_t rest = (size_t)(count % 32);
  for (int32_t y = 0; y < layer->output.height; ++y) {
    int32_t i = 0;
    for (; i + 32 <= count; i += 32) bl_add_bytes(&addition, left + i, right + i, output + i);
    if (rest != 0) {
      bl_byte l[32] = {0}, r[32] = {0}, sum[32];
      memcpy(l, left + i, rest);
      memcpy(r, right + i, rest);
      bl_add_bytes(&addition, l, r, sum);
      memcpy(output + i, sum, rest);
    }
    left += layer->left.row;
    right += layer->right.row;
    output += layer->output.row;
  }
}

/* ---- windows of pools ---- */

/* The largest value of every channel inside a window. */
static void bl_largest_of(const bl_pool_layer* layer, const bl_byte* input, bl_span rows,
                          bl_span columns, bl_byte* output) {
  const int32_t channels = layer->input.channels;
  const bl_byte* begin = input + (rows.start + rows.begin) * layer->input.row +
                         (columns.start + columns.begin) * channels;
  for (int32_t first = 0; first < channels; first += 16) {
    const bl_byte* row = begin + first;
    __m128i largest = _mm_setzero_si128();
    for (int32_t ky = rows.begin; ky < rows.end; ++ky, row += layer->input.row) {
      const bl_byte* x = row;
      for (int32_t kx = columns.begin; kx < columns.end; ++kx, x += channels) {
        largest = _mm_max_epu8(largest, bl_load16(x));
      }
    }
    bl_store_some(output + first, largest, channels - first);
  }
}

/* The means of all channels inside a window. */
static void bl_average(const bl_pool_layer* layer, const bl_limits* unused, const bl_byte* input,
                       bl_span rows, bl_span columns, bl_byte* output) {
  bl_scaling scaling;
  const int32_t channels = layer->input.channels;
  const int32_t height = rows.end - rows.begin;
  const int32_t width = columns.end - columns.begin;
  const int32_t zeros = height * width * (layer->range.input_zero + BL_BYTE_OFFSET);
  const bl_byte* begin = input + (rows.start + rows.begin) * layer->input.row +
                         (columns.start + columns.begin) * channels;
  (void)unused;
  scaling.limits = bl_byte_limits_of(&layer->range);
  scaling.first = scaling.last = _mm256_set1_ps(layer->multiplier);
  for (int32_t c = 0; c < channels; c += 16) {
    const bl_byte* row = begin + c;
    __m256i first = _mm256_set1_epi32(-zeros), last = first;
    for (int32_t y = 0; y < height; ++y, row += layer->input.row) {
      const bl_byte* x = row;
      for (int32_t i = 0; i < width; ++i, x += channels) {
        const __m128i bytes = bl_load16(x);
        first = _mm256_add_epi32(first, _mm256_cvtepu8_epi32(bytes));
        last = _mm256_add_epi32(last, _mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8)));
      }
    }
    const __m256i words = bl_narrow(&scaling, first, last);
    bl_store_some(output + c, _mm256_castsi256_si128(bl_join(&scaling, words, words)),
                  channels - c);
  }
}

#endif
