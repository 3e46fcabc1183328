/* SPDX-License-Identifier: MIT */
#include "bench/naive_loops.h"

static int8_t requantize(int32_t acc, float multiplier, const naive_range* range) {
  float value = (float)acc * multiplier;
  const float low = (float)(range->low - range->output_zero);
  const float high = (float)(range->high - range->output_zero);
  if (value < low) value = low;
  if (value > high) value = high;
  /* Rounds half to even for |value| < 2^22, without a call into the mathematics library. */
  value = (value + 12582912.0f) - 12582912.0f;
  return (int8_t)((int32_t)value + range->output_zero);
}

void naive_conv2d(const naive_layer* layer, const int8_t* input, int8_t* output) {
  const naive_window* const w = &layer->window;
  const naive_shape* const in = &layer->input;
  const int zero = layer->range.input_zero;
  int y, x, o, ky, kx, i;
  for (y = 0; y < layer->output.height; ++y) {
    for (x = 0; x < layer->output.width; ++x) {
      for (o = 0; o < layer->output.channels; ++o) {
        int32_t acc = layer->bias[o];
        for (ky = 0; ky < w->kernel_height; ++ky) {
          const int row = y * w->stride_height + ky - w->pad_top;
          if (row < 0 || row >= in->height) continue;
          for (kx = 0; kx < w->kernel_width; ++kx) {
            const int column = x * w->stride_width + kx - w->pad_left;
            const int8_t* const values = input + (row * in->width + column) * in->channels;
            const int8_t* const weights =
                layer->weight + ((o * w->kernel_height + ky) * w->kernel_width + kx) * in->channels;
            if (column < 0 || column >= in->width) continue;
            for (i = 0; i < in->channels; ++i) acc += weights[i] * (values[i] - zero);
          }
        }
        *output++ = requantize(acc, layer->multiplier[o], &layer->range);
      }
    }
  }
}

void naive_depthwise2d(const naive_layer* layer, const int8_t* input, int8_t* output) {
  const naive_window* const w = &layer->window;
  const naive_shape* const in = &layer->input;
  const int zero = layer->range.input_zero;
  int y, x, c, ky, kx;
  for (y = 0; y < layer->output.height; ++y) {
    for (x = 0; x < layer->output.width; ++x) {
      for (c = 0; c < in->channels; ++c) {
        int32_t acc = layer->bias[c];
        for (ky = 0; ky < w->kernel_height; ++ky) {
          const int row = y * w->stride_height + ky - w->pad_top;
          if (row < 0 || row >= in->height) continue;
          for (kx = 0; kx < w->kernel_width; ++kx) {
            const int column = x * w->stride_width + kx - w->pad_left;
            if (column < 0 || column >= in->width) continue;
            acc += layer->weight[(ky * w->kernel_width + kx) * in->channels + c] *
                   (input[(row * in->width + column) * in->channels + c] - zero);
          }
        }
        *output++ = requantize(acc, layer->multiplier[c], &layer->range);
      }
    }
  }
}

static int32_t row_sum(const naive_layer* layer, const int8_t* input, int o) {
  const int8_t* const weights = layer->weight + o * layer->input.channels;
  int32_t acc = layer->bias[o];
  int i;
  for (i = 0; i < layer->input.channels; ++i) {
    acc += weights[i] * (input[i] - layer->range.input_zero);
  }
  return acc;
}

void naive_linear(const naive_layer* layer, const int8_t* input, int8_t* output) {
  int o;
  for (o = 0; o < layer->output.channels; ++o) {
    output[o] = requantize(row_sum(layer, input, o), layer->multiplier[o], &layer->range);
  }
}

void naive_linear_accumulators(const naive_layer* layer, const int8_t* input, int32_t* output) {
  int o;
  for (o = 0; o < layer->output.channels; ++o) output[o] = row_sum(layer, input, o);
}

void naive_max_pool(const naive_layer* layer, const int8_t* input, int8_t* output) {
  const naive_window* const w = &layer->window;
  const naive_shape* const in = &layer->input;
  int y, x, c, ky, kx;
  for (y = 0; y < layer->output.height; ++y) {
    for (x = 0; x < layer->output.width; ++x) {
      for (c = 0; c < in->channels; ++c) {
        int8_t largest = -128;
        for (ky = 0; ky < w->kernel_height; ++ky) {
          for (kx = 0; kx < w->kernel_width; ++kx) {
            const int row = y * w->stride_height + ky - w->pad_top;
            const int column = x * w->stride_width + kx - w->pad_left;
            int8_t value;
            if (row < 0 || row >= in->height || column < 0 || column >= in->width) continue;
            value = input[(row * in->width + column) * in->channels + c];
            if (value > largest) largest = value;
          }
        }
        *output++ = largest;
      }
    }
  }
}

void naive_global_average(const naive_layer* layer, const int8_t* input, int8_t* output) {
  const int pixels = layer->input.height * layer->input.width;
  const int channels = layer->input.channels;
  int c, i;
  for (c = 0; c < channels; ++c) {
    int32_t acc = 0;
    for (i = 0; i < pixels; ++i) acc += input[i * channels + c] - layer->range.input_zero;
    output[c] = requantize(acc, layer->multiplier[0], &layer->range);
  }
}

void naive_add(const naive_layer* layer, const int32_t factors[2], int right_zero,
               const int8_t* left, const int8_t* right, int8_t* output) {
  const int count = layer->output.height * layer->output.width * layer->output.channels;
  int i;
  for (i = 0; i < count; ++i) {
    const int32_t acc =
        factors[0] * (left[i] - layer->range.input_zero) + factors[1] * (right[i] - right_zero);
    output[i] = requantize(acc, layer->multiplier[0], &layer->range);
  }
}
