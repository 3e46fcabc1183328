/* SPDX-License-Identifier: MIT */
/* Draws random layers, runs the kernels of the form this is compiled for and compares every byte
 * with a naive loop over q - zero in 64-bit integers, whose requantization is exact arithmetic on
 * doubles. Everything the kernels must not write holds random bytes that are looked at afterwards.
 * No files and no memory from the system, so that it runs on bare microcontrollers too. */
#include <string.h>

#include "bl_runtime.h"

/* Layers drawn of each of the six kinds. */
#ifndef BL_CHECK_CASES
#define BL_CHECK_CASES 1500
#endif

#ifndef BL_CHECK_PRINT
#include <stdio.h>
#define BL_CHECK_PRINT(...) printf(__VA_ARGS__)
#endif

/* Whether this processor has the instructions of the form; where it is not known, a program that
 * was compiled for them is taken to run on one that does. */
#if defined(__GNUC__) && BL_FORM >= BL_FORM_AVX2 && BL_FORM <= BL_FORM_AVX512_VNNI
#include <cpuid.h>

static bool bl_runs_here(void) {
  unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;
  const bool more = __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0;
  switch (BL_FORM) {
    case BL_FORM_AVX2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case BL_FORM_AVX_VNNI:
      return more && (eax >> 4 & 1u) != 0 && __builtin_cpu_supports("avx2");
    default:
      return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi");
  }
}
#else
static bool bl_runs_here(void) { return true; }
#endif

/* What ctest takes for a test that was skipped. */
enum { BL_SKIPPED = 77 };

/* Sizes of the static memory: layers are drawn until they fit. */
enum {
  BL_MAP_BYTES = 24576,
  BL_WEIGHT_BYTES = 40960,
  BL_PACKED_BYTES = 3 * BL_WEIGHT_BYTES,
  BL_VALUES = 512, /* bias and multiplier of the widest layer */
  BL_SCRATCH_WORDS = BL_CONV_SCRATCH(7, 5, 70) / 4,
  BL_SCRATCH_GUARD = 16,
  BL_MOST_SHOWN = 8
};

static BL_ALIGN64 bl_byte bl_in[BL_MAP_BYTES + BL_SLACK_BYTES];
static BL_ALIGN64 bl_byte bl_out[BL_MAP_BYTES + 64];
static BL_ALIGN64 bl_byte bl_before[BL_MAP_BYTES + 64];
static BL_ALIGN64 int8_t bl_tight[BL_WEIGHT_BYTES];
#if BL_WIDE
static BL_ALIGN64 int8_t bl_packed[BL_PACKED_BYTES];
#endif
static BL_ALIGN64 int32_t bl_bias[BL_VALUES];
static BL_ALIGN64 int32_t bl_folded[BL_VALUES];
static BL_ALIGN64 float bl_multiplier[BL_VALUES];
static BL_ALIGN64 float bl_multiplier_packed[BL_VALUES];
static BL_ALIGN64 int32_t bl_accumulators[BL_VALUES];
static BL_ALIGN64 int32_t bl_scratch[BL_SCRATCH_WORDS + BL_SCRATCH_GUARD];

static uint32_t bl_state = 1;

static uint32_t bl_random(void) {
  bl_state = bl_state * UINT32_C(1664525) + UINT32_C(1013904223);
  return bl_state ^ (bl_state >> 16);
}

static int32_t bl_between(int32_t low, int32_t high) {
  return low + (int32_t)((bl_random() >> 4) % (uint32_t)(high - low + 1));
}

static int32_t bl_smaller(int32_t a, int32_t b) { return a < b ? a : b; }

/* ---- what is expected ---- */

/* The product of two floats is exact in a double, so it is rounded to float32 once. */
static int32_t bl_expected(int64_t acc, float multiplier, bl_range range) {
  const double product = (double)(float)(int32_t)acc * (double)multiplier;
  int32_t value = product > 0 ? 1000 : -1000;
  if (product > -1000.0 && product < 1000.0) {
    const double exact = (double)(float)product;
    value = (int32_t)exact;
    double rest = exact - value;
    if (rest < 0) rest += 1.0, --value;
    if (rest > 0.5 || (rest == 0.5 && (value & 1) != 0)) ++value;
  }
  value += range.output_zero;
  value = value > range.low ? value : range.low;
  return value < range.high ? value : range.high;
}

