// SPDX-License-Identifier: MIT
#include "train/libtorch/initial_weights.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include "core/random.h"
#include "train/batch.h"

namespace biglittle {
namespace {

constexpr std::int64_t kPatches = 2'000'000;
constexpr double kShareOfSum = 1e-5;
// Of patches that are in memory at a time.
constexpr std::int64_t kNumbersAtOnce = std::int64_t{1} << 22;

std::int64_t count_of(const std::vector<std::int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

void fill_normal(std::span<float> values, double deviation, Random& random) {
  for (float& value : values) value = static_cast<float>(deviation * random.normal());
}

// The node's convolution if it is one without groups.
const Conv2d* full_convolution(const Node& node) {
  const Conv2d* const conv = std::get_if<Conv2d>(&node.op);
  return conv != nullptr && conv->groups == 1 ? conv : nullptr;
}

bool reads_input(const Graph& graph, const Node& node) {
  return node.inputs == std::vector<std::string>{graph.nodes().front().name};
}

// [samples * places, C * kernel height * kernel width]: what the window sees of samples [begin,
// end), in the order of a filter's weights.
at::Tensor patches_of(const Samples& samples, std::int64_t begin, std::int64_t end,
                      const Preprocessing& preprocessing, const Window& w) {
  const Shape& shape = samples.shape;
  std::vector<float> values(static_cast<std::size_t>((end - begin) * shape.count()));
  fill_batch(samples, begin, end, preprocessing, Mirror::no, values);
  const at::Tensor maps =
      at::from_blob(values.data(), {end - begin, shape.height, shape.width, shape.channels},
                    at::kFloat)
          .permute({0, 3, 1, 2})
          .to(at::kDouble);
  return at::constant_pad_nd(maps, {w.pad_left, w.pad_right, w.pad_top, w.pad_bottom})
      .unfold(2, w.kernel_height, w.stride_height)
      .unfold(3, w.kernel_width, w.stride_width)
      .permute({0, 2, 3, 1, 4, 5})
      .reshape({-1, shape.channels * w.kernel_height * w.kernel_width});
}

// Of the patches that the node's window sees; `places` are those of one sample.
at::Tensor patch_covariance(const Samples& samples, const Preprocessing& preprocessing,
                            const Window& window, std::int64_t places) {
  const std::int64_t numbers = samples.shape.channels * window.kernel_height * window.kernel_width;
  const std::int64_t step = std::max<std::int64_t>(1, kNumbersAtOnce / (places * numbers));
  at::Tensor sum = at::zeros({numbers}, at::kDouble);
  at::Tensor products = at::zeros({numbers, numbers}, at::kDouble);
  for (std::int64_t begin = 0; begin < samples.count(); begin += step) {
    const at::Tensor patches =
        patches_of(samples, begin, std::min(begin + step, samples.count()), preprocessing, window);
    sum += patches.sum(0);
    products += patches.t().mm(patches);
  }
  const auto patches = static_cast<double>(samples.count() * places);
  return products / patches - at::outer(sum, sum) / (patches * patches);
}

}  // namespace

TensorMap fresh_weights(const Graph& graph, std::uint64_t seed) {
  TensorMap weights;
  std::uint64_t index = 0;
  for (const Node& node : graph.nodes()) {
    const bool normalizes = std::holds_alternative<BatchNorm>(node.op);
    for (const WeightSpec& spec : graph.weights(node)) {
      Random random(seed, ++index);
      Tensor tensor(DType::f32, spec.shape);
      const auto values = tensor.values<float>();
      if (spec.shape.size() >= 2) {
        const auto fan_in = static_cast<double>(count_of(spec.shape) / spec.shape[0]);
        const double gain = &node == &graph.output() ? 1.0 : 2.0;
        fill_normal(values, std::sqrt(gain / fan_in), random);
      } else if (normalizes &&
                 (spec.name.ends_with(".weight") || spec.name.ends_with(".running_var"))) {
        std::fill(values.begin(), values.end(), 1.0f);
      }
      weights[spec.name] = std::move(tensor);
    }
  }
  return weights;
}

void begin_as_identity(const Graph& graph, TensorMap& weights) {
  for (const Node& node : graph.nodes()) {
    const Conv2d* const conv = full_convolution(node);
    if (conv == nullptr || reads_input(graph, node)) continue;
    const Window& w = conv->window;
    const std::int64_t area = w.kernel_height * w.kernel_width;
    if (area == 1) continue;
    Tensor& tensor = weights.at(node.name + ".weight");
    const std::int64_t channels = tensor.shape()[1];
    const std::int64_t middle = w.kernel_height / 2 * w.kernel_width + w.kernel_width / 2;
    const auto values = tensor.values<float>();
    for (std::int64_t filter = 0; filter < std::min(conv->out_channels, channels); ++filter) {
      const auto numbers = values.subspan(static_cast<std::size_t>(filter * channels * area),
                                          static_cast<std::size_t>(channels * area));
      std::ranges::fill(numbers, 0.0f);
      numbers[static_cast<std::size_t>(filter * area + middle)] = 1.0f;
    }
  }
}

void whiten_input(const Graph& graph, const Samples& samples, const Preprocessing& preprocessing,
                  std::uint64_t seed, TensorMap& weights) {
  for (const Node& node : graph.nodes()) {
    const Conv2d* const conv = full_convolution(node);
    if (conv == nullptr || !reads_input(graph, node)) continue;
    const std::int64_t places = node.shape.height * node.shape.width;
    std::vector<std::int64_t> rows = epoch_order(samples.count(), seed, 0);
    rows.resize(std::min(rows.size(), static_cast<std::size_t>((kPatches + places - 1) / places)));
    const at::Tensor covariance =
        patch_covariance(select(samples, rows), preprocessing, conv->window, places);
    const double sum = covariance.trace().item<double>();
    if (!(sum > 0.0)) continue;
    const auto [eigenvalues, columns] = at::linalg_eigh(covariance);  // in rising order
    const at::Tensor filters =
        (columns / (eigenvalues.clamp_min(0.0) + kShareOfSum * sum).sqrt()).flip(1).t();
    const at::Tensor pairs = at::stack({filters, -filters}, 1).flatten(0, 1);
    const at::Tensor first =
        pairs.narrow(0, 0, std::min(pairs.size(0), conv->out_channels)).to(at::kFloat).contiguous();
    std::copy_n(first.data_ptr<float>(), first.numel(),
                weights.at(node.name + ".weight").values<float>().begin());
  }
}

TensorMap initial_weights(const FitRequest& request) {
  if (request.initial) return *request.initial;
  const auto seed = static_cast<std::uint64_t>(request.seed);
  TensorMap weights = fresh_weights(request.graph, seed);
  if (request.options.initialization == Initialization::whitened) {
    begin_as_identity(request.graph, weights);
    whiten_input(request.graph, *request.train, request.preprocessing, seed, weights);
  }
  return weights;
}

}  // namespace biglittle
