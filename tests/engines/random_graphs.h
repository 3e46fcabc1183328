// SPDX-License-Identifier: MIT
#pragma once

// Random graphs against plain loops (tests/quant/naive_int8.h): the interpreter and the generated
// code in every form, the sanitizers watching.

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "engines/device_engines.h"

namespace biglittle::testing {

/// Arguments of random_graph: seed and length.
using GraphDraw = std::pair<std::uint32_t, std::int64_t>;

/// The forms of the kernels that this machine has, compiled by clang with -fsanitize=undefined,
/// integer,address; then without them by gcc -O2, which other bugs hide from.
std::vector<DeviceEngine> sanitized_engines();
std::vector<DeviceEngine> plain_engines();

class RandomGraphs {
 public:
  /// Compiles the runtime for `engines` in `folder`.
  RandomGraphs(std::filesystem::path folder, std::vector<DeviceEngine> engines);

  /// What differs on these graphs, a line each; empty: nothing. Throws std::runtime_error with the
  /// output of a compiler or of a sanitizer.
  std::string differences(const std::vector<GraphDraw>& draws) const;

 private:
  std::filesystem::path folder_;
  std::vector<DeviceEngine> engines_;
};

/// Draws `batches` times `size` graphs with rapidcheck and checks them; the report of the first
/// batch that fails, or an empty text. `parameters` are rapidcheck's, such as "seed=1"; a process
/// has one set of them, and the environment variable RC_PARAMS goes before.
std::string check_random_graphs(const RandomGraphs& graphs, int batches, std::size_t size,
                                const std::string& parameters = "");

}  // namespace biglittle::testing