/* ---- drawing ---- */

static int32_t bl_draw_channels(void) {
  static const int32_t usual[] = {1, 2, 3, 4, 8, 16, 24, 32, 48, 64};
  return bl_random() & 64 ? usual[bl_between(0, 9)] : bl_between(1, 70);
}

static bl_range bl_draw_range(void) {
  bl_range range;
  range.input_zero = bl_between(0, 3) == 0 ? -128 : bl_between(-128, 127);
  range.output_zero = bl_between(0, 3) == 0 ? -128 : bl_between(-128, 127);
  range.low = -128;
  range.high = 127;
  switch (bl_between(0, 3)) {
    case 0:
      range.low = range.output_zero;
      break;
    case 1:
      range.low = bl_between(-128, 127);
      range.high = bl_between(range.low, 127);
      break;
    default:
      break;
  }
  return range;
}

static void bl_draw_bytes(bl_byte* bytes, int32_t count) {
  const int32_t kind = bl_between(0, 7);
  for (int32_t i = 0; i < count; ++i) {
    int32_t q = (int32_t)(bl_random() >> 8 & 255u) - 128;
    if (kind == 0) q = 127;
    if (kind == 1) q = -128;
    if (kind == 2) q = q < 0 ? -128 : 127;
    bytes[i] = (bl_byte)(q + BL_BYTE_OFFSET);
  }
}

static void bl_draw_weights(int32_t count) {
  const int32_t kind = bl_between(0, 7);
  for (int32_t i = 0; i < count; ++i) {
    int32_t w = bl_between(-127, 127);
    if (kind == 0) w = 127;
    if (kind == 1) w = -127;
    if (kind == 2) w = w < 0 ? -127 : 127;
    bl_tight[i] = (int8_t)w;
  }
}

/* Multipliers that spread sums of `terms` products over the bytes, and some that leave nothing or
 * reach far beyond them. */
static void bl_draw_channel_values(int32_t channels, int32_t terms) {
  const int32_t kind = bl_between(0, 5);
  float root = 1.0f;
  while (root * root < (float)terms) root += 1.0f;
  for (int32_t c = 0; c < channels; ++c) {
    const float share = (float)bl_between(1, 1 << 20) / (float)(1 << 20);
    float multiplier = share / (40.0f * root);
    if (kind == 0) {
      static const float extremes[] = {0.0f,  1e-42f, 1e-30f,   1e-9f, 0.5f,  1.0f,
                                       1.25f, 100.0f, 65536.0f, 1e12f, 1e30f, 3.4e38f};
      multiplier = extremes[bl_between(0, 11)];
    }
    /* A power of two meets ties. */
    if (kind == 1) multiplier = 1.0f / (float)(1 << bl_between(1, 12));
    bl_multiplier[c] = multiplier;
    bl_bias[c] = bl_between(-30000, 30000);
    if (kind == 0 || kind == 2) bl_bias[c] = bl_between(-900000000, 900000000);
  }
}

static void bl_copy_channel_values(int32_t channels, int32_t zero, int32_t terms, bool depthwise) {
  for (int32_t c = 0; c < channels; ++c) {
    int32_t sum = 0;
    for (int32_t k = 0; k < terms; ++k) {
      sum += depthwise ? bl_tight[k * channels + c] : bl_tight[c * terms + k];
    }
    bl_folded[c] = BL_FOLDED_BIAS(bl_bias[c], zero, sum);
    bl_multiplier_packed[c] = bl_multiplier[c];
  }
  for (int32_t c = channels; BL_WIDE && c % 16 != 0; ++c) {
    bl_folded[c] = 0;
    bl_multiplier_packed[c] = 0;
  }
}

/* ---- packing ---- */

