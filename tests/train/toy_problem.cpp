// SPDX-License-Identifier: MIT
#include "train/toy_problem.h"

#include "core/random.h"

namespace biglittle::testing {
namespace {

constexpr std::int64_t kSide = 8;

void add_samples(std::int64_t count, Random& random, Samples& samples,
                 std::vector<std::int64_t>& labels) {
  std::vector<std::uint8_t> values;
  for (std::int64_t n = 0; n < count; ++n) {
    const auto label = static_cast<std::int64_t>(random.below(4));
    labels.push_back(label);
    for (std::int64_t y = 0; y < kSide; ++y) {
      for (std::int64_t x = 0; x < kSide; ++x) {
        const std::int64_t quadrant = (y >= kSide / 2 ? 2 : 0) + (x >= kSide / 2 ? 1 : 0);
        const auto noise = static_cast<std::int64_t>(random.below(120));
        values.push_back(static_cast<std::uint8_t>(noise + (quadrant == label ? 90 : 0)));
      }
    }
  }
  samples = {Shape{1, kSide, kSide}, std::move(values)};
}

}  // namespace

ToyProblem make_toy_problem(std::int64_t train_count, std::int64_t tune_count, std::uint64_t seed) {
  Random random(seed);
  ToyProblem problem;
  add_samples(train_count, random, problem.train, problem.train_labels);
  add_samples(tune_count, random, problem.tune, problem.tune_labels);
  return problem;
}

Graph toy_graph(std::int64_t classes) {
  const Window window = square_window(3, 1, 1);
  Graph graph;
  std::string x = graph.append("input", Input{{1, kSide, kSide}});
  x = graph.append("a", Conv2d{8, window, 1, false}, {x});
  x = graph.append("a_bn", BatchNorm{}, {x});
  const std::string shortcut = graph.append("a_relu", Relu{}, {x});
  x = graph.append("b", Conv2d{8, window, 8, false}, {shortcut});
  x = graph.append("b_bn", BatchNorm{}, {x});
  x = graph.append("sum", Add{}, {x, shortcut});
  x = graph.append("sum_relu", Relu{}, {x});
  x = graph.append("pool", MaxPool{square_window(2, 2, 0)}, {x});
  x = graph.append("flat", Flatten{}, {x});
  graph.append("classifier", Linear{classes}, {x});
  return graph;
}

FitRequest toy_request(const ToyProblem& problem, std::int64_t threads) {
  FitRequest request;
  request.graph = toy_graph(4);
  request.train = &problem.train;
  request.train_labels = problem.train_labels;
  request.tune = &problem.tune;
  request.tune_labels = problem.tune_labels;
  request.preprocessing = {SampleType::u8, 1.0 / 50.0, 80.0};
  request.options.epochs = 2;
  request.options.batch_size = 32;
  request.options.learning_rate = 0.05;
  request.compute.threads = threads;
  request.compute.precision = Precision::fp32;  // on every processor
  return request;
}

}  // namespace biglittle::testing
