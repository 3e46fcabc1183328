/* SPDX-License-Identifier: MIT */
#ifndef BL_KERNELS_AVX2_DEPTHWISE_H
#define BL_KERNELS_AVX2_DEPTHWISE_H

/* Part of bl_kernels_avx2.h. Four neighbouring taps of a channel are multiplied and added at once,
 * for the 16 channels of a block; or for several pixels where they have so few channels that 16 is
 * a multiple of them. */

/* Adds up to four taps, 16 bytes each, `distance` bytes apart, times their weights. */
BL_INLINE bl_sums bl_add_taps(bl_sums sums, const bl_byte* input, intptr_t distance, int32_t count,
                              const int8_t* weight) {
  const __m128i none = _mm_setzero_si128();
  const __m128i t0 = bl_load16(input);
  const __m128i t1 = count > 1 ? bl_load16(input + distance) : none;
  const __m128i t2 = count > 2 ? bl_load16(input + 2 * distance) : none;
  const __m128i t3 = count > 3 ? bl_load16(input + 3 * distance) : none;
  const __m128i low_a = _mm_unpacklo_epi8(t0, t1), low_b = _mm_unpacklo_epi8(t2, t3);
  const __m128i high_a = _mm_unpackhi_epi8(t0, t1), high_b = _mm_unpackhi_epi8(t2, t3);
  const __m256i first =
      _mm256_set_m128i(_mm_unpackhi_epi16(low_a, low_b), _mm_unpacklo_epi16(low_a, low_b));
  const __m256i last =
      _mm256_set_m128i(_mm_unpackhi_epi16(high_a, high_b), _mm_unpacklo_epi16(high_a, high_b));
  sums.first = bl_dot(sums.first, bl_unsigned(first), bl_load_weights(weight));
  sums.last = bl_dot(sums.last, bl_unsigned(last), bl_load_weights(weight + 32));
  return sums;
}

BL_INLINE bl_sums bl_depthwise_sums(const bl_conv2d_layer* layer, const bl_byte* input,
                                    const int8_t* weight, bl_sums sums) {
  const int32_t kernel_width = layer->window.kernel_width;
  const intptr_t channels = layer->input.channels;
  for (int32_t ky = 0; ky < layer->window.kernel_height; ++ky) {
    const bl_byte* x = input + (intptr_t)ky * layer->input.row;
    /* The usual width as a constant, which leaves no branches. */
    if (kernel_width == 3) {
      sums = bl_add_taps(sums, x, channels, 3, weight);
      weight += 64;
      continue;
    }
    for (int32_t kx = 0; kx < kernel_width; kx += 4, x += 4 * channels, weight += 64) {
      sums = bl_add_taps(sums, x, channels, kernel_width - kx, weight);
    }
  }
  return sums;
}

/* One block of 16 lanes, which are `pixels` neighbours of `count` channels. */
static void bl_depthwise_block(const bl_conv2d_layer* layer, int32_t first, int32_t pixels,
                               int32_t count, const bl_byte* input, bl_byte* output) {
  const bl_byte_limits limits = bl_byte_limits_of(&layer->range);
  const bl_scaling scaling = bl_scaling_of(&limits, layer->multiplier + first);
  const intptr_t steps = (layer->window.kernel_width + 3) / 4;
  const int8_t* weight = layer->weight + first * 4 * layer->window.kernel_height * steps;
  const intptr_t in_row = (intptr_t)layer->window.stride_height * layer->input.row;
  const intptr_t in_pixel = (intptr_t)layer->window.stride_width * layer->input.channels;
  bl_sums bias;
  bias.first = bl_load(layer->bias + first);
  bias.last = bl_load(layer->bias + first + 8);
  for (int32_t y = 0; y < layer->output.height; ++y) {
    for (int32_t x = 0; x < layer->output.width; x += pixels) {
      const int32_t left = layer->output.width - x;
      const bl_sums sums =
          bl_depthwise_sums(layer, input + y * in_row + x * in_pixel, weight, bias);
      const __m256i words = bl_narrow(&scaling, sums.first, sums.last);
      bl_store_some(output + (intptr_t)y * layer->output.row + x * layer->output.channels,
                    _mm256_castsi256_si128(bl_join(&scaling, words, words)),
                    (left < pixels ? left : pixels) * count);
    }
  }
}

void bl_depthwise2d(const bl_conv2d_layer* layer, const bl_byte* input, bl_byte* output) {
  const int32_t channels = layer->output.channels;
  /* Neighbours one channel group apart lie as the lanes do. */
  const bool several = 16 % channels == 0 && layer->window.stride_width == 1;
  input -= bl_before_map(layer);
  for (int32_t first = 0; first < channels; first += 16) {
    bl_depthwise_block(layer, first, several ? 16 / channels : 1,
                       channels - first < 16 ? channels - first : 16, input + first,
                       output + first);
  }
}

#endif
