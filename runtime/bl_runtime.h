/* SPDX-License-Identifier: MIT */
#ifndef BL_RUNTIME_H
#define BL_RUNTIME_H

/* The kernels of an int8 network in portable C99: no allocation, no global state, nothing of the C
 * library but string.h. Activations are int8 in height, width, channel order (channels vary
 * fastest). Every kernel computes the same integers as the tool that exported the network:
 *
 *   acc = bias + sum weight (input - input_zero)          int32, padding adds nothing
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

typedef struct {
  int32_t height;
  int32_t width;
  int32_t channels;
} bl_shape;

/* A sliding window; only the padding before the image matters to a kernel, since what follows is
 * given by the shape of the output. */
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

/* weight: [out][kernel_height][kernel_width][in / groups]; for bl_depthwise2d (groups = in = out)
 * [kernel_height][kernel_width][channel]. bias and multiplier: [out]. */
typedef struct {
  bl_shape input;
  bl_shape output;
  bl_window window;
  int32_t groups;
  bl_range range;
  const int8_t* weight;
  const int32_t* bias;
  const float* multiplier;
} bl_conv2d_layer;

/* weight: [outputs][inputs], inputs in the order in which they lie in memory. */
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
  bl_shape input;
  bl_shape output;
  bl_window window;
  bl_range range;
  float multiplier;
} bl_pool_layer;

/* acc = left_factor (left - input_zero) + right_factor (right - right_zero). */
typedef struct {
  int32_t count;
  int32_t left_factor;
  int32_t right_factor;
  int32_t right_zero;
  bl_range range;
  float multiplier;
} bl_add_layer;

/* Raw bytes to int8: byte - 128. */
void bl_input_u8(int32_t count, const uint8_t* input, int8_t* output);

/* Raw floats to int8: clamp(round_half_even((x - offset) / step) + zero); NaN becomes -128. */
void bl_input_f32(int32_t count, const float* input, float offset, float step, int32_t zero,
                  int8_t* output);

/* Input and output of these must not overlap. */
void bl_conv2d(const bl_conv2d_layer* layer, const int8_t* input, int8_t* output);
void bl_depthwise2d(const bl_conv2d_layer* layer, const int8_t* input, int8_t* output);
void bl_linear(const bl_linear_layer* layer, const int8_t* input, int8_t* output);
void bl_linear_accumulators(const bl_linear_layer* layer, const int8_t* input, int32_t* output);
void bl_max_pool(const bl_pool_layer* layer, const int8_t* input, int8_t* output);
void bl_avg_pool(const bl_pool_layer* layer, const int8_t* input, int8_t* output);
void bl_global_avg_pool(const bl_pool_layer* layer, const int8_t* input, int8_t* output);
/* Height, width, channel order to channel, height, width order. */
void bl_flatten(bl_shape shape, const int8_t* input, int8_t* output);

/* The output of these may be one of the inputs. */
void bl_add(const bl_add_layer* layer, const int8_t* left, const int8_t* right, int8_t* output);
void bl_clamp(int32_t count, int32_t low, int32_t high, const int8_t* input, int8_t* output);

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
