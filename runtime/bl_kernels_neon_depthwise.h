/* SPDX-License-Identifier: MIT */
#ifndef BL_KERNELS_NEON_DEPTHWISE_H
#define BL_KERNELS_NEON_DEPTHWISE_H

/* Part of bl_kernels_neon.h. Kernels of three rows walk down the map: each row of the input is read
 * and arranged once for all the output rows that it belongs to, while the weights stay in
 * registers. Other kernels compute one pixel after the other. */

/* Four neighbouring taps of 16 lanes each. */
typedef struct {
  int8x16_t t0;
  int8x16_t t1;
  int8x16_t t2;
  int8x16_t t3;
} bl_taps;

/* The first `count` of four taps; in place of the others, whose weights are zero, the first. */
BL_INLINE bl_taps bl_load_taps(const bl_byte* input, intptr_t distance, int32_t count) {
  bl_taps taps;
  taps.t0 = vld1q_s8(input);
  taps.t1 = count > 1 ? vld1q_s8(input + distance) : taps.t0;
  taps.t2 = count > 2 ? vld1q_s8(input + 2 * distance) : taps.t0;
  taps.t3 = count > 3 ? vld1q_s8(input + 3 * distance) : taps.t0;
  return taps;
}

#if BL_FORM == BL_FORM_NEON_DOT
/* The four taps of a lane lie side by side, as packed weights do. */
BL_INLINE bl_taps bl_load_tap_weights(const int8_t* weight) { return bl_load_taps(weight, 16, 4); }

BL_INLINE int8x16_t bl_zip_low(int8x16_t a, int8x16_t b) {
  return vreinterpretq_s8_s16(vzip1q_s16(vreinterpretq_s16_s8(a), vreinterpretq_s16_s8(b)));
}

BL_INLINE int8x16_t bl_zip_high(int8x16_t a, int8x16_t b) {
  return vreinterpretq_s8_s16(vzip2q_s16(vreinterpretq_s16_s8(a), vreinterpretq_s16_s8(b)));
}

BL_INLINE bl_taps bl_arrange(bl_taps x) {
  const int8x16_t low_01 = vzip1q_s8(x.t0, x.t1), low_23 = vzip1q_s8(x.t2, x.t3);
  const int8x16_t high_01 = vzip2q_s8(x.t0, x.t1), high_23 = vzip2q_s8(x.t2, x.t3);
  bl_taps arranged;
  arranged.t0 = bl_zip_low(low_01, low_23);
  arranged.t1 = bl_zip_high(low_01, low_23);
  arranged.t2 = bl_zip_low(high_01, high_23);
  arranged.t3 = bl_zip_high(high_01, high_23);
  return arranged;
}

BL_INLINE bl_sums bl_add_taps(bl_sums sums, bl_taps x, bl_taps w, int32_t count) {
  (void)count;
  sums.a = vdotq_s32(sums.a, w.t0, x.t0);
  sums.b = vdotq_s32(sums.b, w.t1, x.t1);
  sums.c = vdotq_s32(sums.c, w.t2, x.t2);
  sums.d = vdotq_s32(sums.d, w.t3, x.t3);
  return sums;
}
#else
/* A vector for each tap. */
BL_INLINE bl_taps bl_load_tap_weights(const int8_t* weight) {
  const int8x16x4_t vectors = vld4q_s8(weight);
  bl_taps taps;
  taps.t0 = vectors.val[0];
  taps.t1 = vectors.val[1];
  taps.t2 = vectors.val[2];
  taps.t3 = vectors.val[3];
  return taps;
}

BL_INLINE bl_taps bl_arrange(bl_taps x) { return x; }

BL_INLINE bl_sums bl_add_words(bl_sums sums, int16x8_t low, int16x8_t high) {
  sums.a = vaddw_s16(sums.a, vget_low_s16(low));
  sums.b = vaddw_high_s16(sums.b, low);
  sums.c = vaddw_s16(sums.c, vget_low_s16(high));
  sums.d = vaddw_high_s16(sums.d, high);
  return sums;
}

/* Two products fit 16 bits, see BL_DOT_TWO; a third might not. */
BL_INLINE bl_sums bl_add_taps(bl_sums sums, bl_taps x, bl_taps w, int32_t count) {
  int16x8_t low = vmull_s8(vget_low_s8(x.t0), vget_low_s8(w.t0));
  int16x8_t high = vmull_high_s8(x.t0, w.t0);
  low = vmlal_s8(low, vget_low_s8(x.t1), vget_low_s8(w.t1));
  high = vmlal_high_s8(high, x.t1, w.t1);
  sums = bl_add_words(sums, low, high);
  if (count < 3) return sums;
  low = vmull_s8(vget_low_s8(x.t2), vget_low_s8(w.t2));
  high = vmull_high_s8(x.t2, w.t2);
  if (count > 3) {
    low = vmlal_s8(low, vget_low_s8(x.t3), vget_low_s8(w.t3));
    high = vmlal_high_s8(high, x.t3, w.t3);
  }
  return bl_add_words(sums, low, high);
}
#endif

/* A block of 16 lanes: some channels of a pixel, or all channels of several neighbours. */
typedef struct {
  const bl_conv2d_layer* layer;
  const int8_t* weight;
  const int32_t* bias;
  bl_scaling scaling;
  int32_t pixels;
  int32_t channels;
} bl_lanes;

/* ---- kernels of three rows ---- */

