/* SPDX-License-Identifier: MIT */
#ifndef BL_KERNELS_X86_H
#define BL_KERNELS_X86_H

/* Convolutions and linear layers on x86. Sums are of unsigned bytes times signed weights in int32;
 * float32 arithmetic takes the processor's rounding mode, which is to nearest even unless a program
 * changes MXCSR. Loads reach up to 64 bytes behind the last value that counts, what they find there
 * meets weights of zero or is not stored; nothing is stored outside the output's pixels. */

/* Intrinsics of GCC 12 begin with a variable that is set to itself, and warn of it in C++. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <immintrin.h>

#include "bl_kernels_common.h"

/* Bytes from the first value that the first window reads to the map's first pixel. */
BL_INLINE intptr_t bl_before_map(const bl_conv2d_layer* layer) {
  return (intptr_t)layer->window.pad_top * layer->input.row +
         (intptr_t)layer->window.pad_left * layer->input.channels;
}

/* Four bytes as one number, as they lie in memory. */
BL_INLINE int32_t bl_four_bytes(const void* bytes) {
  int32_t four;
  memcpy(&four, bytes, sizeof four);
  return four;
}

BL_INLINE __m128i bl_load16(const bl_byte* input) {
  return _mm_loadu_si128((const __m128i*)(const void*)input);
}

/* Pixels of a convolution in the order in which tiles visit them. */
typedef struct {
  int32_t height;
  int32_t width;
  intptr_t in_pixel; /* bytes from one window to its right neighbour, and to the one below */
  intptr_t in_row;
  intptr_t out_pixel;
  intptr_t out_row;
} bl_grid;

/* Where neither input nor output have anything between their rows, all pixels are one row. */
BL_INLINE bl_grid bl_grid_of(const bl_conv2d_layer* layer) {
  bl_grid grid;
  grid.height = layer->output.height;
  grid.width = layer->output.width;
  grid.in_pixel = (intptr_t)layer->window.stride_width * layer->input.channels;
  grid.in_row = (intptr_t)layer->window.stride_height * layer->input.row;
  grid.out_pixel = layer->output.channels;
  grid.out_row = layer->output.row;
  if (grid.in_row == grid.width * grid.in_pixel && grid.out_row == grid.width * grid.out_pixel) {
    grid.width *= grid.height;
    grid.height = 1;
  }
  return grid;
}

/* ---- tiles ---- */

/* A tile is a number of pixels whose sums are computed together: two halves of neighbours, either
 * one behind the other in a row or from two rows, so that maps of any width divide into tiles of
 * nearly the same size. The forms define the struct and the tiles. */
typedef struct bl_tiling bl_tiling;
typedef void (*bl_tile)(const bl_tiling* t, const bl_byte* a_begin, const bl_byte* b_begin,
                        bl_byte* a_out, bl_byte* b_out);

/* Something for every pixel p of half h, which is a or b. */
#define BL_HALF_1(DO, h) DO(h, 0)
#define BL_HALF_2(DO, h) BL_HALF_1(DO, h) DO(h, 1)
#define BL_HALF_3(DO, h) BL_HALF_2(DO, h) DO(h, 2)
#define BL_HALF_4(DO, h) BL_HALF_3(DO, h) DO(h, 3)
#define BL_HALF_5(DO, h) BL_HALF_4(DO, h) DO(h, 4)
#define BL_HALF_6(DO, h) BL_HALF_5(DO, h) DO(h, 5)
#define BL_HALF_7(DO, h) BL_HALF_6(DO, h) DO(h, 6)
#define BL_HALF_8(DO, h) BL_HALF_7(DO, h) DO(h, 7)

/* The size of equal pieces; the last may reach back into the one before it. */
BL_INLINE int32_t bl_piece(int32_t size, int32_t most) {
  const int32_t count = (size + most - 1) / most;
  return (size + count - 1) / count;
}

/* Pieces of `piece` pixels from `input`; the second half of a tile begins `in_between` bytes behind
 * the first. */
BL_INLINE void bl_tile_pieces(const bl_tiling* t, const bl_grid* grid, bl_tile tile, int32_t piece,
                              intptr_t in_between, intptr_t out_between, const bl_byte* input,
                              bl_byte* output) {
  for (int32_t x = 0; x < grid->width; x += piece) {
    const int32_t begin = x + piece <= grid->width ? x : grid->width - piece;
    const bl_byte* in = input + begin * grid->in_pixel;
    bl_byte* out = output + begin * grid->out_pixel;
    tile(t, in, in + in_between, out, out + out_between);
  }
}

/* All pixels by tiles[h - 1] of two times h pixels, h up to `most`. */
static void bl_tile_map(const bl_tiling* t, const bl_grid* grid, const bl_tile* tiles, int32_t most,
                        const bl_byte* input, bl_byte* output) {
  int32_t y = 0;
  const int32_t of_two = bl_piece(grid->width, most);
  for (; y + 2 <= grid->height; y += 2) {
    bl_tile_pieces(t, grid, tiles[of_two - 1], of_two, grid->in_row, grid->out_row,
                   input + y * grid->in_row, output + y * grid->out_row);
  }
  if (y < grid->height) {
    /* Where a piece is odd, its halves share a pixel. */
    const int32_t piece = bl_piece(grid->width, 2 * most);
    const int32_t half = (piece + 1) / 2;
    bl_tile_pieces(t, grid, tiles[half - 1], piece, (piece - half) * grid->in_pixel,
                   (piece - half) * grid->out_pixel, input + y * grid->in_row,
                   output + y * grid->out_row);
  }
}

#if BL_FORM == BL_FORM_AVX512_VNNI
#include "bl_kernels_avx512.h"
#else
#include "bl_kernels_avx2.h"
#endif

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#endif
