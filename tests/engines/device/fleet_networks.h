/* SPDX-License-Identifier: MIT */
#ifndef FLEET_NETWORKS_H
#define FLEET_NETWORKS_H

/* Several generated networks in one program, as rows of one table. fleet.h is written beside the
 * networks: their headers and FLEET(X), which is X(prefix, PREFIX) for each. */

#include <stddef.h>
#include <string.h>

#include "fleet.h"

typedef struct {
  /* In the static arena when `arena` is null. */
  bl_result (*run)(int32_t* arena, const void* input);
  size_t input_bytes;
  size_t arena_bytes;
  size_t classes;
} fleet_network;

#define FLEET_RUN(name, NAME)                                                 \
  static bl_result fleet_##name(int32_t* arena, const void* bytes) {          \
    const name##_input* const input = (const name##_input*)bytes;             \
    return arena != NULL ? name##_run_with(arena, input) : name##_run(input); \
  }
FLEET(FLEET_RUN)

#define FLEET_ROW(name, NAME) \
  {fleet_##name, NAME##_INPUT_COUNT * sizeof(name##_input), NAME##_ARENA_BYTES, NAME##_CLASSES},
static const fleet_network fleet_networks[] = {FLEET(FLEET_ROW)};

/* What is written of an answer before its accumulators. */
typedef struct {
  int32_t class_index;
  int32_t margin;
  int32_t escalate;
  int32_t score_halves[2]; /* the int64_t, without padding before it */
} fleet_answer;

static inline fleet_answer fleet_answer_of(const bl_result* result) {
  fleet_answer answer;
  answer.class_index = result->class_index;
  answer.margin = result->margin;
  answer.escalate = result->escalate ? 1 : 0;
  memcpy(answer.score_halves, &result->score, sizeof answer.score_halves);
  return answer;
}

#define FLEET_SIZE (sizeof fleet_networks / sizeof fleet_networks[0])

#endif
