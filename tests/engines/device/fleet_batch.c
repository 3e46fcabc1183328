/* SPDX-License-Identifier: MIT */
/* fleet_batch COUNT: reads COUNT raw samples (height, width, channel order) of each network from
 * stdin, network after network, and writes, for each, class, margin, escalate, the score (int64)
 * and the accumulators to stdout, int32 but the score. Every sample is run in memory of exactly the
 * declared size, full of garbage; the first few also in the static arena. Exit code 2: the two
 * differ; 3: a sample was written to; 4: no memory, or input or output failed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet_networks.h"

#define IN_BOTH_ARENAS 4

static int same(const bl_result* a, const bl_result* b, size_t classes) {
  return a->class_index == b->class_index && a->margin == b->margin && a->score == b->score &&
         a->escalate == b->escalate &&
         memcmp(a->accumulators, b->accumulators, classes * sizeof(int32_t)) == 0;
}

static int put(const bl_result* result, size_t classes) {
  const fleet_answer answer = fleet_answer_of(result);
  return fwrite(&answer, sizeof answer, 1, stdout) == 1 &&
         fwrite(result->accumulators, sizeof(int32_t), classes, stdout) == classes;
}

static int run_sample(const fleet_network* network, long number, int32_t* arena, void* sample,
                      void* copy) {
  bl_result result;
  if (fread(sample, 1, network->input_bytes, stdin) != network->input_bytes) return 4;
  memcpy(copy, sample, network->input_bytes);
  memset(arena, 0x55, network->arena_bytes);
  result = network->run(arena, sample);
  if (number < IN_BOTH_ARENAS) {
    const bl_result shared = network->run(NULL, sample);
    if (!same(&result, &shared, network->classes)) return 2;
  }
  if (memcmp(copy, sample, network->input_bytes) != 0) return 3;
  return put(&result, network->classes) ? 0 : 4;
}

static int run_network(const fleet_network* network, long count) {
  int32_t* const arena = (int32_t*)malloc(network->arena_bytes);
  void* const sample = malloc(network->input_bytes);
  void* const copy = malloc(network->input_bytes);
  int code = arena != NULL && sample != NULL && copy != NULL ? 0 : 4;
  long number;
  for (number = 0; number < count && code == 0; ++number) {
    code = run_sample(network, number, arena, sample, copy);
  }
  free(copy);
  free(sample);
  free(arena);
  return code;
}

int main(int argc, char** argv) {
  const long count = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
  int code = 0;
  size_t i;
  for (i = 0; i < FLEET_SIZE && code == 0; ++i) code = run_network(&fleet_networks[i], count);
  return code;
}
