// SPDX-License-Identifier: MIT
#include "train/libtorch/initial_weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/random.h"
#include "train/toy_problem.h"

namespace biglittle {
namespace {

TEST(FreshWeights, HaveTheDeviationOfHe) {
  Graph graph;
  graph.append("input", Input{{64, 4, 4}});
  graph.append("conv", Conv2d{64, square_window(3, 1, 1), 1, false}, {"input"});
  graph.append("pool", GlobalAvgPool{}, {"conv"});
  graph.append("classifier", Linear{10}, {"pool"});
  const TensorMap weights = fresh_weights(graph, 1);
  const auto values = weights.at("conv.weight").values<float>();
  double squares = 0.0;
  for (const float value : values) squares += static_cast<double>(value) * value;
  // 36,864 normal numbers: the deviation is known to 0.4 %.
  EXPECT_NEAR(std::sqrt(squares / static_cast<double>(values.size())), std::sqrt(2.0 / 576.0),
              0.02 * std::sqrt(2.0 / 576.0));
  EXPECT_EQ(fresh_weights(graph, 1), weights);
  EXPECT_NE(fresh_weights(graph, 2), weights);
}

// Three channels of 6x5, each number a mixture of its neighbours, so that patches are correlated.
Samples correlated_samples(std::int64_t count) {
  const Shape shape{3, 6, 5};
  Samples samples{shape, std::vector<float>()};
  auto& values = std::get<std::vector<float>>(samples.values);
  Random random(7);
  double drift = 0.0;
  for (std::int64_t i = 0; i < count * shape.count(); ++i) {
    drift = 0.7 * drift + random.normal();
    values.push_back(static_cast<float>(0.5 + drift));
  }
  return samples;
}

// What a filter [3, 2, 3] without bias answers at each place of a 2x3 window with stride 1 and one
// row of padding above.
std::vector<double> outputs_of(const Samples& samples, const Preprocessing& preprocessing,
                               std::span<const float> filter) {
  const Shape& shape = samples.shape;
  const std::span<const float> values = samples.floats();
  std::vector<double> outputs;
  for (std::int64_t n = 0; n < samples.count(); ++n) {
    for (std::int64_t top = -1; top + 2 <= shape.height; ++top) {
      for (std::int64_t left = 0; left + 3 <= shape.width; ++left) {
        double sum = 0.0;
        for (std::int64_t c = 0; c < shape.channels; ++c) {
          for (std::int64_t y = 0; y < 2; ++y) {
            if (top + y < 0) continue;
            for (std::int64_t x = 0; x < 3; ++x) {
              const auto at = static_cast<std::size_t>(
                  n * shape.count() + (c * shape.height + top + y) * shape.width + left + x);
              sum += filter[static_cast<std::size_t>((c * 2 + y) * 3 + x)] * preprocessing.scale *
                     (values[at] - preprocessing.offset);
            }
          }
        }
        outputs.push_back(sum);
      }
    }
  }
  return outputs;
}

double covariance(std::span<const double> a, std::span<const double> b) {
  double sum_a = 0.0;
  double sum_b = 0.0;
  double products = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum_a += a[i];
    sum_b += b[i];
    products += a[i] * b[i];
  }
  const auto count = static_cast<double>(a.size());
  return products / count - sum_a / count * (sum_b / count);
}

constexpr Window kTwoByThree{.kernel_height = 2, .kernel_width = 3, .pad_top = 1};

Graph graph_on(const Shape& shape, std::int64_t filters) {
  Graph graph;
  graph.append("input", Input{shape});
  graph.append("first", Conv2d{filters, kTwoByThree, 1, false}, {"input"});
  graph.append("second", Conv2d{5, square_window(3, 1, 1), 1, true}, {"first"});
  graph.append("pool", GlobalAvgPool{}, {"second"});
  graph.append("classifier", Linear{2}, {"pool"});
  return graph;
}

TEST(InitialWeights, FiltersAtTheInputWhitenPatches) {
  const Samples samples = correlated_samples(400);
  const Preprocessing preprocessing{SampleType::f32, 0.5, 0.25};
  constexpr std::int64_t kFilters = 16;
  const Graph graph = graph_on(samples.shape, kFilters);
  const TensorMap fresh = fresh_weights(graph, 3);
  TensorMap weights = fresh;
  whiten_input(graph, samples, preprocessing, 3, weights);

  constexpr std::size_t kNumbers = 18;  // 3 channels of 2x3
  const auto filters = weights.at("first.weight").values<float>();
  std::vector<std::vector<double>> outputs;
  for (std::size_t pair = 0; pair < kFilters / 2; ++pair) {
    const auto plus = filters.subspan(2 * pair * kNumbers, kNumbers);
    const auto minus = filters.subspan((2 * pair + 1) * kNumbers, kNumbers);
    for (std::size_t i = 0; i < kNumbers; ++i) EXPECT_EQ(plus[i], -minus[i]);
    outputs.push_back(outputs_of(samples, preprocessing, plus));
  }
  for (std::size_t a = 0; a < outputs.size(); ++a) {
    for (std::size_t b = 0; b < outputs.size(); ++b) {
      EXPECT_NEAR(covariance(outputs[a], outputs[b]), a == b ? 1.0 : 0.0, 1e-3) << a << ' ' << b;
    }
  }
  // Rising deviations make falling filters: the first pair belongs to the largest eigenvalue.
  const auto square = [&](std::size_t filter) {
    double sum = 0.0;
    for (const float value : filters.subspan(filter * kNumbers, kNumbers)) sum += value * value;
    return sum;
  };
  for (std::size_t pair = 1; pair < kFilters / 2; ++pair) {
    EXPECT_GE(square(2 * pair), square(2 * pair - 2));
  }
  weights["first.weight"] = fresh.at("first.weight");
  EXPECT_EQ(weights, fresh) << "only the layer at the input";
}

TEST(InitialWeights, MoreFiltersThanPairsKeepTheRest) {
  const Samples samples = correlated_samples(50);
  const Graph graph = graph_on(samples.shape, 40);
  const TensorMap fresh = fresh_weights(graph, 3);
  TensorMap weights = fresh;
  whiten_input(graph, samples, {SampleType::f32}, 3, weights);
  const auto before = fresh.at("first.weight").values<float>();
  const auto after = weights.at("first.weight").values<float>();
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(after[i] == before[i], i >= std::size_t{36 * 18}) << i;
  }
}

