/* SPDX-License-Identifier: MIT */
/* usage: training_peak THREADS
 * The most floating-point operations a core could do while all THREADS are at it: the processor's
 * best multiply instructions on registers alone. AMX bf16 where there is AMX, AVX-512's bf16 where
 * AMD made it, float32 FMA otherwise: what training computes in. A worker (worker.h) whose "run N" does N units on every
 * thread; its one output is the operations of a unit on one thread times THREADS, so that
 * operations / processor time is the peak of one core. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/worker.h"

#define MOST_THREADS 64
#define STEPS_A_UNIT 1000000L

typedef struct {
  const char* name;
  void (*multiply)(long steps);
  double operations_a_step;
} peak;

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TWELVE(STEP) \
  STEP(2)            \
  STEP(3) STEP(4) STEP(5) STEP(6) STEP(7) STEP(8) STEP(9) STEP(10) STEP(11) STEP(12) STEP(13)
#define FMA_256(sum) "vfmadd231ps %%ymm0, %%ymm1, %%ymm" #sum "\n\t"
#define FMA_512(sum) "vfmadd231ps %%zmm0, %%zmm1, %%zmm" #sum "\n\t"
#define DOT_512(sum) "vdpbf16ps %%zmm0, %%zmm1, %%zmm" #sum "\n\t"
#define CLOBBERED                                                                          \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", \
      "xmm11", "xmm12", "xmm13"

/* Zeros times zeros: values of any other kind could become infinite or denormal, and slow. */
static void fma_256(long steps) {
  __asm__ volatile("vzeroall" ::: CLOBBERED);
  for (; steps > 0; --steps) __asm__ volatile(TWELVE(FMA_256)::: CLOBBERED);
}

static void fma_512(long steps) {
  __asm__ volatile("vzeroall" ::: CLOBBERED);
  for (; steps > 0; --steps) __asm__ volatile(TWELVE(FMA_512)::: CLOBBERED);
}

static void dot_512(long steps) {
  __asm__ volatile("vzeroall" ::: CLOBBERED);
  for (; steps > 0; --steps) __asm__ volatile(TWELVE(DOT_512)::: CLOBBERED);
}

/* Four tiles of 16x16 sums, each step adding 16x32 times 32x16 to every one of them. */
__attribute__((target("amx-tile,amx-bf16"))) static void amx_bf16(long steps) {
  struct {
    unsigned char palette, start_row, reserved[14];
    unsigned short bytes_a_row[16];
    unsigned char rows[16];
  } config;
  int i;
  memset(&config, 0, sizeof config);
  config.palette = 1;
  for (i = 0; i < 8; ++i) {
    config.bytes_a_row[i] = 64;
    config.rows[i] = 16;
  }
  _tile_loadconfig(&config);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  _tile_zero(6);
  _tile_zero(7);
  for (; steps > 0; --steps) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_release();
}

/* Linux hands out the tile registers on request (arch_prctl(2), ARCH_REQ_XCOMP_PERM). */
static int may_use_amx(void) {
  unsigned a, b, c, d;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 22 & 1) && (d >> 24 & 1) &&
         syscall(SYS_arch_prctl, 0x1023, 18) == 0;
}

/* Intel's take as long as FMAs, and training without AMX computes in float32 there. */
static int has_fast_dots(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid(0, &a, &b, &c, &d) || b != signature_AMD_ebx) return 0;
  return __builtin_cpu_supports("avx512f") && __get_cpuid_count(7, 1, &a, &b, &c, &d) &&
         (a >> 5 & 1);
}

static peak best_peak(void) {
  const peak amx = {"amx-bf16", amx_bf16, 4 * 2.0 * 16 * 16 * 32};
  const peak dots = {"avx512-bf16", dot_512, 12 * 2.0 * 32};
  const peak wide = {"avx512-fp32", fma_512, 12 * 2.0 * 16};
  const peak narrow = {"avx2-fp32", fma_256, 12 * 2.0 * 8};
  const peak none = {"unknown", 0, 0};
  if (may_use_amx()) return amx;
  if (has_fast_dots()) return dots;
  if (__builtin_cpu_supports("avx512f")) return wide;
  return __builtin_cpu_supports("fma") ? narrow : none;
}
#else
static peak best_peak(void) {
  const peak none = {"unknown", 0, 0};
  return none;
}
#endif

typedef struct {
  peak best;
  int threads;
} peak_engine;

static void* work(void* state) {
  ((const peak_engine*)state)->best.multiply(STEPS_A_UNIT);
  return 0;
}

static void infer(void* state, long sample) {
  const peak_engine* const self = (const peak_engine*)state;
  pthread_t threads[MOST_THREADS];
  int i;
  (void)sample;
  if (self->best.multiply == 0) return;
  for (i = 0; i < self->threads; ++i) {
    if (pthread_create(&threads[i], 0, work, state) != 0) abort();
  }
  for (i = 0; i < self->threads; ++i) pthread_join(threads[i], 0);
}

static double output(void* state, long index) {
  const peak_engine* const self = (const peak_engine*)state;
  (void)index;
  return self->best.operations_a_step * STEPS_A_UNIT * self->threads;
}

int main(int argc, char** argv) {
  peak_engine self = {best_peak(), argc == 2 ? atoi(argv[1]) : 0};
  const bench_engine engine = {&self, 1, 1, infer, output};
  if (self.threads < 1 || self.threads > MOST_THREADS) {
    fprintf(stderr, "usage: training_peak THREADS\n");
    return 64;
  }
  return bench_serve(&engine, self.best.name);
}
