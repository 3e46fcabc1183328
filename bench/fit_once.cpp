// SPDX-License-Identifier: MIT
// usage: fit_once NETWORK TRAIN TEST EPOCHS SEED PRECISION
// Trains a network of training_networks.h and prints the share of TEST that it gets right after the
// last epoch; bench/peer.py --fit does the same in PyTorch. Both files are as in records.h.

#include <cstdio>
#include <string>

#include "bench/training_networks.h"
#include "bench/training_request.h"

namespace {

using namespace biglittle;

constexpr std::int64_t kClasses = 10;
constexpr std::int64_t kBatch = 128;

double fit_once(char** arguments) {
  const Graph graph = bench::training_network(arguments[1]);
  const Shape& shape = graph.input().shape;
  const bench::Records train = bench::read_records(arguments[2], shape, kClasses);
  const bench::Records test = bench::read_records(arguments[3], shape, kClasses);
  FitRequest request = bench::usual_request(graph, train, test, arguments[6]);
  request.options.epochs = std::stoll(arguments[4]);
  request.options.batch_size = kBatch;
  request.seed = std::stoll(arguments[5]);
  Observer silent;
  return load_engine().fit(request, silent).history.back()["tune_accuracy"].get<double>();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "usage: fit_once NETWORK TRAIN TEST EPOCHS SEED PRECISION\n");
    return 64;
  }
  try {
    std::printf("%.6f\n", fit_once(argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fit_once: %s\n", error.what());
    return 70;
  }
  return 0;
}