#if BL_WIDE
/* [blocks][rows][steps][16][4] of [out][rows][run]; false where it does not fit. */
static bool bl_pack(int32_t outputs, int32_t rows, int32_t run) {
  const int32_t blocks = (outputs + 15) / 16;
  const int32_t steps = (run + 3) / 4;
  if (blocks * rows * steps * 64 > BL_PACKED_BYTES) return false;
  memset(bl_packed, 0, (size_t)(blocks * rows * steps * 64));
  for (int32_t o = 0; o < outputs; ++o) {
    for (int32_t row = 0; row < rows; ++row) {
      for (int32_t k = 0; k < run; ++k) {
        const int32_t step = (o / 16 * rows + row) * steps + k / 4;
        bl_packed[step * 64 + o % 16 * 4 + k % 4] = bl_tight[(o * rows + row) * run + k];
      }
    }
  }
  return true;
}

/* [blocks][kernel_height][ceil(kernel_width / 4)][16][4], lanes repeated where 16 is a multiple of
 * the channels, and bias and multiplier with them. */
static bool bl_pack_depthwise(int32_t channels, int32_t kernel_height, int32_t kernel_width) {
  const int32_t blocks = (channels + 15) / 16;
  const int32_t steps = (kernel_width + 3) / 4;
  const bool repeated = 16 % channels == 0;
  if (blocks * kernel_height * steps * 64 > BL_PACKED_BYTES) return false;
  memset(bl_packed, 0, (size_t)(blocks * kernel_height * steps * 64));
  for (int32_t lane = 0; lane < blocks * 16; ++lane) {
    const int32_t channel = repeated ? lane % channels : lane;
    if (channel >= channels) break;
    for (int32_t ky = 0; ky < kernel_height; ++ky) {
      for (int32_t kx = 0; kx < kernel_width; ++kx) {
        const int32_t step = (lane / 16 * kernel_height + ky) * steps + kx / 4;
        bl_packed[step * 64 + lane % 16 * 4 + kx % 4] =
            bl_tight[(ky * kernel_width + kx) * channels + channel];
      }
    }
    bl_folded[lane] = bl_folded[channel];
    bl_multiplier_packed[lane] = bl_multiplier_packed[channel];
  }
  return true;
}
#endif

/* ---- comparing ---- */

static int32_t bl_differences = 0;

static void bl_differ(const char* what, int32_t place, int32_t found, int32_t expected) {
  if (bl_differences < BL_MOST_SHOWN) {
    BL_CHECK_PRINT("%s: at %ld found %ld, expected %ld\n", what, (long)place, (long)found,
                   (long)expected);
  }
  ++bl_differences;
}

/* Where a map's first pixel lies and what it occupies with the padding around it. */
typedef struct {
  bl_map map;
  int32_t start;
  int32_t bytes;
} bl_place_of_map;

static bl_place_of_map bl_lay_out(int32_t height, int32_t width, int32_t channels, int32_t top,
                                  int32_t left, int32_t bottom, int32_t right) {
  bl_place_of_map place;
  place.map.height = height;
  place.map.width = width;
  place.map.channels = channels;
  place.map.row = (left + width + right) * channels;
  const int32_t shift = bl_between(0, 3) == 0 ? bl_between(0, 15) : 0;
  place.start = shift + top * place.map.row + left * channels;
  place.bytes = shift + (top + height + bottom) * place.map.row;
  return place;
}

static int32_t bl_at(const bl_place_of_map* place, int32_t y, int32_t x) {
  return place->start + y * place->map.row + x * place->map.channels;
}

/* Moves a map to the end of its memory, half of the time: a sanitizer then sees what is read too
 * far behind it, as it sees the rest of the time what is read before it. */
static void bl_move_to_end(bl_place_of_map* place) {
  if (place->bytes > BL_MAP_BYTES || bl_between(0, 1) == 0) return;
  place->start += BL_MAP_BYTES - place->bytes;
  place->bytes = BL_MAP_BYTES;
}

/* Every byte outside the map's pixels is as it was. */
static void bl_check_untouched(const char* what, const bl_place_of_map* place) {
  for (int32_t y = 0; y < place->map.height; ++y) {
    const int32_t begin = bl_at(place, y, 0);
    memcpy(bl_out + begin, bl_before + begin, (size_t)(place->map.width * place->map.channels));
  }
  for (int32_t i = 0; i < BL_MAP_BYTES + 64; ++i) {
    if (bl_out[i] != bl_before[i]) bl_differ(what, i, bl_out[i], bl_before[i]);
  }
}

