// SPDX-License-Identifier: MIT
#include "train/libtorch/fused_kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

// The widest vectors that the processor has, chosen when the library is loaded.
#if defined(__x86_64__)
#define BIGLITTLE_VECTOR_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define BIGLITTLE_VECTOR_CLONES
#endif
// Bodies are inlined into each clone, so that they are compiled for its vectors.
#define BIGLITTLE_INLINE static inline __attribute__((always_inline))

namespace biglittle {
namespace {

// Rows summed in float32 before they are added to double sums: short enough to be exact to
// rounding, long enough for the conversion not to matter.
constexpr std::int64_t kBlockRows = 128;

BIGLITTLE_INLINE float load(float value) { return value; }
BIGLITTLE_INLINE float load(Bfloat16 value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}
BIGLITTLE_INLINE void store(float& place, float value) { place = value; }
// Round to nearest even; a NaN keeps its sign and stays a NaN or becomes infinite, which training
// reports either way.
BIGLITTLE_INLINE void store(Bfloat16& place, float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  place.bits = static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

// The pointers of these rows never overlap; saying so is what lets the loops become vectors.
template <typename Value>
BIGLITTLE_INLINE void add_moments(std::size_t channels, const Value* __restrict x,
                                  float* __restrict sum, float* __restrict squares) {
  for (std::size_t c = 0; c < channels; ++c) {
    const float value = load(x[c]);
    sum[c] += value;
    squares[c] += value * value;
  }
}

template <typename Value>
BIGLITTLE_INLINE void scale_row(std::size_t channels, const Value* __restrict x,
                                Value* __restrict y, const float* __restrict slope,
                                const float* __restrict shift, float floor) {
  for (std::size_t c = 0; c < channels; ++c) {
    const float value = load(x[c]) * slope[c] + shift[c];
    // Written so that a NaN stays a NaN.
    store(y[c], value < floor ? floor : value);
  }
}

template <typename Value>
BIGLITTLE_INLINE void forward(const NormForward<Value>& pass) {
  const auto channels = static_cast<std::size_t>(pass.channels);
  std::vector<double> sum(channels);
  std::vector<double> squares(channels);
  std::vector<float> block(2 * channels);
  float* const block_sum = block.data();
  float* const block_squares = block.data() + channels;
  for (std::int64_t first = 0; first < pass.rows; first += kBlockRows) {
    std::fill(block.begin(), block.end(), 0.0f);
    const std::int64_t last = std::min(first + kBlockRows, pass.rows);
    for (std::int64_t row = first; row < last; ++row) {
      add_moments(channels, pass.x + row * pass.channels, block_sum, block_squares);
    }
    for (std::size_t c = 0; c < channels; ++c) {
      sum[c] += double{block_sum[c]};
      squares[c] += double{block_squares[c]};
    }
  }
  const auto n = static_cast<double>(pass.rows);
  float* const slope = block_sum;
  float* const shift = block_squares;
  for (std::size_t c = 0; c < channels; ++c) {
    const double mean = sum[c] / n;
    const double variance = std::max(0.0, squares[c] / n - mean * mean);
    const double inverse = 1.0 / std::sqrt(variance + double{pass.epsilon});
    pass.statistics.mean[c] = static_cast<float>(mean);
    pass.statistics.inverse_deviation[c] = static_cast<float>(inverse);
    slope[c] = static_cast<float>(inverse * double{pass.weight[c]});
    shift[c] = static_cast<float>(double{pass.bias[c]} - mean * inverse * double{pass.weight[c]});
    const double momentum{pass.momentum};
    const double unbiased = variance * n / (n - 1.0);
    pass.running_mean[c] =
        static_cast<float>((1.0 - momentum) * double{pass.running_mean[c]} + momentum * mean);
    pass.running_variance[c] = static_cast<float>(
        (1.0 - momentum) * double{pass.running_variance[c]} + momentum * unbiased);
  }
  const float floor = pass.activation == Activation::relu ? 0.0f : -INFINITY;
  for (std::int64_t row = 0; row < pass.rows; ++row) {
    const std::int64_t at = row * pass.channels;
    scale_row(channels, pass.x + at, pass.y + at, slope, shift, floor);
  }
}

// One row's part of sum t and sum t (x - mean), t being dy where the activation let it through.
template <bool kGated, typename Value>
BIGLITTLE_INLINE void add_row(std::size_t channels, const Value* __restrict x,
                              const Value* __restrict y, const Value* __restrict dy,
                              const float* __restrict mean, float* __restrict sum,
                              float* __restrict product) {
  for (std::size_t c = 0; c < channels; ++c) {
    const float gate = !kGated || load(y[c]) > 0.0f ? 1.0f : 0.0f;
    const float t = gate * load(dy[c]);
    sum[c] += t;
    product[c] += t * (load(x[c]) - mean[c]);
  }
}

// dx = k t + a x + b.
template <bool kGated, typename Value>
BIGLITTLE_INLINE void combine_row(std::size_t channels, const Value* __restrict x,
                                  const Value* __restrict y, const Value* __restrict dy,
                                  Value* __restrict dx, const float* __restrict k,
                                  const float* __restrict a, const float* __restrict b) {
  for (std::size_t c = 0; c < channels; ++c) {
    const float gate = !kGated || load(y[c]) > 0.0f ? 1.0f : 0.0f;
    store(dx[c], k[c] * (gate * load(dy[c])) + (a[c] * load(x[c]) + b[c]));
  }
}

template <bool kGated, typename Value>
BIGLITTLE_INLINE void backward(const NormBackward<Value>& pass) {
  const auto channels = static_cast<std::size_t>(pass.channels);
  const float* const mean = pass.statistics.mean;
  std::vector<double> sum(channels);
  std::vector<double> product(channels);
  std::vector<float> block(3 * channels);
  float* const block_sum = block.data();
  float* const block_product = block.data() + channels;
  for (std::int64_t first = 0; first < pass.rows; first += kBlockRows) {
    std::fill(block.begin(), block.end(), 0.0f);
    const std::int64_t last = std::min(first + kBlockRows, pass.rows);
    for (std::int64_t row = first; row < last; ++row) {
      const std::int64_t at = row * pass.channels;
      add_row<kGated>(channels, pass.x + at, pass.y + at, pass.dy + at, mean, block_sum,
                      block_product);
    }
    for (std::size_t c = 0; c < channels; ++c) {
      sum[c] += double{block_sum[c]};
      product[c] += double{block_product[c]};
    }
  }
  // a and b collect what does not depend on t.
  float* const k = block.data();
  float* const a = block.data() + channels;
  float* const b = block.data() + 2 * channels;
  const auto n = static_cast<double>(pass.rows);
  for (std::size_t c = 0; c < channels; ++c) {
    const double inverse{pass.statistics.inverse_deviation[c]};
    const double gain = double{pass.weight[c]} * inverse;
    const double along = -gain * inverse * inverse * product[c] / n;
    pass.dbias[c] = static_cast<float>(sum[c]);
    pass.dweight[c] = static_cast<float>(product[c] * inverse);
    k[c] = static_cast<float>(gain);
    a[c] = static_cast<float>(along);
    b[c] = static_cast<float>(-gain * sum[c] / n - along * double{mean[c]});
  }
  for (std::int64_t row = 0; row < pass.rows; ++row) {
    const std::int64_t at = row * pass.channels;
    combine_row<kGated>(channels, pass.x + at, pass.y + at, pass.dy + at, pass.dx + at, k, a, b);
  }
}

template <typename Value>
BIGLITTLE_INLINE void backward_by_activation(const NormBackward<Value>& pass) {
  if (pass.activation == Activation::relu) {
    backward<true>(pass);
  } else {
    backward<false>(pass);
  }
}

// `top` and `bottom` are the two rows of a window, [2, C] each. The winner is counted in 32 bits, as
// wide as the values, so that both live in the same vector lanes.
template <typename Value>
BIGLITTLE_INLINE void pool_window(std::int64_t channels, const Value* __restrict top,
                                  const Value* __restrict bottom, Value* __restrict y,
                                  std::uint8_t* __restrict winner) {
  for (std::int64_t c = 0; c < channels; ++c) {
    float best = load(top[c]);
    std::int32_t which = 0;
    const float right = load(top[channels + c]);
    const float below = load(bottom[c]);
    const float across = load(bottom[channels + c]);
    which = right > best ? 1 : which;
    best = right > best ? right : best;
    which = below > best ? 2 : which;
    best = below > best ? below : best;
    which = across > best ? 3 : which;
    best = across > best ? across : best;
    store(y[c], best);
    winner[c] = static_cast<std::uint8_t>(which);
  }
}

template <typename Value>
BIGLITTLE_INLINE void unpool_window(std::int64_t channels, const Value* __restrict dy,
                                    const std::uint8_t* __restrict winner,
                                    Value* __restrict top, Value* __restrict bottom) {
  for (std::int64_t c = 0; c < channels; ++c) {
    const std::int32_t which = winner[c];
    const float gradient = load(dy[c]);
    store(top[c], which == 0 ? gradient : 0.0f);
    store(top[channels + c], which == 1 ? gradient : 0.0f);
    store(bottom[c], which == 2 ? gradient : 0.0f);
    store(bottom[channels + c], which == 3 ? gradient : 0.0f);
  }
}

// Calls visit(offset of the window's first value in the image, offset of its result) for every window.
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
  for_each_window(size, [&](std::int64_t at, std::int64_t result) __attribute__((always_inline)) {
    pool_window(size.channels, x + at, x + at + row, y + result, winner + result);
  });
}

template <typename Value>
BIGLITTLE_INLINE void unpool(const Value* dy, const std::uint8_t* winner, Value* dx,
                             const PoolSize& size) {
  const std::int64_t row = size.width * size.channels;
  const bool is_even = size.height % 2 == 0 && size.width % 2 == 0;
  if (!is_even) std::fill_n(dx, size.n * size.height * row, Value{});
  for_each_window(size, [&](std::int64_t at, std::int64_t result) __attribute__((always_inline)) {
    unpool_window(size.channels, dy + result, winner + result, dx + at, dx + at + row);
  });
}

}  // namespace

BIGLITTLE_VECTOR_CLONES void normalize_forward(const NormForward<float>& pass) { forward(pass); }
BIGLITTLE_VECTOR_CLONES void normalize_forward(const NormForward<Bfloat16>& pass) { forward(pass); }
BIGLITTLE_VECTOR_CLONES void normalize_backward(const NormBackward<float>& pass) {
  backward_by_activation(pass);
}
BIGLITTLE_VECTOR_CLONES void normalize_backward(const NormBackward<Bfloat16>& pass) {
  backward_by_activation(pass);
}
BIGLITTLE_VECTOR_CLONES void pool_forward(const float* x, float* y, std::uint8_t* winner,
                                          const PoolSize& size) {
  pool(x, y, winner, size);
}
BIGLITTLE_VECTOR_CLONES void pool_forward(const Bfloat16* x, Bfloat16* y, std::uint8_t* winner,
                                          const PoolSize& size) {
  pool(x, y, winner, size);
}
BIGLITTLE_VECTOR_CLONES void pool_backward(const float* dy, const std::uint8_t* winner, float* dx,
                                           const PoolSize& size) {
  unpool(dy, winner, dx, size);
}
BIGLITTLE_VECTOR_CLONES void pool_backward(const Bfloat16* dy, const std::uint8_t* winner,
                                           Bfloat16* dx, const PoolSize& size) {
  unpool(dy, winner, dx, size);
}

}  // namespace biglittle
