/* SPDX-License-Identifier: MIT */
/* The most int8 multiply-accumulates that the form of the kernels this is compiled for could do:
 * its multiply instructions on registers alone, twelve independent sums at a time. A worker whose
 * "run N" does N times a thousand steps; its one output is the multiply-accumulates of one of them.
 */
#include <stdint.h>

#include "bench/worker.h"
#include "bl_runtime.h"

#define ROUNDS 1000

#if BL_FORM == BL_FORM_AVX512_VNNI
#define MACS_A_STEP 64
#define STEP(sum) "vpdpbusd %%zmm0, %%zmm1, %%zmm" #sum "\n\t"
#elif BL_FORM == BL_FORM_AVX_VNNI
#define MACS_A_STEP 32
#define STEP(sum) "%{vex%} vpdpbusd %%ymm0, %%ymm1, %%ymm" #sum "\n\t"
#elif BL_FORM == BL_FORM_AVX2
#define MACS_A_STEP 16
#define STEP(sum) \
  "vpmaddwd %%ymm0, %%ymm1, %%ymm15\n\tvpaddd %%ymm15, %%ymm" #sum ", %%ymm" #sum "\n\t"
#elif BL_FORM == BL_FORM_NEON_DOT
#define MACS_A_STEP 16
#define STEP(sum) "sdot v" #sum ".4s, v0.16b, v1.16b\n\t"
#elif BL_FORM == BL_FORM_NEON
#define MACS_A_STEP 8
#define STEP(sum) "smull v15.8h, v0.8b, v1.8b\n\tsadalp v" #sum ".4s, v15.8h\n\t"
#endif

#ifdef STEP
#define STEPS \
  STEP(2)     \
  STEP(3) STEP(4) STEP(5) STEP(6) STEP(7) STEP(8) STEP(9) STEP(10) STEP(11) STEP(12) STEP(13)

static void infer(void* state, long sample) {
  long round;
  (void)state;
  (void)sample;
  for (round = 0; round < ROUNDS; ++round) {
#if defined(__x86_64__)
    __asm__ volatile(STEPS ::
                         : "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                           "xmm11", "xmm12", "xmm13", "xmm15");
#else
    __asm__ volatile(STEPS ::
                         : "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12",
                           "v13", "v15");
#endif
  }
}

static double output(void* state, long index) {
  (void)state;
  (void)index;
  return (double)ROUNDS * 12 * MACS_A_STEP;
}

#else
/* Portable C has no instruction of its own to count. */
static void infer(void* state, long sample) {
  (void)state;
  (void)sample;
}

static double output(void* state, long index) {
  (void)state;
  (void)index;
  return 0;
}
#endif

int main(void) {
  const bench_engine engine = {0, 1, 1, infer, output};
  return bench_serve(&engine, "peak");
}
