/* SPDX-License-Identifier: MIT */
/* The generated code of one network as a worker. usage: device_worker SAMPLES COUNT
 * With COUNT 0 (the file then holds one sample) it answers the first sample and ends: what a cold
 * process costs. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/worker.h"
#include "bl_model.h"

typedef struct {
  bl_model_input* samples;
  bl_result result;
} device;

static void infer(void* state, long sample) {
  device* const self = state;
  self->result = bl_model_run(self->samples + sample * BL_MODEL_INPUT_COUNT);
}

static double output(void* state, long index) {
  return ((const device*)state)->result.accumulators[index];
}

static const char* form_name(void) {
  static const char* const names[] = {"portable",    "dsp",  "avx2",    "avx-vnni",
                                      "avx512-vnni", "neon", "neon-dot"};
  return names[BL_FORM];
}

int main(int argc, char** argv) {
  const long count = argc == 3 ? strtol(argv[2], NULL, 10) : -1;
  const size_t kept = (size_t)(count > 0 ? count : 1) * BL_MODEL_INPUT_COUNT;
  device self;
  bench_engine engine = {NULL, count, BL_MODEL_CLASSES, infer, output};
  if (count < 0) {
    fprintf(stderr, "usage: device_worker SAMPLES COUNT\n");
    return 64;
  }
  self.samples = malloc(kept * sizeof(bl_model_input));
  if (self.samples == NULL) return 71;
  bench_read_file(argv[1], self.samples, kept * sizeof(bl_model_input));
  engine.state = &self;
  if (count == 0) {
    infer(&self, 0);
    printf("%d\n", (int)self.result.accumulators[0]);
    return 0;
  }
  return bench_serve(&engine, form_name());
}