static void bl_fill_output(void) {
  for (int32_t i = 0; i < BL_MAP_BYTES + 64; ++i) bl_out[i] = (bl_byte)(bl_random() >> 9);
  memcpy(bl_before, bl_out, sizeof bl_out);
}

/* ---- convolutions ---- */

typedef struct {
  bl_conv2d_layer layer;
  bl_place_of_map input;
  bl_place_of_map output;
} bl_conv_case;

static void bl_draw_window(bl_window* window) {
  const int32_t kind = bl_between(0, 9);
  window->kernel_height = bl_between(1, 5);
  window->kernel_width = bl_between(1, 5);
  if (kind < 3) window->kernel_height = window->kernel_width = 3;
  if (kind == 3) window->kernel_height = window->kernel_width = 1;
  if (kind == 4) window->kernel_height = bl_between(6, 7);
  window->stride_height = bl_between(0, 1) ? 1 : bl_between(1, 3);
  window->stride_width = bl_between(0, 1) ? window->stride_height : bl_between(1, 3);
  window->pad_top = bl_between(0, window->kernel_height - 1);
  window->pad_left = bl_between(0, window->kernel_width - 1);
}

/* Padding behind the last pixel that `count` windows need. */
static int32_t bl_padding_behind(int32_t count, int32_t stride, int32_t kernel, int32_t pad,
                                 int32_t size) {
  const int32_t need = (count - 1) * stride + kernel - pad - size;
  return need > 0 ? need : 0;
}

/* The most windows whose last one still touches the image. */
static int32_t bl_most_windows(int32_t size, int32_t stride, int32_t kernel, int32_t pad) {
  const int32_t behind = bl_between(0, kernel - 1);
  const int32_t room = size + pad + behind - kernel;
  return room < 0 ? 0 : room / stride + 1;
}

static bool bl_draw_conv(bl_conv_case* one, bool depthwise) {
  bl_conv2d_layer* layer = &one->layer;
  bl_window* window = &layer->window;
  /* First layers of networks: few channels and wide rows. */
  const bool narrow = bl_between(0, 7) == 0;
  const bool broad = depthwise && bl_between(0, 15) == 0;
  const int32_t channels = narrow ? bl_between(1, 4) : broad ? 128 : bl_draw_channels();
  const int32_t outputs = depthwise ? channels : narrow ? bl_between(1, 10) : bl_draw_channels();
  const int32_t height = bl_between(1, bl_between(1, 20));
  const int32_t width = narrow ? bl_between(14, 60) : bl_between(1, bl_between(1, 40));
  bl_draw_window(window);
  const int32_t out_height =
      bl_most_windows(height, window->stride_height, window->kernel_height, window->pad_top);
  const int32_t out_width =
      bl_most_windows(width, window->stride_width, window->kernel_width, window->pad_left);
  if (out_height < 1 || out_width < 1) return false;
  const int32_t terms = window->kernel_height * window->kernel_width * (depthwise ? 1 : channels);
  if (terms * outputs > BL_WEIGHT_BYTES) return false;
  /* Long sums over large maps are left to faster programs than this. */
  if ((int64_t)terms * outputs * out_height * out_width > 400000) return false;

  int32_t in_halo[4] = {0, 0, 0, 0};
  int32_t out_halo[4] = {0, 0, 0, 0};
  if (BL_WIDE) {
    const int32_t extra = bl_between(0, 2) == 0 ? 1 : 0;
    in_halo[0] = window->pad_top + extra;
    in_halo[1] = window->pad_left + extra;
    in_halo[2] = extra + bl_padding_behind(out_height, window->stride_height, window->kernel_height,
                                           window->pad_top, height);
    in_halo[3] = extra + bl_padding_behind(out_width, window->stride_width, window->kernel_width,
                                           window->pad_left, width);
    for (int32_t i = 0; i < 4; ++i) out_halo[i] = bl_between(0, 1) ? bl_between(0, 2) : 0;
  }
  one->input = bl_lay_out(height, width, channels, in_halo[0], in_halo[1], in_halo[2], in_halo[3]);
  bl_move_to_end(&one->input);
  one->output = bl_lay_out(out_height, out_width, outputs, out_halo[0], out_halo[1], out_halo[2],
                           out_halo[3]);
  layer->input = one->input.map;
  layer->output = one->output.map;
  layer->groups = depthwise ? channels : 1;
  layer->range = bl_draw_range();
  return one->input.bytes <= BL_MAP_BYTES && one->output.bytes <= BL_MAP_BYTES;
}

