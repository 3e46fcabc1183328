/* SPDX-License-Identifier: MIT */
#ifndef BL_RUNTIME_H
#define BL_RUNTIME_H

/* The kernels of an int8 network in C99: no allocation, no global state, nothing of the C library
 * but string.h. Activations lie in height, width, channel order (channels vary fastest). Every
 * kernel computes the same integers as the tool that exported the network, on every processor:
 *
 *   acc = bias + sum weight input                         int32
 *   out = clamp(round_half_even(float32(acc) * multiplier) + output_zero, low, high)
 *
 * with one IEEE float32 multiplication, rounded to nearest even. Where float32 arithmetic is not
 * done in hardware (see BL_SOFT_FLOAT) integers compute the same result bit by bit. */

#include <float.h>
#include <stdbool.h>
#include <stdint.h>

/* 1: requantize with integers only. Chosen by itself for cores without a single-precision unit and
 * for processors that evaluate float expressions in a wider type; define it as 0 or 1 to decide. */
#ifndef BL_SOFT_FLOAT
#if defined(__arm__) && (!defined(__ARM_FP) || (__ARM_FP & 4) == 0)
#define BL_SOFT_FLOAT 1
#elif defined(__riscv) && !defined(__riscv_flen)
#define BL_SOFT_FLOAT 1
#elif defined(__AVR__) || defined(__MSP430__)
#define BL_SOFT_FLOAT 1
#elif FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16
#define BL_SOFT_FLOAT 1
#else
#define BL_SOFT_FLOAT 0
#endif
#endif

/* How convolutions and linear layers are computed: the best form that the compiler's target has,
 * unless BL_FORM is defined as one of these. All give the same integers. */
#define BL_FORM_PORTABLE 0    /* C99 */
#define BL_FORM_DSP 1         /* Armv7E-M, Armv8-M with DSP: Cortex-M4, M7, M33 ... */
#define BL_FORM_AVX2 2        /* x86 */
#define BL_FORM_AVX_VNNI 3    /* x86, 256-bit dot products */
#define BL_FORM_AVX512_VNNI 4 /* x86, 512-bit dot products */
#define BL_FORM_NEON 5        /* AArch64 */
#define BL_FORM_NEON_DOT 6    /* AArch64 with dot products */

#ifndef BL_FORM
#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VBMI__)
#define BL_FORM BL_FORM_AVX512_VNNI
#elif defined(__AVXVNNI__)
#define BL_FORM BL_FORM_AVX_VNNI
#elif defined(__AVX2__)
#define BL_FORM BL_FORM_AVX2
#elif defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD) && !defined(__AARCH64EB__)
#define BL_FORM BL_FORM_NEON_DOT
#elif defined(__aarch64__) && defined(__ARM_NEON) && !defined(__AARCH64EB__)
#define BL_FORM BL_FORM_NEON
#elif defined(__ARM_FEATURE_DSP) && defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
#define BL_FORM BL_FORM_DSP
#else
#define BL_FORM BL_FORM_PORTABLE
#endif
#endif

/* Wide forms compute 16 output channels at once. They read weights packed for that, and maps that
 * carry their padding with them; the others read tight weights and tight maps. */
#define BL_WIDE (BL_FORM >= BL_FORM_AVX2)

/* An activation q of -128 ... 127 is held as q + BL_BYTE_OFFSET: as an unsigned byte, except where
 * the processor multiplies signed bytes by signed ones. Zero points and limits in the structs below
 * are those of q. */
#if BL_FORM == BL_FORM_NEON || BL_FORM == BL_FORM_NEON_DOT
#define BL_BYTE_OFFSET 0
typedef int8_t bl_byte;
#else
#define BL_BYTE_OFFSET 128
typedef uint8_t bl_byte;
#endif

/* A bias with the zero point of the input folded in: padding is stored as that zero point, and acc
 * = bias + sum weight (q - zero) = folded + sum weight stored. */
#define BL_FOLDED_BIAS(bias, zero, weight_sum) ((bias) - ((zero) + BL_BYTE_OFFSET) * (weight_sum))

/* Bytes that wide kernels may read behind the last map of an arena. */
#define BL_SLACK_BYTES (BL_WIDE ? 64 : 0)

/* Packed weights begin where a whole vector can be loaded at once. */
#if defined(_MSC_VER) && !defined(__clang__)
#define BL_ALIGN64 __declspec(align(64))
#else
#define BL_ALIGN64 __attribute__((aligned(64)))
#endif

