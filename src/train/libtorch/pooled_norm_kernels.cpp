// SPDX-License-Identifier: MIT
#include "train/libtorch/pooled_norm_kernels.h"

#include "train/libtorch/lanes.h"
#include "train/libtorch/norm_sums.h"

namespace biglittle {
namespace {

static_assert(kPooledNormChannels == kLanes);

// The windows of all images; y lies as x does, with a window's values for four.
struct Windows {
  NormRows rows;  // of x
  std::int64_t width;

  std::int64_t height() const { return rows.rows / width; }
  std::int64_t line() const { return width * rows.channels; }  // values of a line of pixels
  std::int64_t pooled_stride() const {
    return rows.stride / rows.rows * (height() / 2) * (width / 2);
  }
};

// Calls visit(offset of the window's first value in x, offset of its result in y) for each.
template <typename Visit>
BIGLITTLE_INLINE void for_each_window(const Windows& windows, const Visit& visit) {
  const std::int64_t channels = windows.rows.channels;
  for (std::int64_t image = 0; image < windows.rows.segments; ++image) {
    std::int64_t result = image * windows.pooled_stride();
    for (std::int64_t i = 0; i + 1 < windows.height(); i += 2) {
      std::int64_t at = image * windows.rows.stride + i * windows.line();
      for (std::int64_t j = 0; j + 1 < windows.width; j += 2) {
        visit(at, result);
        at += 2 * channels;
        result += channels;
      }
    }
  }
}

// Calls visit(offset of a pixel in x) for each pixel of no window.
template <typename Visit>
BIGLITTLE_INLINE void for_each_pixel_left(const Windows& windows, const Visit& visit) {
  const std::int64_t height = windows.height();
  const std::int64_t width = windows.width;
  if (height % 2 == 0 && width % 2 == 0) return;
  for (std::int64_t image = 0; image < windows.rows.segments; ++image) {
    for (std::int64_t i = 0; i < height; ++i) {
      const bool is_left = i == height - height % 2;
      for (std::int64_t j = is_left ? 0 : width - width % 2; j < width; ++j) {
        visit(image * windows.rows.stride + (i * width + j) * windows.rows.channels);
      }
    }
  }
}

// The first value of each place in a window, row-major.
template <typename Value>
struct Places {
  Value* of[4];
};
template <typename Value>
BIGLITTLE_INLINE Places<Value> places(Value* values, const Windows& windows, std::int64_t at) {
  const std::int64_t right = windows.rows.channels;
  const std::int64_t below = windows.line();
  return {{values + at, values + at + right, values + at + below, values + at + below + right}};
}

template <typename Value>
BIGLITTLE_INLINE void normalized(const Value* x, const float* slope, const float* shift,
                                 Lanes& result) {
  Lanes value, factor, addend;
  load_lanes(x, value);
  load_lanes(slope, factor);
  load_lanes(shift, addend);
  result = value * factor + addend;
}

// The activation comes after the maximum: that is the same, and a quarter of the work.
template <typename Value>
BIGLITTLE_INLINE void pool_window(std::int64_t channels, const Places<const Value>& x, Value* y,
                                  std::uint8_t* winner, const float* slope, const float* shift,
                                  Limits limits) {
  for (std::int64_t c = 0; c < channels; c += kLanes) {
    Lanes window[4];
    Lanes most;
    LaneTests which;
    for (int place = 0; place < 4; ++place) {
      normalized(x.of[place] + c, slope + c, shift + c, window[place]);
    }
    largest_of(window, most, which);
    const Lanes raised = most < limits.low ? Lanes{} + limits.low : most;
    const Lanes clamped = raised > limits.high ? Lanes{} + limits.high : raised;
    store_lanes(y + c, clamped);
    // Positive strictly between the limits, also infinite ones. Of two comparisons joined GCC 12
    // makes scalars.
    const Lanes inside = (clamped - limits.low) * (limits.high - clamped);
    store_lanes(winner + c, inside > 0.0f ? which : LaneTests{} + kNoWinner);
  }
}

// One window's part of sum t and sum t (x - mean).
template <typename Value>
BIGLITTLE_INLINE void add_window(std::int64_t channels, const Places<const Value>& x,
                                 const Value* dy, const std::uint8_t* winner, const float* mean,
                                 float* __restrict sum, float* __restrict product) {
  for (std::int64_t c = 0; c < channels; c += kLanes) {
    LaneTests which;
    load_lanes(winner + c, which);
    Lanes t, value, center, sums, products;
    load_lanes(dy + c, t);
    t = which == kNoWinner ? Lanes{} : t;
    load_lanes(x.of[0] + c, value);
    for (int place = 1; place < 4; ++place) {
      Lanes other;
      load_lanes(x.of[place] + c, other);
      value = which == place ? other : value;
    }
    load_lanes(mean + c, center);
    load_lanes(sum + c, sums);
    load_lanes(product + c, products);
    store_lanes(sum + c, sums + t);
    store_lanes(product + c, products + t * (value - center));
  }
}

// dx = k t + a x + b.
struct Combination {
  const float* k;
  const float* a;
  const float* b;
};
template <typename Value>
BIGLITTLE_INLINE void combine_window(std::int64_t channels, const Places<const Value>& x,
                                     const Value* dy, const std::uint8_t* winner,
                                     const Places<Value>& dx, const Combination& of) {
  for (std::int64_t c = 0; c < channels; c += kLanes) {
    LaneTests which;
    Lanes t, k, a, b;
    load_lanes(winner + c, which);
    load_lanes(dy + c, t);
    load_lanes(of.k + c, k);
    load_lanes(of.a + c, a);
    load_lanes(of.b + c, b);
    t *= k;
    for (int place = 0; place < 4; ++place) {
      Lanes value;
      load_lanes(x.of[place] + c, value);
      store_lanes(dx.of[place] + c, (which == place ? t : Lanes{}) + (a * value + b));
    }
  }
}

template <typename Value>
BIGLITTLE_INLINE void forward(const PooledNormForward<Value>& pass) {
  const NormForward<Value>& norm = pass.norm;
  const Lines lines = lines_of(norm.rows);
  take_moments(norm, lines);
  const Affine scaled = affine(lines, norm.statistics, norm.weight, norm.bias);
  const Limits limits = limits_of(norm.tail.activation);
  const Windows windows{norm.rows, pass.width};
  for_each_window(
      windows, [&](std::int64_t at, std::int64_t result) __attribute__((always_inline)) {
        pool_window(norm.rows.channels, places(norm.x, windows, at), norm.y + result,
                    pass.winner + result, scaled.slope.data(), scaled.shift.data(), limits);
      });
}

template <typename Value>
BIGLITTLE_INLINE void backward(const PooledNormBackward<Value>& pass) {
  const NormBackward<Value>& norm = pass.norm;
  const std::int64_t channels = norm.rows.channels;
  const Lines lines = lines_of(norm.rows);
  const Affine scaled = affine(lines, norm.statistics, norm.weight, norm.bias);
  const Windows windows{norm.rows, pass.width};
  const auto each = [&](const auto& visit) __attribute__((always_inline)) {
    for_each_window(windows, visit);
  };
  const Sums sums = sum_in_blocks(
      channels, channels, each,
      [&](std::int64_t at, std::int64_t result, float* sum, float* product)
          __attribute__((always_inline)) {
            add_window(channels, places(norm.x, windows, at), norm.dy + result,
                       pass.winner + result, norm.statistics.mean, sum, product);
          });
  const Affine rest = take_gradients(norm, lines, sums);
  const Combination of{scaled.slope.data(), rest.slope.data(), rest.shift.data()};
  for_each_window(
      windows, [&](std::int64_t at, std::int64_t result) __attribute__((always_inline)) {
        combine_window(channels, places(norm.x, windows, at), norm.dy + result,
                       pass.winner + result, places(norm.dx, windows, at), of);
      });
  for_each_pixel_left(
      windows, [&](std::int64_t at) __attribute__((always_inline)) {
        for (std::int64_t c = 0; c < channels; ++c) {
          store(norm.dx[at + c], of.a[c] * load(norm.x[at + c]) + of.b[c]);
        }
      });
}

}  // namespace

BIGLITTLE_NARROW_CLONES void pooled_normalize_forward(const PooledNormForward<float>& pass) {
  forward(pass);
}
BIGLITTLE_NARROW_CLONES void pooled_normalize_forward(const PooledNormForward<Bfloat16>& pass) {
  forward(pass);
}
BIGLITTLE_NARROW_CLONES void pooled_normalize_backward(const PooledNormBackward<float>& pass) {
  backward(pass);
}
BIGLITTLE_NARROW_CLONES void pooled_normalize_backward(const PooledNormBackward<Bfloat16>& pass) {
  backward(pass);
}

}  // namespace biglittle
