/* SPDX-License-Identifier: MIT */
#ifndef BL_KERNELS_COMMON_H
#define BL_KERNELS_COMMON_H

/* What bl_runtime.c and the kernels of every form share: requantization and the place of a window.
 * Included by bl_runtime.c only. */

#include <string.h>

#include "bl_runtime.h"

#ifdef __cplusplus
#define BL_RESTRICT __restrict
#else
#define BL_RESTRICT restrict
#endif

#if defined(__GNUC__)
#define BL_INLINE static inline __attribute__((always_inline))
#define BL_NOINLINE static __attribute__((noinline))
#define BL_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#else
#define BL_INLINE static inline
#define BL_NOINLINE static
#define BL_UNLIKELY(condition) (condition)
#endif

/* Cores that compute one number at a time. What lets compilers use vectors elsewhere, loops of a
 * constant length and more sums at once than these have registers, would only cost them flash. */
#if (defined(__arm__) && !defined(__ARM_NEON)) ||                                                \
    (defined(__riscv) && !defined(__riscv_vector)) || defined(__AVR__) || defined(__MSP430__) || \
    defined(__XTENSA__)
#define BL_SCALAR_CORE 1
#else
#define BL_SCALAR_CORE 0
#endif

/* ---- requantization by integers ---- */

/* value / 2^shift, ties to even; 0 <= shift <= 63. */
static uint64_t bl_round_shift(uint64_t value, int32_t shift) {
  if (shift == 0) return value;
  return (value + ((UINT64_C(1) << (shift - 1)) - 1u) + ((value >> shift) & 1u)) >> shift;
}

static int32_t bl_bit_length(uint32_t value) {
  int32_t length = 0;
  while (value != 0) length += 1, value >>= 1;
  return length;
}

/* Rounds to the 24 significant bits of a float32 and counts the shift in the exponent. */
static uint32_t bl_round_significand(uint64_t value, int32_t* exponent) {
  const uint32_t above = (uint32_t)(value >> 24);
  if (above == 0) return (uint32_t)value;
  const int32_t shift = bl_bit_length(above);
  *exponent += shift;
  return (uint32_t)bl_round_shift(value, shift);
}

/* round_half_even(float32(acc) * multiplier), exactly as float arithmetic gives it, but no further
 * than 512 from 0: beyond that every sum with a zero point is outside int8. */
BL_NOINLINE int32_t bl_scale_exactly(int32_t acc, float multiplier) {
  const uint32_t saturated = 512;
  uint32_t bits;
  memcpy(&bits, &multiplier, sizeof bits);
  /* multiplier = significand 2^exponent; a biased exponent of 0 marks a subnormal number. */
  const int32_t biased = (int32_t)((bits >> 23) & 0xffu);
  const uint32_t significand = (bits & 0x7fffffu) | (biased ? 0x800000u : 0u);
  int32_t exponent = (biased ? biased : 1) - 150;

  const uint32_t magnitude = acc < 0 ? ~(uint32_t)acc + 1u : (uint32_t)acc;
  const uint32_t rounded_acc = bl_round_significand(magnitude, &exponent);
  const uint32_t product = bl_round_significand((uint64_t)rounded_acc * significand, &exponent);

  uint32_t rounded = 0;
  if (exponent >= 0) {
    if (product != 0)
      rounded = exponent > 9 || product > saturated ? saturated : product << exponent;
  } else if (exponent > -32) {
    rounded = (uint32_t)bl_round_shift(product, -exponent);
  }
  if (rounded > saturated) rounded = saturated;
  return acc < 0 ? -(int32_t)rounded : (int32_t)rounded;
}

/* The same in few instructions, not limited to 512. One exact product, floored at 32 fractional
 * bits, decides except next to a tie: the two roundings of float arithmetic (the accumulator and
 * the product, each to 24 bits) move a result below 512 by less than 2^-14, which is 2^18 in units
 * of the last fractional bit. */
BL_INLINE int32_t bl_scale(int32_t acc, float multiplier) {
  uint32_t bits;
  memcpy(&bits, &multiplier, sizeof bits);
  const int32_t shift = 125 - (int32_t)((bits >> 23) & 0xffu);
  /* Multipliers of at least 1/2, or of less than 2^-31. */
  if (BL_UNLIKELY(shift < 1 || shift > 31)) return bl_scale_exactly(acc, multiplier);
  const int32_t significand = (int32_t)((bits & 0x7fffffu) << 7 | 0x40000000u);
  const int64_t product = (int64_t)acc * significand;
  const int32_t high = (int32_t)(product >> 32);
  const uint32_t below = (uint32_t)high & (0xffffffffu >> (32 - shift));
  const uint32_t fraction = below << (32 - shift) | (uint32_t)product >> shift;
  if (BL_UNLIKELY(fraction > 0x7ffc0000u && fraction < 0x80040000u)) {
    return bl_scale_exactly(acc, multiplier);
  }
  return (high >> shift) + (int32_t)(fraction >> 31);
}

