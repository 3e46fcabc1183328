// SPDX-License-Identifier: MIT
#pragma once

// Which real values an activation's 256 int8 steps should cover: statistics of observed values and
// the choice between clipping rare large values and rounding all others more coarsely.

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "quant/quantize.h"

namespace biglittle {

/// Real values from low to high; 0 is always inside.
struct Range {
  double low = 0.0;
  double high = 0.0;
  bool operator==(const Range&) const = default;
};

/// The smallest range that holds `range` and `values`.
Range widen_range(Range range, std::span<const float> values);

/// scale = (high - low) / 255 as float32 within the permitted scales, zero_point =
/// round(-128 - low / scale). A range without width (a dead activation) is taken as [0, 1].
Quantization quantization_of(const Range& range);

/// The real values of q = -128 and q = 127; quantization_of gives back exactly `quantization`.
Range range_of(const Quantization& quantization);

/// How often values fall into equal bins of a known range.
class Histogram {
 public:
  static constexpr std::size_t kBins = 2048;

  /// `range` holds every value that will be added.
  explicit Histogram(const Range& range) : range_(range) {}

  void add(std::span<const float> values);

  /// The range itself (min-max); the one outside of which the share 1 - percentile / 100 of all
  /// values lies on each side, to the next bin edge (percentile); or the range, among the observed
  /// one shrunk by 1, 0.99, ... 0.05, with the smallest mean squared quantization error (mse).
  Range choose(RangeMethod method, double percentile) const;

 private:
  double width() const { return (range_.high - range_.low) / kBins; }
  Range percentile_range(double percentile) const;
  Range least_squares_range() const;
  double squared_error(const Quantization& quantization) const;

  Range range_;
  std::array<std::int64_t, kBins> counts_{};
};

/// The node whose values set the range of `node`: the relu or relu6 that alone reads a conv2d,
/// linear or add; otherwise the node itself.
const Node& range_source(const Graph& graph, const Node& node);

/// True for nodes that do not carry their input's quantization.
bool has_own_range(const Node& node);

/// Ranges by name of the range source, for every node of `folded` that has its own range but the
/// last, from two passes over `samples`: smallest and largest values, then histograms.
std::map<std::string, Range> observe_ranges(const Network& folded,
                                            const Preprocessing& preprocessing,
                                            const Samples& samples, const QuantizeOptions& options,
                                            const Engine& engine);

}  // namespace biglittle
