// SPDX-License-Identifier: MIT
#include "train/libtorch/depthwise_kernels.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/vector_clones.h"
#include "train/libtorch/lanes.h"

namespace biglittle {
namespace {

constexpr std::int64_t kKernel = 3;
constexpr std::int64_t kTaps = kKernel * kKernel;

// Some channels of one image in float32, [rows, columns, kLanes], with a margin of zeros. Where a
// map has fewer channels left, the other lanes hold anything; nobody reads what becomes of them.
struct Plane {
  std::int64_t columns;
  std::vector<float> values;
};

BIGLITTLE_INLINE Plane plane_of(std::int64_t rows, std::int64_t columns) {
  return {columns, std::vector<float>(static_cast<std::size_t>(rows * columns * kLanes))};
}

// Where a map's pixels lie in a plane: the first, and how far apart.
struct Grid {
  std::int64_t top;
  std::int64_t left;
  std::int64_t stride_height;
  std::int64_t stride_width;
};

BIGLITTLE_INLINE std::int64_t place_in(const Plane& plane, const Grid& grid, std::int64_t i,
                                       std::int64_t j) {
  return ((grid.top + i * grid.stride_height) * plane.columns + grid.left + j * grid.stride_width) *
         kLanes;
}

// Some channels of a map: its pixels, `distance` values from one to the next.
template <typename Value>
struct Slice {
  Value* values;  // at the first channel
  std::int64_t height;
  std::int64_t width;
  std::int64_t distance;
  std::int64_t lanes;  // how many channels, at most kLanes
};

// Calls run(lanes): with a constant, for loops that become single instructions, where all are used.
template <typename Run>
BIGLITTLE_INLINE void with_lanes(std::int64_t lanes, const Run& run) {
  if (lanes == kLanes) {
    run(kLanes);
  } else {
    run(lanes);
  }
}

template <typename Value>
BIGLITTLE_INLINE void fill(Plane& plane, const Grid& grid, const Slice<const Value>& from) {
  with_lanes(
      from.lanes, [&](std::int64_t lanes) __attribute__((always_inline)) {
        for (std::int64_t i = 0; i < from.height; ++i) {
          for (std::int64_t j = 0; j < from.width; ++j) {
            const Value* const x = from.values + (i * from.width + j) * from.distance;
            float* const to = plane.values.data() + place_in(plane, grid, i, j);
            for (std::int64_t lane = 0; lane < lanes; ++lane) to[lane] = load(x[lane]);
          }
        }
      });
}

// to[i, j] = sum over the taps of tap[k, l] plane[i stride + k, j stride + l].
template <typename Value>
BIGLITTLE_INLINE void correlate(const Plane& plane, const float* taps, std::int64_t stride_height,
                                std::int64_t stride_width, const Slice<Value>& to) {
  Lanes tap[kTaps];
  for (std::int64_t t = 0; t < kTaps; ++t) load_lanes(taps + t * kLanes, tap[t]);
  const std::int64_t row = plane.columns * kLanes;
  with_lanes(
      to.lanes, [&](std::int64_t lanes) __attribute__((always_inline)) {
        for (std::int64_t i = 0; i < to.height; ++i) {
          const float* from = plane.values.data() + i * stride_height * row;
          Value* y = to.values + i * to.width * to.distance;
          for (std::int64_t j = 0; j < to.width; ++j) {
            Lanes sum = {};
            for (std::int64_t k = 0; k < kKernel; ++k) {
              for (std::int64_t l = 0; l < kKernel; ++l) {
                Lanes values;
                load_lanes(from + k * row + l * kLanes, values);
                sum += tap[k * kKernel + l] * values;
              }
            }
            for (std::int64_t lane = 0; lane < lanes; ++lane) store(y[lane], sum[lane]);
            from += stride_width * kLanes;
            y += to.distance;
          }
        }
      });
}

// sums[tap, lane] += sum over pixels of gradient[pixel] input[pixel's window at that tap].
BIGLITTLE_INLINE void add_products(const Plane& input, const Plane& gradient, const Grid& grid,
                                   std::int64_t height, std::int64_t width, double* sums) {
  Lanes sum[kTaps] = {};
  const std::int64_t row = input.columns * kLanes;
  for (std::int64_t i = 0; i < height; ++i) {
    const float* x = input.values.data() + i * grid.stride_height * row;
    const float* dy = gradient.values.data() + place_in(gradient, grid, i, 0);
    for (std::int64_t j = 0; j < width; ++j) {
      Lanes upstream;
      load_lanes(dy, upstream);
      for (std::int64_t k = 0; k < kKernel; ++k) {
        for (std::int64_t l = 0; l < kKernel; ++l) {
          Lanes values;
          load_lanes(x + k * row + l * kLanes, values);
          sum[k * kKernel + l] += upstream * values;
        }
      }
      x += grid.stride_width * kLanes;
      dy += grid.stride_width * kLanes;
    }
  }
  for (std::int64_t t = 0; t < kTaps; ++t) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      sums[t * kLanes + lane] += double{sum[t][lane]};
    }
  }
}

