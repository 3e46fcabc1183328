/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include "bench/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long long processor_time(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void answer_check(const bench_engine* engine) {
  long sample, i;
  for (sample = 0; sample < engine->samples; ++sample) {
    engine->infer(engine->state, sample);
    for (i = 0; i < engine->outputs; ++i) printf("%.9g ", engine->output(engine->state, i));
  }
  printf("\n");
}

static void answer_run(const bench_engine* engine, long count) {
  const long long start = processor_time();
  long i;
  for (i = 0; i < count; ++i) engine->infer(engine->state, i % engine->samples);
  printf("%lld\n", processor_time() - start);
}

int bench_serve(const bench_engine* engine, const char* about) {
  char line[64];
  printf("ready %s\n", about);
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (strcmp(line, "check\n") == 0) {
      answer_check(engine);
    } else if (strncmp(line, "run ", 4) == 0) {
      answer_run(engine, strtol(line + 4, NULL, 10));
    } else {
      fprintf(stderr, "unknown command %s", line);
      return 64;
    }
    fflush(stdout);
  }
  return 0;
}

void bench_read_file(const char* path, void* content, size_t size) {
  FILE* const file = fopen(path, "rb");
  if (file == NULL || fread(content, 1, size, file) != size || fgetc(file) != EOF) {
    fprintf(stderr, "%s: expected a file of %lu bytes\n", path, (unsigned long)size);
    exit(66);
  }
  fclose(file);
}