/* Code generated for one form does not link with a runtime compiled for another. */
#define BL_JOIN_NAMES(name, form) name##_##form
#define BL_JOIN(name, form) BL_JOIN_NAMES(name, form)
#define bl_conv2d BL_JOIN(bl_conv2d, BL_FORM)
#define bl_depthwise2d BL_JOIN(bl_depthwise2d, BL_FORM)
#define bl_linear BL_JOIN(bl_linear, BL_FORM)
#define bl_linear_accumulators BL_JOIN(bl_linear_accumulators, BL_FORM)

#ifdef __cplusplus
extern "C" {
#endif

/* A threshold that no score reaches, and the score of a tie, which is below every threshold.
 * Between them lie all other scores and thresholds. */
#define BL_ALWAYS_ESCALATE INT64_C(9007199254740991)
#define BL_TIE_SCORE (-BL_ALWAYS_ESCALATE)

/* What the device decides for one input. */
typedef struct {
  int32_t class_index;         /* class of the largest accumulator, the lowest index on a tie */
  int32_t margin;              /* largest minus second largest accumulator, >= 0 */
  int64_t score;               /* how sure the network is: compared with the class's threshold */
  bool escalate;               /* true: ask the big network; false: class_index is the answer */
  const int32_t* accumulators; /* one a class, inside the arena: valid until its next use */
} bl_result;

/* score = margin_weight (top - second) + other_weight (top - other) + offsets[answer], where top
 * and second are the largest accumulators and other is that of the class `other`. Of an answer
 * `other` itself top - second stands for top - other; where no class is `other`, that term is 0. A
 * tie (top = second) has BL_TIE_SCORE. Accumulators are within (-2^30, 2^30), weights within 2^18,
 * offsets within 2^50: nothing overflows. */
typedef struct {
  int32_t classes; /* at least 2 */
  int32_t other;   /* index of the class `other`; -1: there is none */
  int32_t margin_weight;
  int32_t other_weight;
  const int64_t* offsets; /* [classes] */
} bl_score_rule;

/* Rows lie `row` bytes apart: width * channels, or more where a map carries its padding. Pointers
 * to a map point at its first pixel; padding lies before, between and behind the rows. */
typedef struct {
  int32_t height;
  int32_t width;
  int32_t channels;
  int32_t row;
} bl_map;

/* A sliding window; only the padding before the image matters to a kernel, since what follows is
 * given by the size of the output. */
typedef struct {
  int32_t kernel_height;
  int32_t kernel_width;
  int32_t stride_height;
  int32_t stride_width;
  int32_t pad_top;
  int32_t pad_left;
} bl_window;

/* Zero points and the range of the result; low and high carry a relu or relu6. */
typedef struct {
  int32_t input_zero;
  int32_t output_zero;
  int32_t low;
  int32_t high;
} bl_range;

/* bias: folded (BL_FOLDED_BIAS). Tight weights: [out][kernel_height][kernel_width][in / groups],
 * for bl_depthwise2d (groups = in = out) [kernel_height][kernel_width][channel]; bias and
 * multiplier [out].
 *
 * Packed weights (BL_WIDE), aligned to 64 bytes, zero where there is nothing: for bl_conv2d (one
 * group) [ceil(out / 16)][kernel_height][steps][16][4], where a row of the kernel is one run of
 * kernel_width * in values cut into `steps` of 4; for bl_depthwise2d
 * [blocks][kernel_height][ceil(kernel_width / 4)][16][4] with four neighbouring taps of a channel
 * in the last dimension. bias and multiplier have 16 a block, zero where there is nothing; aligned
 * to 64 bytes. In bl_depthwise2d lane l of block b is channel 16 b + l; where 16 is a multiple of
 * the channels, there is one block and lane l is channel l % channels, so that one block computes
 * several pixels. */
typedef struct {
  bl_map input;
  bl_map output;
  bl_window window;
  int32_t groups;
  bl_range range;
  const int8_t* weight;
  const int32_t* bias;
  const float* multiplier;
} bl_conv2d_layer;

/* Tight weights: [outputs][inputs], inputs in the order in which they lie in memory. Packed:
 * [ceil(outputs / 16)][ceil(inputs / 4)][16][4]; bias and multiplier 16 a block. */
typedef struct {
  int32_t inputs;
  int32_t outputs;
  bl_range range;
  const int8_t* weight;
  const int32_t* bias;
  const float* multiplier; /* not read by bl_linear_accumulators */
} bl_linear_layer;

/* Average over windows; bl_global_avg_pool takes the whole map and does not read the window. */
typedef struct {
  bl_map input;
  bl_map output;
  bl_window window;
  bl_range range;
  float multiplier;
} bl_pool_layer;

/* acc = left_factor (left - input_zero) + right_factor (right - right_zero), with factors of
 * 0 ... 2^14. */
typedef struct {
  bl_map left;
  bl_map right;
  bl_map output;
  int32_t left_factor;
  int32_t right_factor;
  int32_t right_zero;
  bl_range range;
  float multiplier;
} bl_add_layer;

/* Raw bytes, q = byte - 128; `map` is that of the output. */
void bl_input_u8(const bl_map* map, const uint8_t* input, bl_byte* output);

/* Raw floats: q = clamp(round_half_even((x - offset) / step) + zero); NaN becomes -128. */
void bl_input_f32(const bl_map* map, const float* input, float offset, float step, int32_t zero,
                  bl_byte* output);

/* Bytes of scratch memory that bl_conv2d needs for one group of `depth` input channels, where not
 * BL_WIDE: four windows of bytes or two of 16-bit values, rounded up to whole words. */
#define BL_CONV_SCRATCH(kernel_height, kernel_width, depth) \
  (((kernel_height) * (kernel_width) * (depth) + 3) / 4 * 16)

/* Input and output of these must not overlap. `scratch` is aligned to 4 bytes; wide forms do not
 * read it. */
void bl_conv2d(const bl_conv2d_layer* layer, const bl_byte* input, bl_byte* output,
               int32_t* scratch);
void bl_depthwise2d(const bl_conv2d_layer* layer, const bl_byte* input, bl_byte* output);
/* Several groups that are not single channels; tight weights in every form. */
void bl_grouped2d(const bl_conv2d_layer* layer, const bl_byte* input, bl_byte* output);
void bl_linear(const bl_linear_layer* layer, const bl_byte* input, bl_byte* output);
void bl_linear_accumulators(const bl_linear_layer* layer, const bl_byte* input, int32_t* output);
void bl_max_pool(const bl_pool_layer* layer, const bl_byte* input, bl_byte* output);
void bl_avg_pool(const bl_pool_layer* layer, const bl_byte* input, bl_byte* output);
void bl_global_avg_pool(const bl_pool_layer* layer, const bl_byte* input, bl_byte* output);
/* Height, width, channel order to channel, height, width order, without gaps. */
void bl_flatten(const bl_map* map, const bl_byte* input, bl_byte* output);

/* The output of these may be one of the inputs. */
void bl_add(const bl_add_layer* layer, const bl_byte* left, const bl_byte* right, bl_byte* output);
void bl_clamp(const bl_map* input_map, const bl_map* output_map, int32_t low, int32_t high,
              const bl_byte* input, bl_byte* output);

/* Writes `zero` (a zero point) to the padding of a map that carries `top`, `bottom` rows and
 * `left`, `right` pixels of it. */
void bl_fill_padding(const bl_map* map, int32_t top, int32_t left, int32_t bottom, int32_t right,
                     int32_t zero, bl_byte* output);

/* The answer stays on the device when its score reaches the threshold of its class. Only that one
 * threshold is read, once. */
bl_result bl_decide(const bl_score_rule* rule, const int32_t* accumulators,
                    const volatile int64_t* thresholds);

/* The same for the rule whose score is the margin itself (weights 1 and 0, offsets 0), without a
 * multiplication. */
bl_result bl_decide_margin(int32_t classes, const int32_t* accumulators,
                           const volatile int64_t* thresholds);

/* True for the share limit / 2^32 of all numbers n, spread without a pattern: whether the n-th
 * local answer is sent up nevertheless, so that somebody can watch how often big disagrees. */
bool bl_audit(uint32_t n, uint32_t limit);

/* clamp(round_half_even(float32(acc) * multiplier) + zero, low, high) for a finite multiplier >= 0
 * and -128 <= zero, low, high <= 127, by integers alone. */
int32_t bl_requantize_integer(int32_t acc, float multiplier, int32_t zero, int32_t low,
                              int32_t high);
#if !BL_SOFT_FLOAT
/* The same integers by float32 arithmetic. */
int32_t bl_requantize_float(int32_t acc, float multiplier, int32_t zero, int32_t low, int32_t high);
#endif

#ifdef __cplusplus
}
#endif

#endif
