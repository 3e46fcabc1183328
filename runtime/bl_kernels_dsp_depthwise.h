/* SPDX-License-Identifier: MIT */
#ifndef BL_KERNELS_DSP_DEPTHWISE_H
#define BL_KERNELS_DSP_DEPTHWISE_H

/* The depthwise convolution of bl_kernels_dsp.h, which includes this. */

/* ---- depthwise convolution ---- */

/* A rectangle of taps. In a rectangle of padding every tap reads the same word. */
typedef struct {
  int32_t rows;
  int32_t columns;
  int32_t step;       /* from tap to tap of the input */
  int32_t channels;   /* of the weights */
  int32_t row;        /* from the first tap of a row to that of the next */
  int32_t weight_row; /* of the weights */
} bl_taps;

/* One tap of four channels: `x` and `w` address its bytes and its weights. */
#define BL_DSP_TAP(x, w)      \
  "ldr r9, [r1" x             \
  "]\n"                       \
  "ldr r11, [r2" w            \
  "]\n"                       \
  "uxtb16 r10, r9, ror #8\n"  \
  "uxtb16 r9, r9\n"           \
  "sxtb16 r12, r11, ror #8\n" \
  "sxtb16 r11, r11\n"         \
  "smlabb r4, r9, r11, r4\n"  \
  "smlabb r5, r10, r12, r5\n" \
  "smlatt r6, r9, r11, r6\n"  \
  "smlatt r7, r10, r12, r7\n"

#define BL_DSP_NEXT_ROW \
  "ldr r9, [sp, #4]\n"  \
  "ldr r10, [sp, #8]\n" \
  "add r1, r9\n"        \
  "add r2, r10\n"

/* Adds the taps of four channels to acc[0 ... 3]; most rectangles are three taps wide. The stack
 * holds acc and the steps from row to row. */
__attribute__((naked, noinline)) static void bl_add_taps(
    const bl_taps* taps __attribute__((unused)), const bl_byte* input __attribute__((unused)),
    const int8_t* weight __attribute__((unused)), int32_t* acc __attribute__((unused))) {
  __asm__ volatile(
      ".syntax unified\n"
      "push {r4-r11, lr}\n"
      "ldrd r9, r10, [r0, #16]\n"
      "push {r3, r9, r10}\n"
      "ldm r3, {r4-r7}\n"
      "ldrd r3, r8, [r0, #8]\n"
      "ldrd r0, lr, [r0]\n"
      "cmp lr, #3\n"
      "bne 2f\n"
      "1:\n" BL_DSP_TAP("", "") BL_DSP_TAP(", r3", ", r8")
          BL_DSP_TAP(", r3, lsl #1", ", r8, lsl #1") BL_DSP_NEXT_ROW
      "subs r0, #1\n"
      "bne 1b\n"
      "b 4f\n"
      "2:\n" /* r1 and r2 walk along a row; r3 and r8 are what is left from its end to the next */
      "ldr r9, [sp, #4]\n"
      "mls r9, r3, lr, r9\n"
      "str r9, [sp, #4]\n"
      "ldr r9, [sp, #8]\n"
      "mls r9, r8, lr, r9\n"
      "str r9, [sp, #8]\n"
      "push {lr}\n"
      "3:\n" BL_DSP_TAP("", "")
      "add r1, r3\n"
      "add r2, r8\n"
      "subs lr, #1\n"
      "bne 3b\n"
      "pop {lr}\n" BL_DSP_NEXT_ROW
      "push {lr}\n"
      "subs r0, #1\n"
      "bne 3b\n"
      "pop {lr}\n"
      "4:\n"
      "pop {r3, r9, r10}\n"
      "stm r3, {r4-r7}\n"
      "pop {r4-r11, pc}\n");
}

/* The taps of one pixel: one rectangle inside the image, and above, below, left and right of it up
 * to four of padding. */
typedef struct {
  const bl_byte* input; /* its first byte */
  int32_t weight;       /* the offset of its first weight */
  bl_taps taps;
} bl_rectangle;

typedef struct {
  bl_pair_limits limits;
  uint32_t zeros; /* a word of padding */
  int32_t count;
  bl_rectangle rectangles[5];
} bl_depthwise_place;

static void bl_add_rectangle(bl_depthwise_place* place, const bl_conv2d_layer* layer,
                             const bl_byte* input, bl_span rows, bl_span columns) {
  const int32_t channels = layer->input.channels;
  const int32_t weight_row = layer->window.kernel_width * channels;
  bl_rectangle* rectangle = place->rectangles + place->count;
  const bl_taps taps = {rows.end - rows.begin,        columns.end - columns.begin,
                        input ? channels : 0,         channels,
                        input ? layer->input.row : 0, weight_row};
  if (taps.rows <= 0 || taps.columns <= 0) return;
  rectangle->input = (const bl_byte*)&place->zeros;
  if (input) {
    rectangle->input = input + (rows.start + rows.begin) * layer->input.row +
                       (columns.start + columns.begin) * channels;
  }
  rectangle->weight = rows.begin * weight_row + columns.begin * channels;
  rectangle->taps = taps;
  place->count += 1;
}

