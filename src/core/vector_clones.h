// SPDX-License-Identifier: MIT
#pragma once

// Functions compiled for several vector extensions, of which the loader chooses the widest that the
// processor has. What such a function calls must be inlined into each clone, to be compiled for its
// vectors.

#if defined(__x86_64__)
/// For loops over values of four bytes.
#define BIGLITTLE_VECTOR_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
/// For loops over bfloat16 values and those that write bytes, which need AVX-512BW for wide
/// vectors: a batch norm of bfloat16 takes three fifths of the time. Not for loops that read bytes
/// beside values of four: allowed to, GCC 12 fills whole vectors with bytes, 64 at a time, and
/// leaves shorter loops as they are.
#define BIGLITTLE_NARROW_CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define BIGLITTLE_VECTOR_CLONES
#define BIGLITTLE_NARROW_CLONES
#endif

#define BIGLITTLE_INLINE static inline __attribute__((always_inline))
