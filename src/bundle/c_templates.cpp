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
/* Memory for activations, and weights, biases and multipliers in flash. */
#define BL_MODEL_ARENA_BYTES @ARENA_BYTES@
#define BL_MODEL_CONSTANT_BYTES @CONSTANT_BYTES@
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
 * result's accumulators lie in that arena. */
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

@DATA@@RULE@bl_result bl_model_run_with(int32_t* arena, const bl_model_input* input) {
  int8_t* const memory = (int8_t*)arena;
  int32_t* const accumulators = arena + @ACCUMULATOR_WORD@;
@CALLS@  return @DECIDE@;
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

std::string_view device_readme_template() {
  return R"(# The little network as C99

Integers only inside, no allocation, no C library beyond `string.h`. Generated: export again
instead of editing.

| what | bytes |
|---|---|
| weights, biases, multipliers (flash) | @CONSTANT_BYTES@ |
| arena for activations (RAM) | @ARENA_BYTES@ |

| file | content |
|---|---|
| `bl_model.h`, `bl_model.c` | this network: sizes, thresholds, class names, weights, the call |
| `bl_runtime.h`, `bl_runtime.c` | the kernels, the same for every network |
| `bl_selftest.c` | @COUNT@ inputs and the integers they must give; not needed in a product |

## Build

Either add `bl_model.c` and `bl_runtime.c` to a project, or `add_subdirectory` this folder and link
`bl_model`. To try it on this machine:

```
cc -std=c99 -O3 -ffp-contract=off -DBL_SELFTEST_MAIN bl_model.c bl_runtime.c bl_selftest.c -o selftest
./selftest
```

```
cmake -S . -B build && cmake --build build && ctest --test-dir build
```

Do not use `-ffast-math`. On cores without a single-precision unit the kernels round with integers
only, to the same results; `-DBL_SOFT_FLOAT=1` (or 0) overrides the choice. After a port, run
`bl_selftest()` on the device once: it returns 0.

## Call

```c
#include "bl_model.h"

bl_result result = bl_model_run(input);
if (result.escalate) {
  /* send the input to the big network */
} else {
  /* bl_model_class_names[result.class_index] is the answer@IF_OTHER@ */
}
```

`input` points to @INPUT_COUNT@ values of type `@INPUT_TYPE@`, raw, in height, width, channel order
(@HEIGHT@ x @WIDTH@ x @CHANNELS@): `input[(row * @WIDTH@ + column) * @CHANNELS@ + channel]`. Test
vectors and ONNX files of the bundle use channel, height, width order instead.

`bl_model_run` works in a static arena; `bl_model_run_with(arena, input)` takes
`int32_t arena[BL_MODEL_ARENA_BYTES / 4]` from the caller and shares nothing.

## Decision

`result.score` is an integer that says how sure the network is: @SCORE_TEXT@
`result.margin` is the largest minus the second largest of the int32 accumulators
(`result.accumulators`). The device answers when `score >= bl_model_thresholds[class_index]`, the
threshold of the class it names. A tie of the two largest accumulators has the score `BL_TIE_SCORE`,
which is below every threshold, so it always goes up; so does every answer of a class whose
threshold is `BL_ALWAYS_ESCALATE`.

@OTHER_TEXT@

The thresholds are one array near the top of `bl_model.c`, read at every call, so they may be
patched there or in the flash image. A larger one escalates more. Other values than the exported
ones are allowed but not covered by the certificate:

@CERTIFICATE@

## Audit

The certificate speaks about inputs like those it was made on. Whether the field still is like that
shows only where big is asked although the device has answered. `bl_audit(n, BL_MODEL_AUDIT_LIMIT)`
picks @AUDIT_PERCENT@ % of the local answers for it, by their running number alone:

```c
static uint32_t local_answers; /* keep it over restarts, or start it at random */

if (!result.escalate && bl_audit(local_answers++, BL_MODEL_AUDIT_LIMIT)) {
  /* use the answer, and send the input up as well */
}
```

Log each of them in order of time as a CSV line with the columns `little` (the device's answer),
`score` and `big` (big's answer): `biglittle audit BUNDLE --log FILE` tells when the two disagree
more often than they did on calibration.
)";
}

std::string_view device_cmake_template() {
  return R"(cmake_minimum_required(VERSION 3.13)
project(bl_model LANGUAGES C)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

add_library(bl_model STATIC bl_model.c bl_runtime.c)
target_include_directories(bl_model PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
set_target_properties(bl_model PROPERTIES C_STANDARD 99 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
if(NOT MSVC)
  # One rounding a product: a fused multiply-add would round differently.
  target_compile_options(bl_model PRIVATE -ffp-contract=off)
endif()

if(CMAKE_SOURCE_DIR STREQUAL CMAKE_CURRENT_SOURCE_DIR)
  enable_testing()
  add_executable(bl_selftest bl_selftest.c)
  set_target_properties(bl_selftest PROPERTIES C_STANDARD 99 C_STANDARD_REQUIRED ON
                                               C_EXTENSIONS OFF)
  target_compile_definitions(bl_selftest PRIVATE BL_SELFTEST_MAIN)
  target_link_libraries(bl_selftest PRIVATE bl_model)
  add_test(NAME bl_selftest COMMAND bl_selftest)
endif()
)";
}

}  // namespace biglittle
