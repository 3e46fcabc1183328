// SPDX-License-Identifier: MIT
#pragma once

// A small image problem that a small network learns in seconds: class k is a bright square in
// quadrant k, on noise.

#include <cstdint>
#include <vector>

#include "data/dataset.h"
#include "train/engine.h"

namespace biglittle::testing {

struct ToyProblem {
  Samples train;
  std::vector<std::int64_t> train_labels;
  Samples tune;
  std::vector<std::int64_t> tune_labels;
};

/// Four classes of 1x8x8 samples.
ToyProblem make_toy_problem(std::int64_t train_count, std::int64_t tune_count, std::uint64_t seed);

/// A small conv net with batch norm, pooling and a residual add for it.
Graph toy_graph(std::int64_t classes);

/// A request with two epochs of plain SGD; the problem must outlive it.
FitRequest toy_request(const ToyProblem& problem, std::int64_t threads);

}  // namespace biglittle::testing
