// SPDX-License-Identifier: MIT
#include "bundle/c_templates.h"

namespace biglittle {

std::string_view model_header_template() {
  return R"(#ifndef BL_MODEL_H
#define BL_MODEL_H

/* An int8 network and its escalation rule, generated: export again instead of editing.
 *
 * Input: @HEIGHT@ rows of @WIDTH@ pixels of @CHANNELS@ channel(s), @UNIT@, in the order in which a
 * camera delivers them: row by row, pixel by pixel, the channels of one pixel side by side (HWC):
 *
 *   input[(row * BL_MODEL_WIDTH + column) * BL_MODEL_CHANNELS + channel]
 *
 * Values are raw; normalization is part of the network. */

#include "bl_runtime.h"

#define BL_MODEL_HEIGHT @HEIGHT@
#define BL_MODEL_WIDTH @WIDTH@
#define BL_MODEL_CHANNELS @CHANNELS@
#define BL_MODEL_INPUT_COUNT @INPUT_COUNT@
#define BL_MODEL_CLASSES @CLASSES@
/* Classes 0 .. BL_MODEL_PRIORITIES - 1 are the priority classes; one behind them is `other`. */
#define BL_MODEL_PRIORITIES @PRIORITIES@
/* For bl_audit: the share of local answers to send up as well, times 2^32. */
#define BL_MODEL_AUDIT_LIMIT UINT32_C(@AUDIT_LIMIT@)
/* Memory for activations, and weights, biases and multipliers in flash, for the form of the kernels
 * that is compiled (BL_FORM in bl_runtime.h). */
#if BL_WIDE
#define BL_MODEL_ARENA_BYTES @WIDE_ARENA_BYTES@
#define BL_MODEL_CONSTANT_BYTES @WIDE_CONSTANT_BYTES@
#else
#define BL_MODEL_ARENA_BYTES @ARENA_BYTES@
#define BL_MODEL_CONSTANT_BYTES @CONSTANT_BYTES@
#endif
/* SHA-256 of the int8 network: the identity that the policy's certificate names. */
#define BL_MODEL_DIGEST "@DIGEST@"

#ifdef __cplusplus
extern "C" {
#endif

typedef @INPUT_TYPE@ bl_model_input;

/* The smallest score of each class that is answered on the device; see bl_model.c. */
extern const int64_t bl_model_thresholds[BL_MODEL_CLASSES];

extern const char* const bl_model_class_names[BL_MODEL_CLASSES];

/* One input to one decision, in the arena inside bl_model.c: not for two threads at once. */
bl_result bl_model_run(const bl_model_input* input);

/* The same in memory of the caller, BL_MODEL_ARENA_BYTES / 4 words, without any shared state. The
 * result's accumulators lie in that arena. Forms need different memory, so a caller compiled for
 * another one does not link. */
#define bl_model_run_with BL_JOIN(bl_model_run_with, BL_FORM)
bl_result bl_model_run_with(int32_t* arena, const bl_model_input* input);

/* Runs the vectors of bl_selftest.c: 0 when all give the expected integers, otherwise the number
 * of the first that does not, counted from 1. */
int bl_selftest(void);

#ifdef __cplusplus
}
#endif

#endif
)";
}

std::string_view model_source_template() {
  return R"(/* Generated: export again instead of editing. */
#include "bl_model.h"

/* ---- the escalation thresholds -------------------------------------------------------------
 * One a class, in the order of bl_model_class_names: the device answers when the score reaches the
 * threshold of the class it names; everything else goes up. A larger value escalates more,
 * BL_ALWAYS_ESCALATE everything. They are read from memory at every call, so they may be patched
 * here or in the flash image, to any value above BL_TIE_SCORE; the certificate holds for the
 * exported values only. */
const int64_t bl_model_thresholds[BL_MODEL_CLASSES] = {
@THRESHOLDS@};
/* -------------------------------------------------------------------------------------------- */

const char* const bl_model_class_names[BL_MODEL_CLASSES] = {
@CLASS_NAMES@};

/* The same layers for both orders in which kernels read (BL_WIDE in bl_runtime.h). */
#if BL_WIDE

@WIDE_DATA@#else

@DATA@#endif

@RULE@bl_result bl_model_run_with(int32_t* arena, const bl_model_input* input) {
#if BL_WIDE
@WIDE_CALLS@#else
@CALLS@#endif
  return @DECIDE@;
}

bl_result bl_model_run(const bl_model_input* input) {
  static int32_t arena[BL_MODEL_ARENA_BYTES / 4];
  return bl_model_run_with(arena, input);
}
)";
}

std::string_view selftest_template() {
  return R"(/* Generated: inputs and the integers they must give. Leave this file out of a product that
 * does not test itself. */
#include "bl_model.h"

#define BL_SELFTEST_COUNT @COUNT@

static const bl_model_input bl_selftest_inputs[BL_SELFTEST_COUNT * BL_MODEL_INPUT_COUNT] = {
@INPUTS@};

static const int32_t bl_selftest_accumulators[BL_SELFTEST_COUNT * BL_MODEL_CLASSES] = {
@ACCUMULATORS@};

static const int32_t bl_selftest_classes[BL_SELFTEST_COUNT] = {
@EXPECTED_CLASSES@};

static const int64_t bl_selftest_scores[BL_SELFTEST_COUNT] = {
@SCORES@};

static int bl_selftest_passes(int32_t vector) {
  const bl_result result = bl_model_run(bl_selftest_inputs + vector * BL_MODEL_INPUT_COUNT);
  const int32_t* const expected = bl_selftest_accumulators + vector * BL_MODEL_CLASSES;
  const int32_t answer = bl_selftest_classes[vector];
  const bool answered = bl_selftest_scores[vector] >= bl_model_thresholds[answer];
  int32_t i;
  for (i = 0; i < BL_MODEL_CLASSES; ++i) {
    if (result.accumulators[i] != expected[i]) return 0;
  }
  return result.class_index == answer && result.score == bl_selftest_scores[vector] &&
         result.escalate == !answered;
}

int bl_selftest(void) {
  int32_t vector;
  for (vector = 0; vector < BL_SELFTEST_COUNT; ++vector) {
    if (!bl_selftest_passes(vector)) return (int)(vector + 1);
  }
  return 0;
}

#ifdef BL_SELFTEST_MAIN
#include <stdio.h>

int main(void) {
  const int failed = bl_selftest();
  if (failed != 0) {
    printf("bl_selftest: vector %d of %d differs\n", failed, BL_SELFTEST_COUNT);
    return 1;
  }
  printf("bl_selftest: %d vectors passed\n", BL_SELFTEST_COUNT);
  return 0;
}
#endif
)";
}

}  // namespace biglittle
