/* SPDX-License-Identifier: MIT */
#ifndef BIGLITTLE_BENCH_WORKER_H
#define BIGLITTLE_BENCH_WORKER_H

/* How a program that holds one engine and one network talks to bench/device.mjs: it says "ready"
 * and a word about itself, then reads commands line by line and answers each with one line.
 *
 *   check    the outputs for every sample, separated by spaces
 *   run N    N inferences over the samples in turn; the nanoseconds of processor time they took
 *
 * The engine stays loaded between commands, so that rounds of several engines can alternate. */

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  void* state;
  long samples;
  long outputs;
  /* Computes the outputs of one sample: as numbers that a double holds exactly. */
  void (*infer)(void* state, long sample);
  double (*output)(void* state, long index);
} bench_engine;

/* Serves commands until the input ends; the exit code of the program. */
int bench_serve(const bench_engine* engine, const char* about);

/* The whole content of a file, which is `size` bytes; ends the program with a message otherwise. */
void bench_read_file(const char* path, void* content, size_t size);

#ifdef __cplusplus
}
#endif

#endif