// [C, 3, 3] -> [blocks of channels, taps, kLanes], or with the taps from last to first, which turns
// a convolution's weights into those of its input's gradient.
enum class Order { first_to_last, last_to_first };
BIGLITTLE_INLINE std::vector<float> packed(const float* weight, std::int64_t channels,
                                           Order order) {
  const std::int64_t blocks = (channels + kLanes - 1) / kLanes;
  std::vector<float> taps(static_cast<std::size_t>(blocks * kTaps * kLanes));
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t t = 0; t < kTaps; ++t) {
      const std::int64_t to = order == Order::first_to_last ? t : kTaps - 1 - t;
      taps[static_cast<std::size_t>((c / kLanes * kTaps + to) * kLanes + c % kLanes)] =
          weight[c * kTaps + t];
    }
  }
  return taps;
}

BIGLITTLE_INLINE Plane input_plane(const DepthwiseSize& size) {
  const std::int64_t rows = size.pad_top + size.height + kMostDepthwisePadding;
  return plane_of(rows, size.pad_left + size.width + kMostDepthwisePadding);
}
BIGLITTLE_INLINE Grid input_grid(const DepthwiseSize& size) {
  return {size.pad_top, size.pad_left, 1, 1};
}

// Calls visit(image, first channel, channels there).
template <typename Visit>
BIGLITTLE_INLINE void for_each_block(const DepthwiseSize& size, const Visit& visit) {
  for (std::int64_t image = 0; image < size.n; ++image) {
    for (std::int64_t channel = 0; channel < size.channels; channel += kLanes) {
      visit(image, channel, std::min(kLanes, size.channels - channel));
    }
  }
}

template <typename Value>
BIGLITTLE_INLINE Slice<Value> slice(const DepthwiseSize& size, std::int64_t height,
                                    std::int64_t width, Value* values, std::int64_t image,
                                    std::int64_t channel, std::int64_t lanes) {
  const std::int64_t inside = channel % size.together;
  const std::int64_t before = image * size.channels + channel - inside;
  return {values + before * height * width + inside, height, width, size.together, lanes};
}
template <typename Value>
BIGLITTLE_INLINE Slice<Value> input_slice(const DepthwiseSize& size, Value* values,
                                          std::int64_t image, std::int64_t channel,
                                          std::int64_t lanes) {
  return slice(size, size.height, size.width, values, image, channel, lanes);
}
template <typename Value>
BIGLITTLE_INLINE Slice<Value> output_slice(const DepthwiseSize& size, Value* values,
                                           std::int64_t image, std::int64_t channel,
                                           std::int64_t lanes) {
  return slice(size, size.out_height, size.out_width, values, image, channel, lanes);
}

template <typename Value>
BIGLITTLE_INLINE void forward(const DepthwiseForward<Value>& pass) {
  const DepthwiseSize& size = pass.size;
  const std::vector<float> taps = packed(pass.weight, size.channels, Order::first_to_last);
  Plane input = input_plane(size);
  for_each_block(
      size, [&](std::int64_t image, std::int64_t channel, std::int64_t lanes)
                __attribute__((always_inline)) {
                  fill(input, input_grid(size), input_slice(size, pass.x, image, channel, lanes));
                  correlate(input, taps.data() + channel * kTaps, size.stride_height,
                            size.stride_width, output_slice(size, pass.y, image, channel, lanes));
                });
}

// dx is a convolution, too: of dy, its pixels as far apart as the strides and with a margin, and of
// the taps from last to first.
template <typename Value>
BIGLITTLE_INLINE void backward(const DepthwiseBackward<Value>& pass) {
  const DepthwiseSize& size = pass.size;
  const std::vector<float> taps = packed(pass.weight, size.channels, Order::last_to_first);
  std::vector<double> sums(taps.size());
  Plane input = input_plane(size);
  Plane gradient = plane_of(size.height + kKernel - 1, size.width + kKernel - 1);
  const Grid grid = {kKernel - 1 - size.pad_top, kKernel - 1 - size.pad_left, size.stride_height,
                     size.stride_width};
  for_each_block(
      size, [&](std::int64_t image, std::int64_t channel, std::int64_t lanes)
                __attribute__((always_inline)) {
                  fill(input, input_grid(size), input_slice(size, pass.x, image, channel, lanes));
                  fill(gradient, grid, output_slice(size, pass.dy, image, channel, lanes));
                  correlate(gradient, taps.data() + channel * kTaps, 1, 1,
                            input_slice(size, pass.dx, image, channel, lanes));
                  add_products(input, gradient, grid, size.out_height, size.out_width,
                               sums.data() + channel * kTaps);
                });
  for (std::int64_t c = 0; c < size.channels; ++c) {
    for (std::int64_t t = 0; t < kTaps; ++t) {
      pass.dweight[c * kTaps + t] = static_cast<float>(
          sums[static_cast<std::size_t>((c / kLanes * kTaps + t) * kLanes + c % kLanes)]);
    }
  }
}

}  // namespace

BIGLITTLE_VECTOR_CLONES void depthwise_forward(const DepthwiseForward<float>& pass) {
  forward(pass);
}
BIGLITTLE_NARROW_CLONES void depthwise_forward(const DepthwiseForward<Bfloat16>& pass) {
  forward(pass);
}
BIGLITTLE_VECTOR_CLONES void depthwise_backward(const DepthwiseBackward<float>& pass) {
  backward(pass);
}
BIGLITTLE_NARROW_CLONES void depthwise_backward(const DepthwiseBackward<Bfloat16>& pass) {
  backward(pass);
}

}  // namespace biglittle