static void bl_place_taps(bl_depthwise_place* place, const bl_conv2d_layer* layer,
                          const bl_byte* input, bl_span rows, bl_span columns) {
  const int32_t height = layer->window.kernel_height, width = layer->window.kernel_width;
  const bl_span above = {0, 0, rows.begin}, below = {0, rows.end, height};
  const bl_span left = {0, 0, columns.begin}, right = {0, columns.end, width};
  const bl_span all = {0, 0, width};
  place->count = 0;
  bl_add_rectangle(place, layer, input, rows, columns);
  if (rows.end - rows.begin == height && columns.end - columns.begin == width) return;
  bl_add_rectangle(place, layer, 0, above, all);
  bl_add_rectangle(place, layer, 0, below, all);
  bl_add_rectangle(place, layer, 0, rows, left);
  bl_add_rectangle(place, layer, 0, rows, right);
}

/* All channels of one pixel, by fours; the last four overlap those before where the number of
 * channels is no multiple of four. */
BL_NOINLINE void bl_depthwise_pixel(const bl_conv2d_layer* layer, const bl_depthwise_place* place,
                                    bl_byte* output) {
  const bl_pair_limits limits = place->limits;
  const int32_t* bias = layer->bias;
  const float* multiplier = layer->multiplier;
  const int32_t last = layer->input.channels - BL_GROUP;
  int32_t channel = 0;
  for (;;) {
    int32_t acc[4];
    memcpy(acc, bias + channel, sizeof acc);
    const bl_rectangle* rectangle = place->rectangles;
    const bl_rectangle* const end = rectangle + place->count;
    do {
      const int32_t first = rectangle->taps.step != 0 ? channel : 0;
      bl_add_taps(&rectangle->taps, rectangle->input + first,
                  layer->weight + rectangle->weight + channel, acc);
    } while (++rectangle != end);
    const float* m = multiplier + channel;
    const uint32_t even =
        bl_to_bytes(bl_scale_for_limits(acc[0], m[0]), bl_scale_for_limits(acc[2], m[2]), &limits);
    const uint32_t odd =
        bl_to_bytes(bl_scale_for_limits(acc[1], m[1]), bl_scale_for_limits(acc[3], m[3]), &limits);
    const uint32_t bytes = even | odd << 8;
    memcpy(output + channel, &bytes, sizeof bytes);
    if (channel == last) return;
    channel = channel + BL_GROUP < last ? channel + BL_GROUP : last;
  }
}

/* Fewer than four channels. */
static void bl_depthwise_few(const bl_conv2d_layer* layer, const bl_limits* limits,
                             const bl_byte* input, bl_span rows, bl_span columns, bl_byte* output) {
  const int32_t channels = layer->input.channels;
  const int32_t zero = layer->range.input_zero + BL_BYTE_OFFSET;
  for (int32_t channel = 0; channel < channels; ++channel) {
    const int8_t* weight = layer->weight + channel;
    int32_t acc = layer->bias[channel];
    for (int32_t ky = 0; ky < layer->window.kernel_height; ++ky) {
      for (int32_t kx = 0; kx < layer->window.kernel_width; ++kx) {
        const bool inside =
            ky >= rows.begin && ky < rows.end && kx >= columns.begin && kx < columns.end;
        const int32_t x = inside ? input[(rows.start + ky) * layer->input.row +
                                         (columns.start + kx) * channels + channel]
                                 : zero;
        acc += x * *weight;
        weight += channels;
      }
    }
    output[channel] = bl_to_byte(acc, layer->multiplier[channel], limits);
  }
}

void bl_depthwise2d(const bl_conv2d_layer* layer, const bl_byte* input, bl_byte* output) {
  const bl_limits limits = bl_limits_of(&layer->range);
  const int32_t channels = layer->input.channels;
  bl_depthwise_place place;
  place.limits = bl_pair_limits_of(&layer->range);
  place.zeros = (uint32_t)(layer->range.input_zero + BL_BYTE_OFFSET) * 0x01010101u;
  for (int32_t y = 0; y < layer->output.height; ++y) {
    const bl_span rows = bl_place_row(&layer->window, y, layer->input.height);
    bl_byte* pixel = output + y * layer->output.row;
    for (int32_t x = 0; x < layer->output.width; ++x) {
      const bl_span columns = bl_place_column(&layer->window, x, layer->input.width);
      if (channels < BL_GROUP) {
        bl_depthwise_few(layer, &limits, input, rows, columns, pixel);
      } else {
        bl_place_taps(&place, layer, input, rows, columns);
        bl_depthwise_pixel(layer, &place, pixel);
      }
      pixel += channels;
    }
  }
}

#endif
