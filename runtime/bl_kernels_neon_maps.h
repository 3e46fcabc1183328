/* SPDX-License-Identifier: MIT */
#ifndef BL_KERNELS_NEON_MAPS_H
#define BL_KERNELS_NEON_MAPS_H

/* Part of bl_kernels_neon.h: sums of two maps and the windows of pools, which compilers turn into
 * vectors badly. bl_runtime.c leaves its own out. */
#define BL_HAS_ADD
#define BL_HAS_POOL_WINDOWS

/* One multiplier for all lanes. */
BL_INLINE bl_scaling bl_same_scaling(const bl_range* range, float multiplier) {
  const float same[16] = {multiplier, multiplier, multiplier, multiplier, multiplier, multiplier,
                          multiplier, multiplier, multiplier, multiplier, multiplier, multiplier,
                          multiplier, multiplier, multiplier, multiplier};
  return bl_scaling_of(range, same);
}

BL_INLINE bl_sums bl_same_sums(int32_t value) {
  bl_sums sums;
  sums.a = sums.b = sums.c = sums.d = vdupq_n_s32(value);
  return sums;
}

/* ---- add ---- */

/* Adds 16 bytes times a factor, which is at most 2^14. */
BL_INLINE bl_sums bl_add_multiple(bl_sums sums, const bl_byte* input, int16_t factor) {
  const int8x16_t x = vld1q_s8(input);
  const int16x8_t low = vmovl_s8(vget_low_s8(x)), high = vmovl_high_s8(x);
  sums.a = vmlal_n_s16(sums.a, vget_low_s16(low), factor);
  sums.b = vmlal_high_n_s16(sums.b, low, factor);
  sums.c = vmlal_n_s16(sums.c, vget_low_s16(high), factor);
  sums.d = vmlal_high_n_s16(sums.d, high, factor);
  return sums;
}

void bl_add(const bl_add_layer* layer, const bl_byte* left, const bl_byte* right, bl_byte* output) {
  const bl_scaling scaling = bl_same_scaling(&layer->range, layer->multiplier);
  const bl_sums zeros = bl_same_sums(-layer->left_factor * layer->range.input_zero -
                                     layer->right_factor * layer->right_zero);
  const int32_t count = layer->output.width * layer->output.channels;
  for (int32_t y = 0; y < layer->output.height; ++y) {
    for (int32_t i = 0; i < count; i += 16) {
      bl_sums sums = bl_add_multiple(zeros, left + i, (int16_t)layer->left_factor);
      sums = bl_add_multiple(sums, right + i, (int16_t)layer->right_factor);
      bl_store(output + i, bl_narrow(sums, &scaling), count - i);
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
    int8x16_t largest = vdupq_n_s8(-128);
    for (int32_t ky = rows.begin; ky < rows.end; ++ky, row += layer->input.row) {
      const bl_byte* x = row;
      for (int32_t kx = columns.begin; kx < columns.end; ++kx, x += channels) {
        largest = vmaxq_s8(largest, vld1q_s8(x));
      }
    }
    bl_store(output + first, largest, channels - first);
  }
}

/* The means of all channels inside a window. */
static void bl_average(const bl_pool_layer* layer, const bl_limits* unused, const bl_byte* input,
                       bl_span rows, bl_span columns, bl_byte* output) {
  const bl_scaling scaling = bl_same_scaling(&layer->range, layer->multiplier);
  const int32_t channels = layer->input.channels;
  const int32_t pixels = (rows.end - rows.begin) * (columns.end - columns.begin);
  const bl_byte* begin = input + (rows.start + rows.begin) * layer->input.row +
                         (columns.start + columns.begin) * channels;
  (void)unused;
  for (int32_t first = 0; first < channels; first += 16) {
    const bl_byte* row = begin + first;
    bl_sums sums = bl_same_sums(-pixels * layer->range.input_zero);
    for (int32_t ky = rows.begin; ky < rows.end; ++ky, row += layer->input.row) {
      const bl_byte* x = row;
      for (int32_t kx = columns.begin; kx < columns.end; ++kx, x += channels) {
        const int8x16_t bytes = vld1q_s8(x);
        const int16x8_t low = vmovl_s8(vget_low_s8(bytes)), high = vmovl_high_s8(bytes);
        sums.a = vaddw_s16(sums.a, vget_low_s16(low));
        sums.b = vaddw_high_s16(sums.b, low);
        sums.c = vaddw_s16(sums.c, vget_low_s16(high));
        sums.d = vaddw_high_s16(sums.d, high);
      }
    }
    bl_store(output + first, bl_narrow(sums, &scaling), channels - first);
  }
}

#endif
