/* SPDX-License-Identifier: MIT */
#ifndef BL_KERNELS_AVX512_DEPTHWISE_H
#define BL_KERNELS_AVX512_DEPTHWISE_H

/* Part of bl_kernels_avx512.h. Four neighbouring taps of a channel are multiplied and added at
 * once, for 16 channels of a pixel; or for several pixels where they have so few channels that 16
 * is a multiple of them. Pixels hold channels next to each other, so bytes must change places. */
typedef struct {
  intptr_t in_row;
  intptr_t channels;
  int32_t kernel_height;
  int32_t kernel_width;
  int32_t steps;
  const int8_t* weight;
  bool joined; /* all taps of a vector lie in 64 bytes that are loaded at once */
  __m512i order;
} bl_taps;

/* Up to four taps, 16 channels each, one behind the other; never a tap behind the window. */
BL_INLINE __m512i bl_load_taps(const bl_byte* input, intptr_t channels, int32_t count) {
  __m512i taps = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i*)(const void*)input));
#define BL_INSERT(tap)         \
  if (count > tap)             \
    taps = _mm512_inserti32x4( \
        taps, _mm_loadu_si128((const __m128i*)(const void*)(input + tap * channels)), tap);
  BL_INSERT(1)
  BL_INSERT(2)
  BL_INSERT(3)
#undef BL_INSERT
  return taps;
}

static __m512i bl_depthwise_sum(const bl_taps* t, const bl_byte* input, __m512i sum) {
  const int8_t* w = t->weight;
  for (int32_t ky = 0; ky < t->kernel_height; ++ky) {
    const bl_byte* x = input + ky * t->in_row;
    for (int32_t step = 0; step < t->steps; ++step, x += 4 * t->channels, w += 64) {
      const __m512i taps = t->joined ? _mm512_loadu_si512((const void*)x)
                                     : bl_load_taps(x, t->channels, t->kernel_width - 4 * step);
      BL_DOT(sum, _mm512_permutexvar_epi8(t->order, taps), _mm512_load_si512((const void*)w));
    }
  }
  return sum;
}

/* Byte 4 l + k of the result is tap k of lane l: channel l % channels of pixel l / channels. */
static __m512i bl_taps_order(int32_t pixel, int32_t tap, int32_t channels) {
  BL_ALIGN64 uint8_t order[64];
  for (int32_t l = 0; l < 16; ++l) {
    for (int32_t k = 0; k < 4; ++k) {
      order[4 * l + k] = (uint8_t)(l / channels * pixel + k * tap + l % channels);
    }
  }
  return _mm512_load_si512((const void*)order);
}

/* One block: `pixels` neighbours have `count` bytes together, one behind the other. */
static void bl_depthwise_block(const bl_conv2d_layer* layer, const bl_taps* t, int32_t first,
                               int32_t pixels, const bl_byte* input, bl_byte* output) {
  const bl_byte_limits limits = bl_byte_limits_of(&layer->range);
  const __m512i bias = _mm512_load_si512((const void*)(layer->bias + first));
  const __m512 multiplier = _mm512_load_ps(layer->multiplier + first);
  const int32_t channels = layer->output.channels;
  const int32_t count = channels - first < 16 ? channels - first : 16;
  const intptr_t in_row = (intptr_t)layer->window.stride_height * layer->input.row;
  const intptr_t in_pixel = (intptr_t)layer->window.stride_width * channels;
  const __m512i zero = _mm512_set1_epi32(layer->range.output_zero + BL_BYTE_OFFSET);
  const __m512i low = _mm512_set1_epi32(layer->range.low + BL_BYTE_OFFSET);
  for (int32_t y = 0; y < layer->output.height; ++y) {
    for (int32_t x = 0; x < layer->output.width; x += pixels) {
      const int32_t left = layer->output.width - x;
      const int32_t bytes = (left < pixels ? left : pixels) * count;
      const __m512i sum = bl_depthwise_sum(t, input + y * in_row + x * in_pixel, bias);
      const __m512i rounded = bl_round(&limits, sum, multiplier);
      _mm_mask_storeu_epi8(
          output + y * layer->output.row + x * channels, (__mmask16)bl_first_bytes(bytes),
          _mm512_cvtepi32_epi8(_mm512_max_epi32(_mm512_add_epi32(rounded, zero), low)));
    }
  }
}

void bl_depthwise2d(const bl_conv2d_layer* layer, const bl_byte* input, bl_byte* output) {
  const int32_t channels = layer->output.channels;
  const int32_t stride = layer->window.stride_width;
  const bool repeated = 16 % channels == 0;
  /* The last byte that 16 / channels pixels need. */
  const bool joined = repeated && ((16 / channels - 1) * stride + 4) * channels <= 64;
  const int32_t pixels = joined ? 16 / channels : 1;
  const intptr_t rows = layer->window.kernel_height;
  bl_taps t;
  t.in_row = layer->input.row;
  t.channels = channels;
  t.kernel_height = layer->window.kernel_height;
  t.kernel_width = layer->window.kernel_width;
  t.steps = (layer->window.kernel_width + 3) / 4;
  t.joined = joined;
  t.order =
      joined ? bl_taps_order(stride * channels, channels, channels) : bl_taps_order(0, 16, 16);
  input -= bl_before_map(layer);
  for (int32_t first = 0; first < channels; first += 16) {
    t.weight = layer->weight + first / 16 * rows * t.steps * 64;
    bl_depthwise_block(layer, &t, first, pixels, input + first, output + first);
  }
}

#endif