/* Random pixels; the padding holds the zero point, and what lies around the map holds noise. */
static void bl_fill_input(const bl_conv_case* one) {
  const bl_place_of_map* place = &one->input;
  const bl_byte zero = (bl_byte)(one->layer.range.input_zero + BL_BYTE_OFFSET);
  bl_draw_bytes(bl_in, BL_MAP_BYTES + BL_SLACK_BYTES);
  for (int32_t i = 0; i < place->bytes; ++i) {
    const int32_t inside = i - place->start;
    if (BL_WIDE && (inside < 0 || inside / place->map.row >= place->map.height ||
                    inside % place->map.row >= place->map.width * place->map.channels)) {
      bl_in[i] = zero;
    }
  }
}

/* The sum of one output value over the taps inside the image. */
static int64_t bl_sum(const bl_conv_case* one, bool depthwise, int32_t y, int32_t x, int32_t o) {
  const bl_window* window = &one->layer.window;
  const bl_map* map = &one->input.map;
  const int32_t offset = one->layer.range.input_zero + BL_BYTE_OFFSET;
  int64_t sum = bl_bias[o];
  for (int32_t ky = 0; ky < window->kernel_height; ++ky) {
    const int32_t row = y * window->stride_height - window->pad_top + ky;
    if (row < 0 || row >= map->height) continue;
    for (int32_t kx = 0; kx < window->kernel_width; ++kx) {
      const int32_t column = x * window->stride_width - window->pad_left + kx;
      if (column < 0 || column >= map->width) continue;
      const bl_byte* pixel = bl_in + bl_at(&one->input, row, column);
      const int32_t tap = ky * window->kernel_width + kx;
      if (depthwise) {
        sum += (int64_t)(pixel[o] - offset) * bl_tight[tap * map->channels + o];
        continue;
      }
      const int8_t* weight =
          bl_tight + (o * window->kernel_height * window->kernel_width + tap) * map->channels;
      for (int32_t c = 0; c < map->channels; ++c) {
        sum += (int64_t)(pixel[c] - offset) * weight[c];
      }
    }
  }
  return sum;
}

static void bl_compare_conv(const bl_conv_case* one, bool depthwise) {
  const char* what = depthwise ? "bl_depthwise2d" : "bl_conv2d";
  const bl_map* map = &one->output.map;
  for (int32_t y = 0; y < map->height; ++y) {
    for (int32_t x = 0; x < map->width; ++x) {
      for (int32_t o = 0; o < map->channels; ++o) {
        const int32_t place = bl_at(&one->output, y, x) + o;
        const int64_t sum = bl_sum(one, depthwise, y, x, o);
        const int32_t expected = bl_expected(sum, bl_multiplier[o], one->layer.range);
        const int32_t found = bl_out[place] - BL_BYTE_OFFSET;
        if (found != expected) bl_differ(what, place, found, expected);
      }
    }
  }
  bl_check_untouched(depthwise ? "bl_depthwise2d, outside" : "bl_conv2d, outside", &one->output);
}

static void bl_fill_scratch(void) {
  for (int32_t i = 0; i < BL_SCRATCH_WORDS + BL_SCRATCH_GUARD; ++i) bl_scratch[i] = 0x5aa5c33c;
}

static void bl_check_scratch(const bl_window* window, int32_t channels) {
  const int32_t used = BL_CONV_SCRATCH(window->kernel_height, window->kernel_width, channels) / 4;
  for (int32_t i = BL_WIDE ? 0 : used; i < BL_SCRATCH_WORDS + BL_SCRATCH_GUARD; ++i) {
    if (bl_scratch[i] != 0x5aa5c33c) bl_differ("scratch", i, bl_scratch[i], 0x5aa5c33c);
  }
}

