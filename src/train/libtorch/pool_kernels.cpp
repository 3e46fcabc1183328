// SPDX-License-Identifier: MIT
#include "train/libtorch/pool_kernels.h"

#include <algorithm>

#include "core/vector_clones.h"
#include "train/libtorch/lanes.h"

namespace biglittle {
namespace {

// `top` and `bottom` are the two rows of a window, [2, C] each. Winners of both rows, then of the
// window, the first of equals, without a branch.
template <typename Value>
BIGLITTLE_INLINE void pool_window(std::int64_t channels, const Value* __restrict top,
                                  const Value* __restrict bottom, Value* __restrict y,
                                  std::uint8_t* __restrict winner) {
  std::int64_t c = 0;
  for (; c + kLanes <= channels; c += kLanes) {
    Lanes window[4];
    Lanes most;
    LaneTests which;
    load_lanes(top + c, window[0]);
    load_lanes(top + channels + c, window[1]);
    load_lanes(bottom + c, window[2]);
    load_lanes(bottom + channels + c, window[3]);
    largest_of(window, most, which);
    store_lanes(y + c, most);
    store_lanes(winner + c, which);
  }
  for (; c < channels; ++c) {
    const float left = load(top[c]);
    const float right = load(top[channels + c]);
    const float below = load(bottom[c]);
    const float across = load(bottom[channels + c]);
    const float upper = right > left ? right : left;
    const float lower = across > below ? across : below;
    const int of_upper = right > left ? 1 : 0;
    const int of_lower = across > below ? 3 : 2;
    store(y[c], lower > upper ? lower : upper);
    winner[c] = static_cast<std::uint8_t>(lower > upper ? of_lower : of_upper);
  }
}

template <typename Value>
BIGLITTLE_INLINE void unpool_window(std::int64_t channels, const Value* __restrict dy,
                                    const std::uint8_t* __restrict winner, Value* __restrict top,
                                    Value* __restrict bottom) {
  Value* const places[] = {top, top + channels, bottom, bottom + channels};
  std::int64_t c = 0;
  for (; c + kLanes <= channels; c += kLanes) {
    const Lanes zero = {};
    LaneTests which;
    Lanes gradient;
    load_lanes(winner + c, which);
    load_lanes(dy + c, gradient);
    for (int place = 0; place < 4; ++place) {
      store_lanes(places[place] + c, which == place ? gradient : zero);
    }
  }
  for (; c < channels; ++c) {
    for (int place = 0; place < 4; ++place) {
      store(places[place][c], winner[c] == place ? load(dy[c]) : 0.0f);
    }
  }
}

// Calls visit(offset of the window's first value in the image, offset of its result) for every
// window.
template <typename Visit>
BIGLITTLE_INLINE void for_each_window(const PoolSize& size, const Visit& visit) {
  std::int64_t result = 0;
  for (std::int64_t image = 0; image < size.n; ++image) {
    for (std::int64_t i = 0; i + 1 < size.height; i += 2) {
      for (std::int64_t j = 0; j + 1 < size.width; j += 2) {
        visit(((image * size.height + i) * size.width + j) * size.channels, result);
        result += size.channels;
      }
    }
  }
}

template <typename Value>
BIGLITTLE_INLINE void pool(const Value* x, Value* y, std::uint8_t* winner, const PoolSize& size) {
  const std::int64_t row = size.width * size.channels;
  for_each_window(
      size, [&](std::int64_t at, std::int64_t result) __attribute__((always_inline)) {
        pool_window(size.channels, x + at, x + at + row, y + result, winner + result);
      });
}

template <typename Value>
BIGLITTLE_INLINE void unpool(const Value* dy, const std::uint8_t* winner, Value* dx,
                             const PoolSize& size) {
  const std::int64_t row = size.width * size.channels;
  const bool is_even = size.height % 2 == 0 && size.width % 2 == 0;
  if (!is_even) std::fill_n(dx, size.n * size.height * row, Value{});
  for_each_window(
      size, [&](std::int64_t at, std::int64_t result) __attribute__((always_inline)) {
        unpool_window(size.channels, dy + result, winner + result, dx + at, dx + at + row);
      });
}

}  // namespace

BIGLITTLE_NARROW_CLONES void pool_forward(const float* x, float* y, std::uint8_t* winner,
                                          const PoolSize& size) {
  pool(x, y, winner, size);
}
BIGLITTLE_NARROW_CLONES void pool_forward(const Bfloat16* x, Bfloat16* y, std::uint8_t* winner,
                                          const PoolSize& size) {
  pool(x, y, winner, size);
}
BIGLITTLE_NARROW_CLONES void pool_backward(const float* dy, const std::uint8_t* winner, float* dx,
                                           const PoolSize& size) {
  unpool(dy, winner, dx, size);
}
BIGLITTLE_NARROW_CLONES void pool_backward(const Bfloat16* dy, const std::uint8_t* winner,
                                           Bfloat16* dx, const PoolSize& size) {
  unpool(dy, winner, dx, size);
}

}  // namespace biglittle