/* ---- requantization of a layer ---- */

/* Rounds half to even a number between -2^22 and 2^22: adding 1.5 2^23 leaves the whole number in
 * the low bits of the float. */
BL_INLINE int32_t bl_round_small(float value) {
  const float shifted = value + 12582912.0f;
  int32_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  return bits - 0x4b400000;
}

BL_INLINE int32_t bl_clamp_to(int32_t value, int32_t low, int32_t high) {
  value = value > low ? value : low;
  return value < high ? value : high;
}

/* The limits of a layer's result without its zero point, and what is added to store it. Clamping to
 * whole numbers before the zero point is added gives the same integers as after it. */
#if BL_SOFT_FLOAT || BL_FORM == BL_FORM_DSP
typedef struct {
  int32_t low;
  int32_t high;
  int32_t add;
} bl_limits;

/* round_half_even(float32(acc) * multiplier), where it is far from 0 perhaps only nearly. */
BL_INLINE int32_t bl_scale_for_limits(int32_t acc, float multiplier) {
#if BL_SOFT_FLOAT
  return bl_scale(acc, multiplier);
#else
  /* One instruction rounds half to even and saturates; comparing floats takes many. */
  const float product = (float)acc * multiplier;
  float rounded; /* holds the bits of a whole number */
  int32_t value;
  __asm__("vcvtr.s32.f32 %0, %1" : "=t"(rounded) : "t"(product));
  memcpy(&value, &rounded, sizeof value);
  return value;
#endif
}

BL_INLINE bl_byte bl_to_byte(int32_t acc, float multiplier, const bl_limits* limits) {
  const int32_t value = bl_scale_for_limits(acc, multiplier);
  return (bl_byte)(bl_clamp_to(value, limits->low, limits->high) + limits->add);
}
#else
typedef struct {
  float low;
  float high;
  int32_t add;
} bl_limits;

/* Clamping before rounding keeps the number small enough to round, and stands between the product
 * and the sum, so that no compiler can contract the two into one fused operation. */
BL_INLINE bl_byte bl_to_byte(int32_t acc, float multiplier, const bl_limits* limits) {
  float value = (float)acc * multiplier;
  value = value > limits->low ? value : limits->low;
  value = value < limits->high ? value : limits->high;
  return (bl_byte)(bl_round_small(value) + limits->add);
}
#endif

BL_INLINE bl_limits bl_limits_of(const bl_range* range) {
  const int32_t low = range->low - range->output_zero;
  const int32_t high = range->high - range->output_zero;
#if BL_SOFT_FLOAT || BL_FORM == BL_FORM_DSP
  const bl_limits limits = {low, high, range->output_zero + BL_BYTE_OFFSET};
#else
  const bl_limits limits = {(float)low, (float)high, range->output_zero + BL_BYTE_OFFSET};
#endif
  return limits;
}

/* ---- windows ---- */

/* Where a window lies along one axis: its taps [begin, end) are inside the image, those before and
 * behind are padding; tap 0 is at `start`. */
typedef struct {
  int32_t start;
  int32_t begin;
  int32_t end;
} bl_span;

BL_INLINE bl_span bl_place(int32_t position, int32_t stride, int32_t pad, int32_t kernel,
                           int32_t size) {
  bl_span span;
  span.start = position * stride - pad;
  span.begin = span.start < 0 ? -span.start : 0;
  span.end = size - span.start < kernel ? size - span.start : kernel;
  if (BL_UNLIKELY(span.end <= span.begin)) span.begin = span.end = kernel;
  return span;
}

BL_INLINE bl_span bl_place_row(const bl_window* window, int32_t y, int32_t height) {
  return bl_place(y, window->stride_height, window->pad_top, window->kernel_height, height);
}

BL_INLINE bl_span bl_place_column(const bl_window* window, int32_t x, int32_t width) {
  return bl_place(x, window->stride_width, window->pad_left, window->kernel_width, width);
}

#endif
