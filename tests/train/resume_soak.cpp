// SPDX-License-Identifier: MIT
// resume_soak [POINTS]: interrupts training at random steps and resumes it, for each optimizer and
// number of threads; counts bytes of the final weights that differ from a run without interruption.

#include <fmt/format.h>

#include <cstdlib>
#include <random>

#include "testing/temporary_folder.h"
#include "train/interruptions.h"
#include "train/toy_problem.h"

extern "C" const biglittle::Engine* biglittle_engine();

using namespace biglittle;

namespace {

std::int64_t differing_bytes(const TensorMap& a, const TensorMap& b) {
  std::int64_t count = 0;
  for (const auto& [name, tensor] : a) {
    const std::span<const std::byte> x = tensor.bytes();
    const std::span<const std::byte> y = b.at(name).bytes();
    for (std::size_t i = 0; i < x.size(); ++i) count += x[i] != y[i];
  }
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  const int points = argc > 1 ? std::atoi(argv[1]) : 100;
  const testing::ToyProblem problem = testing::make_toy_problem(256, 64, 8);
  const testing::TemporaryFolder folder;
  const Engine& engine = *biglittle_engine();
  std::mt19937 random(1);
  Observer silent;
  std::int64_t different = 0;
  fmt::print("{:<10} {:>7} {:>14} {:>15}\n", "optimizer", "threads", "interruptions",
             "bytes different");
  for (const FitRequest& request : testing::resumable_requests(problem)) {
    const FitResult whole = engine.fit(request, silent);
    const std::int64_t steps = request.options.epochs * (256 / request.options.batch_size);
    std::int64_t found = 0;
    for (int i = 0; i < points; ++i) {
      const std::int64_t step = 1 + static_cast<std::int64_t>(random()) % (steps - 1);
      const FitResult resumed =
          testing::fit_with_interruptions(engine, request, {step}, folder / "state.safetensors");
      found += differing_bytes(whole.weights, resumed.weights);
      found += resumed.history == whole.history ? 0 : 1;
    }
    fmt::print("{:<10} {:>7} {:>14} {:>15}\n",
               EnumNames<OptimizerKind>::names[static_cast<std::size_t>(request.options.optimizer)],
               request.compute.threads, points, found);
    different += found;
  }
  return different == 0 ? 0 : 1;
}