/* False where what was drawn does not fit and nothing was checked. */
static bool bl_check_conv(bool depthwise) {
  bl_conv_case one;
  if (!bl_draw_conv(&one, depthwise)) return false;
  const bl_window* window = &one.layer.window;
  const int32_t channels = one.layer.input.channels;
  const int32_t outputs = one.layer.output.channels;
  const int32_t terms = window->kernel_height * window->kernel_width * (depthwise ? 1 : channels);
  bl_draw_weights(terms * outputs);
  bl_draw_channel_values(outputs, terms);
  bl_copy_channel_values(outputs, one.layer.range.input_zero, terms, depthwise);
  one.layer.weight = bl_tight;
#if BL_WIDE
  one.layer.weight = bl_packed;
  if (depthwise) {
    if (!bl_pack_depthwise(channels, window->kernel_height, window->kernel_width)) return false;
  } else {
    if (!bl_pack(outputs, window->kernel_height, window->kernel_width * channels)) return false;
  }
#endif
  one.layer.bias = bl_folded;
  one.layer.multiplier = bl_multiplier_packed;
  bl_fill_input(&one);
  bl_fill_output();
  bl_fill_scratch();
  if (depthwise) {
    bl_depthwise2d(&one.layer, bl_in + one.input.start, bl_out + one.output.start);
  } else {
    bl_conv2d(&one.layer, bl_in + one.input.start, bl_out + one.output.start, bl_scratch);
    bl_check_scratch(window, channels);
  }
  bl_compare_conv(&one, depthwise);
  return true;
}

/* ---- linear layers ---- */

static int64_t bl_linear_sum(const bl_linear_layer* layer, const bl_byte* input, int32_t o) {
  const int32_t offset = layer->range.input_zero + BL_BYTE_OFFSET;
  int64_t sum = bl_bias[o];
  for (int32_t i = 0; i < layer->inputs; ++i) {
    sum += (int64_t)(input[i] - offset) * bl_tight[o * layer->inputs + i];
  }
  return sum;
}

static void bl_compare_linear(const bl_linear_layer* layer, const bl_byte* input, int32_t start) {
  bl_linear(layer, input, bl_out + start);
  for (int32_t o = 0; o < layer->outputs; ++o) {
    const int64_t sum = bl_linear_sum(layer, input, o);
    const int32_t expected = bl_expected(sum, bl_multiplier[o], layer->range);
    const int32_t found = bl_out[start + o] - BL_BYTE_OFFSET;
    if (found != expected) bl_differ("bl_linear", o, found, expected);
  }
  bl_place_of_map place;
  memset(&place, 0, sizeof place);
  place.start = start;
  place.map.height = 1;
  place.map.width = 1;
  place.map.channels = layer->outputs;
  bl_check_untouched("bl_linear, outside", &place);
}

static void bl_compare_accumulators(bl_linear_layer layer, const bl_byte* input) {
  layer.multiplier = NULL;
  for (int32_t i = 0; i < BL_VALUES; ++i) bl_accumulators[i] = (int32_t)bl_random();
  const int32_t start = 4 * bl_between(0, 3);
  const int32_t before = start > 0 ? bl_accumulators[start - 1] : 0;
  const int32_t behind = bl_accumulators[start + layer.outputs];
  bl_linear_accumulators(&layer, input, bl_accumulators + start);
  for (int32_t o = 0; o < layer.outputs; ++o) {
    const int32_t expected = (int32_t)bl_linear_sum(&layer, input, o);
    const int32_t found = bl_accumulators[start + o];
    if (found != expected) bl_differ("bl_linear_accumulators", o, found, expected);
  }
  if ((start > 0 && bl_accumulators[start - 1] != before) ||
      bl_accumulators[start + layer.outputs] != behind) {
    bl_differ("bl_linear_accumulators, outside", start, 0, 0);
  }
}

