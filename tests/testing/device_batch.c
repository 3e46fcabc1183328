/* SPDX-License-Identifier: MIT */
/* Reads raw samples (bl_model_input, height, width, channel order) from stdin and writes, for each,
 * class, margin, escalate, the score (int64) and the accumulators to stdout, int32 but the score. Every sample is run twice, in the
 * static arena and in one full of garbage; a difference ends the program with code 2. */
#include <stdio.h>
#include <string.h>

#include "bl_model.h"

static bl_model_input sample[BL_MODEL_INPUT_COUNT];
static int32_t arena[BL_MODEL_ARENA_BYTES / 4];

int main(void) {
  while (fread(sample, sizeof sample[0], BL_MODEL_INPUT_COUNT, stdin) == BL_MODEL_INPUT_COUNT) {
    const bl_result shared = bl_model_run(sample);
    bl_result own;
    int32_t head[3];
    memset(arena, 0x55, sizeof arena);
    own = bl_model_run_with(arena, sample);
    if (own.class_index != shared.class_index || own.margin != shared.margin ||
        own.score != shared.score || own.escalate != shared.escalate ||
        memcmp(own.accumulators, shared.accumulators, BL_MODEL_CLASSES * sizeof(int32_t)) != 0) {
      return 2;
    }
    head[0] = own.class_index;
    head[1] = own.margin;
    head[2] = own.escalate ? 1 : 0;
    if (fwrite(head, sizeof head[0], 3, stdout) != 3 ||
        fwrite(&own.score, sizeof own.score, 1, stdout) != 1 ||
        fwrite(own.accumulators, sizeof(int32_t), BL_MODEL_CLASSES, stdout) != BL_MODEL_CLASSES) {
      return 3;
    }
  }
  return 0;
}
