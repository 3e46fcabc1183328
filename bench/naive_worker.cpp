// SPDX-License-Identifier: MIT
// The naive loops of one network as a worker. usage: naive_worker NETWORK

#include <cstdio>
#include <exception>

#include "bench/naive_network.h"
#include "bench/network_folder.h"
#include "bench/worker.h"

namespace {

using namespace biglittle;
using namespace biglittle::bench;

struct Naive {
  NaiveNetwork network;
  std::vector<std::uint8_t> samples;
  std::size_t sample_bytes;
  std::span<const std::int32_t> accumulators;
};

void infer(void* state, long sample) {
  Naive& self = *static_cast<Naive*>(state);
  self.accumulators = self.network.run(
      std::span(self.samples)
          .subspan(static_cast<std::size_t>(sample) * self.sample_bytes, self.sample_bytes));
}

double output(void* state, long index) {
  return static_cast<const Naive*>(state)->accumulators[static_cast<std::size_t>(index)];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: naive_worker NETWORK\n");
    return 64;
  }
  try {
    const BenchNetwork made = make_network(argv[1]);
    Naive naive{NaiveNetwork(made.int8),
                interleaved(made.samples),
                static_cast<std::size_t>(made.samples.shape.count()),
                {}};
    const bench_engine engine = {&naive, static_cast<long>(made.samples.count()),
                                 static_cast<long>(made.int8.classes.size()), infer, output};
    return bench_serve(&engine, "naive");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "naive_worker: %s\n", error.what());
    return 70;
  }
}