static bool bl_check_linear(bool accumulators) {
  bl_linear_layer layer;
  layer.inputs = bl_between(1, bl_between(0, 1) ? 40 : 1000);
  layer.outputs = bl_between(1, bl_smaller(BL_VALUES - 32, bl_between(0, 1) ? 20 : 400));
  layer.range = bl_draw_range();
  if (layer.inputs * layer.outputs > BL_WEIGHT_BYTES) return false;
  bl_draw_weights(layer.inputs * layer.outputs);
  bl_draw_channel_values(layer.outputs, layer.inputs);
  bl_copy_channel_values(layer.outputs, layer.range.input_zero, layer.inputs, false);
  layer.weight = bl_tight;
#if BL_WIDE
  layer.weight = bl_packed;
  if (!bl_pack(layer.outputs, 1, layer.inputs)) return false;
#endif
  layer.bias = bl_folded;
  layer.multiplier = bl_multiplier_packed;
  bl_draw_bytes(bl_in, BL_MAP_BYTES + BL_SLACK_BYTES);
  const int32_t start = bl_between(0, 1) ? bl_between(0, 15) : BL_MAP_BYTES - layer.inputs;
  const bl_byte* input = bl_in + start;
  if (accumulators) {
    bl_compare_accumulators(layer, input);
  } else {
    bl_fill_output();
    bl_compare_linear(&layer, input, bl_between(0, 40));
  }
  return true;
}

/* ---- pools and add ---- */

enum { BL_MAX_POOL, BL_AVG_POOL, BL_GLOBAL_POOL };

/* The largest stored byte of a window, or the sum of its values without their zero point. */
static int32_t bl_pooled(const bl_conv_case* one, bool largest, int32_t y, int32_t x, int32_t c) {
  const bl_window* window = &one->layer.window;
  int32_t most = -128;
  int32_t sum = 0;
  for (int32_t ky = 0; ky < window->kernel_height; ++ky) {
    const int32_t row = y * window->stride_height - window->pad_top + ky;
    if (row < 0 || row >= one->input.map.height) continue;
    for (int32_t kx = 0; kx < window->kernel_width; ++kx) {
      const int32_t column = x * window->stride_width - window->pad_left + kx;
      if (column < 0 || column >= one->input.map.width) continue;
      const int32_t q = bl_in[bl_at(&one->input, row, column) + c] - BL_BYTE_OFFSET;
      most = q > most ? q : most;
      sum += q - one->layer.range.input_zero;
    }
  }
  return largest ? most : sum;
}

static void bl_compare_pool(const bl_conv_case* one, int32_t kind, float multiplier) {
  static const char* const names[] = {"bl_max_pool", "bl_avg_pool", "bl_global_avg_pool"};
  const bl_map* map = &one->output.map;
  for (int32_t y = 0; y < map->height; ++y) {
    for (int32_t x = 0; x < map->width; ++x) {
      for (int32_t c = 0; c < map->channels; ++c) {
        const int32_t pooled = bl_pooled(one, kind == BL_MAX_POOL, y, x, c);
        const int32_t expected =
            kind == BL_MAX_POOL ? pooled : bl_expected(pooled, multiplier, one->layer.range);
        const int32_t place = bl_at(&one->output, y, x) + c;
        const int32_t found = bl_out[place] - BL_BYTE_OFFSET;
        if (found != expected) bl_differ(names[kind], place, found, expected);
      }
    }
  }
  bl_check_untouched(names[kind], &one->output);
}

static bool bl_check_pool(void) {
  const int32_t kind = bl_between(BL_MAX_POOL, BL_GLOBAL_POOL);
  bl_conv_case one;
  if (!bl_draw_conv(&one, true)) return false;
  if (kind == BL_GLOBAL_POOL) {
    const bl_window whole = {one.input.map.height, one.input.map.width, 1, 1, 0, 0};
    one.layer.window = whole;
    one.output = bl_lay_out(1, 1, one.input.map.channels, 0, 0, 0, 0);
  }
  bl_draw_channel_values(1, 1);
  bl_pool_layer layer;
  layer.input = one.input.map;
  layer.output = one.output.map;
  layer.window = one.layer.window;
  layer.range = one.layer.range;
  layer.multiplier = bl_multiplier[0];
  bl_fill_input(&one);
  bl_fill_output();
  const bl_byte* input = bl_in + one.input.start;
  bl_byte* output = bl_out + one.output.start;
  if (kind == BL_MAX_POOL) bl_max_pool(&layer, input, output);
  if (kind == BL_AVG_POOL) bl_avg_pool(&layer, input, output);
  if (kind == BL_GLOBAL_POOL) {
    const bl_window unread = {0, 0, 0, 0, 0, 0};
    layer.window = unread;
    bl_global_avg_pool(&layer, input, output);
  }
  bl_compare_pool(&one, kind, layer.multiplier);
  return true;
}