/* One column of pixels; the kernel is `taps` wide, and a row `stride` below the next. */
BL_INLINE void bl_column(const bl_lanes* lanes, const bl_byte* input, bl_byte* output,
                         int32_t count, int32_t taps, int32_t stride) {
  const intptr_t row = lanes->layer->input.row;
  const intptr_t distance = lanes->layer->input.channels;
  const bl_taps w_0 = bl_load_tap_weights(lanes->weight);
  const bl_taps w_1 = bl_load_tap_weights(lanes->weight + 64);
  const bl_taps w_2 = bl_load_tap_weights(lanes->weight + 128);
  const bl_sums bias = bl_load_sums(lanes->bias);
  bl_taps x = bl_arrange(bl_load_taps(input, distance, taps));
  bl_sums sums = bl_add_taps(bias, x, w_0, taps);
  bl_sums next = bias;
  if (stride == 1) {
    input += row;
    x = bl_arrange(bl_load_taps(input, distance, taps));
    sums = bl_add_taps(sums, x, w_1, taps);
    next = bl_add_taps(bias, x, w_0, taps);
  }
  for (int32_t y = lanes->layer->output.height; y != 0; --y, output += lanes->layer->output.row) {
    if (stride == 2) {
      input += row;
      x = bl_arrange(bl_load_taps(input, distance, taps));
      sums = bl_add_taps(sums, x, w_1, taps);
    }
    input += row;
    x = bl_arrange(bl_load_taps(input, distance, taps));
    sums = bl_add_taps(sums, x, w_2, taps);
    bl_store(output, bl_narrow(sums, &lanes->scaling), count);
    if (stride == 1) {
      sums = bl_add_taps(next, x, w_1, taps);
      next = bl_add_taps(bias, x, w_0, taps);
    } else {
      sums = bl_add_taps(bias, x, w_0, taps);
    }
  }
}

/* A stride and a width known to the compiler spare the tests of them. */
static void bl_columns(const bl_lanes* lanes, const bl_byte* input, bl_byte* output) {
  const bl_window* window = &lanes->layer->window;
  const intptr_t in_pixel = (intptr_t)window->stride_width * lanes->layer->input.channels;
  const int32_t width = lanes->layer->output.width;
  for (int32_t x = 0; x < width; x += lanes->pixels) {
    const bl_byte* in = input + x * in_pixel;
    bl_byte* out = output + (intptr_t)x * lanes->layer->output.channels;
    const int32_t left = width - x;
    const int32_t count = (left < lanes->pixels ? left : lanes->pixels) * lanes->channels;
    if (window->stride_height == 1) {
      if (window->kernel_width == 3) {
        bl_column(lanes, in, out, count, 3, 1);
      } else {
        bl_column(lanes, in, out, count, window->kernel_width, 1);
      }
    } else if (window->kernel_width == 3) {
      bl_column(lanes, in, out, count, 3, 2);
    } else {
      bl_column(lanes, in, out, count, window->kernel_width, 2);
    }
  }
}

/* ---- all kernels ---- */

BL_INLINE bl_sums bl_depthwise_sums(const bl_lanes* lanes, const bl_byte* input) {
  const int32_t kernel_width = lanes->layer->window.kernel_width;
  const intptr_t distance = lanes->layer->input.channels;
  const int8_t* weight = lanes->weight;
  bl_sums sums = bl_load_sums(lanes->bias);
  for (int32_t ky = 0; ky < lanes->layer->window.kernel_height; ++ky) {
    const bl_byte* in = input + (intptr_t)ky * lanes->layer->input.row;
    for (int32_t kx = 0; kx < kernel_width; kx += 4, in += 4 * distance, weight += 64) {
      const int32_t count = kernel_width - kx;
      const bl_taps x = bl_arrange(bl_load_taps(in, distance, count));
      sums = bl_add_taps(sums, x, bl_load_tap_weights(weight), count);
    }
  }
  return sums;
}

static void bl_pixels(const bl_lanes* lanes, const bl_byte* input, bl_byte* output) {
  bl_walk walk = bl_walk_of(lanes->layer, input, output, lanes->pixels);
  for (int32_t left = bl_walk_length(&walk); left != 0; --left) {
    const int32_t pixels = walk.left < lanes->pixels ? walk.left : lanes->pixels;
    const bl_sums sums = bl_depthwise_sums(lanes, walk.pixel.in);
    bl_store(walk.pixel.out, bl_narrow(sums, &lanes->scaling), pixels * lanes->channels);
    bl_advance(&walk);
  }
}

void bl_depthwise2d(const bl_conv2d_layer* layer, const bl_byte* input, bl_byte* output) {
  const bl_window* window = &layer->window;
  const int32_t channels = layer->output.channels;
  const intptr_t steps = (window->kernel_width + 3) / 4;
  const bool three_rows =
      window->kernel_height == 3 && window->kernel_width <= 4 && window->stride_height <= 2;
  bl_lanes lanes;
  lanes.layer = layer;
  /* Neighbours lie as the lanes do. */
  lanes.pixels = 16 % channels == 0 && window->stride_width == 1 ? 16 / channels : 1;
  for (int32_t first = 0; first < channels; first += 16) {
    lanes.weight = layer->weight + first * 4 * window->kernel_height * steps;
    lanes.bias = layer->bias + first;
    lanes.scaling = bl_scaling_of(&layer->range, layer->multiplier + first);
    lanes.channels = channels - first < 16 ? channels - first : 16;
    if (three_rows) {
      bl_columns(&lanes, bl_first_window(layer, input) + first, output + first);
    } else {
      bl_pixels(&lanes, input + first, output + first);
    }
  }
}

#endif