TEST(InitialWeights, SamplesThatDoNotVaryAreNotWhitened) {
  Samples samples = correlated_samples(5);
  std::ranges::fill(std::get<std::vector<float>>(samples.values), 0.0f);
  const Graph graph = graph_on(samples.shape, 8);
  const TensorMap fresh = fresh_weights(graph, 3);
  TensorMap weights = fresh;
  whiten_input(graph, samples, {SampleType::f32}, 3, weights);
  EXPECT_EQ(weights, fresh);
}

TEST(InitialWeights, LaterConvolutionsPassOnTheirInput) {
  Graph graph;
  graph.append("input", Input{{3, 8, 8}});
  graph.append("first", Conv2d{2, square_window(3, 1, 1), 1, false}, {"input"});
  graph.append("wider", Conv2d{4, square_window(3, 1, 1), 1, false}, {"first"});
  graph.append("depthwise", Conv2d{4, square_window(3, 1, 1), 4, false}, {"wider"});
  graph.append("pointwise", Conv2d{4, square_window(1, 1, 0), 1, false}, {"depthwise"});
  graph.append("narrower", Conv2d{3, square_window(5, 1, 2), 1, false}, {"pointwise"});
  graph.append("pool", GlobalAvgPool{}, {"narrower"});
  graph.append("classifier", Linear{2}, {"pool"});
  const TensorMap fresh = fresh_weights(graph, 3);
  TensorMap weights = fresh;
  begin_as_identity(graph, weights);

  const auto expect_identity = [&](const std::string& name, std::size_t filters,
                                   std::size_t channels, std::size_t area) {
    const auto before = fresh.at(name).values<float>();
    const auto after = weights.at(name).values<float>();
    for (std::size_t i = 0; i < after.size(); ++i) {
      const std::size_t filter = i / (channels * area);
      const bool passes = i % (channels * area) == filter * area + area / 2;
      EXPECT_EQ(after[i], filter >= filters ? before[i] : passes ? 1.0f : 0.0f) << name << ' ' << i;
    }
  };
  expect_identity("wider.weight", 2, 2, 9);
  expect_identity("narrower.weight", 3, 4, 25);
  for (const char* const name : {"first.weight", "depthwise.weight", "pointwise.weight"}) {
    EXPECT_EQ(weights.at(name), fresh.at(name)) << name;
  }
}

TEST(InitialWeights, AreAsTheRequestAsks) {
  const testing::ToyProblem problem = testing::make_toy_problem(64, 16, 1);
  FitRequest request = testing::toy_request(problem, 1);
  const TensorMap fresh = fresh_weights(request.graph, static_cast<std::uint64_t>(request.seed));
  EXPECT_EQ(initial_weights(request), fresh);
  request.options.initialization = Initialization::whitened;
  TensorMap expected = fresh;
  begin_as_identity(request.graph, expected);
  whiten_input(request.graph, problem.train, request.preprocessing,
               static_cast<std::uint64_t>(request.seed), expected);
  EXPECT_NE(expected, fresh);
  EXPECT_EQ(initial_weights(request), expected);
  request.initial = fresh;
  EXPECT_EQ(initial_weights(request), fresh);
}

}  // namespace
}  // namespace biglittle