/* The left input is at the beginning of bl_in, the right one behind it or the output itself. */
static bool bl_check_add(void) {
  const int32_t most = BL_MAP_BYTES / 2;
  const int32_t height = bl_between(1, 12);
  const int32_t width = bl_between(1, 12);
  const int32_t channels = bl_draw_channels();
  const int32_t halo = BL_WIDE ? bl_between(0, 2) : 0;
  const bl_place_of_map left = bl_lay_out(height, width, channels, halo, halo, 0, 0);
  const bl_place_of_map right = bl_lay_out(height, width, channels, 0, halo, 0, halo);
  const bl_place_of_map output = bl_lay_out(height, width, channels, halo, 0, halo, 0);
  const bool in_place = bl_between(0, 2) == 0;
  if (left.bytes > most || right.bytes > most || output.bytes > most) return false;
  bl_draw_channel_values(1, bl_between(1, 1000));
  bl_add_layer layer;
  layer.left = left.map;
  layer.right = in_place ? output.map : right.map;
  layer.output = output.map;
  layer.left_factor = bl_between(0, 2) ? bl_between(0, 16384) : 16384;
  layer.right_factor = bl_between(0, 2) ? bl_between(0, 16384) : 16384;
  layer.right_zero = bl_between(-128, 127);
  layer.range = bl_draw_range();
  layer.multiplier = bl_multiplier[0] / (bl_between(0, 1) ? 1.0f : 16384.0f);
  bl_draw_bytes(bl_in, BL_MAP_BYTES + BL_SLACK_BYTES);
  bl_fill_output();
  bl_add(&layer, bl_in + left.start, in_place ? bl_out + output.start : bl_in + most + right.start,
         bl_out + output.start);
  for (int32_t y = 0; y < height; ++y) {
    for (int32_t i = 0; i < width * channels; ++i) {
      const int32_t place = bl_at(&output, y, 0) + i;
      const int32_t other = in_place ? bl_before[place] : bl_in[most + bl_at(&right, y, 0) + i];
      const int32_t a = bl_in[bl_at(&left, y, 0) + i] - BL_BYTE_OFFSET - layer.range.input_zero;
      const int32_t b = other - BL_BYTE_OFFSET - layer.right_zero;
      const int64_t sum = (int64_t)layer.left_factor * a + (int64_t)layer.right_factor * b;
      const int32_t expected = bl_expected(sum, layer.multiplier, layer.range);
      const int32_t found = bl_out[place] - BL_BYTE_OFFSET;
      if (found != expected) bl_differ("bl_add", place, found, expected);
    }
  }
  bl_check_untouched("bl_add, outside", &output);
  return true;
}

static bool bl_check(int32_t kind) {
  switch (kind) {
    case 0:
      return bl_check_conv(false);
    case 1:
      return bl_check_conv(true);
    case 2:
      return bl_check_linear(false);
    case 3:
      return bl_check_linear(true);
    case 4:
      return bl_check_pool();
    default:
      return bl_check_add();
  }
}

int main(void) {
  int32_t checked[6] = {0, 0, 0, 0, 0, 0};
  if (!bl_runs_here()) {
    BL_CHECK_PRINT("form %d: this processor does not have its instructions\n", BL_FORM);
    return BL_SKIPPED;
  }
  for (int32_t kind = 0; kind < 6; ++kind) {
    while (checked[kind] < BL_CHECK_CASES) checked[kind] += bl_check(kind) ? 1 : 0;
  }
  BL_CHECK_PRINT(
      "form %d: %ld convolutions, %ld depthwise, %ld linear, %ld accumulators, %ld pools, %ld "
      "sums: "
      "%ld differences\n",
      BL_FORM, (long)checked[0], (long)checked[1], (long)checked[2], (long)checked[3],
      (long)checked[4], (long)checked[5], (long)bl_differences);
  return bl_differences == 0 ? 0 : 1;
}
