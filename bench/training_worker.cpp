// SPDX-License-Identifier: MIT
// usage: training_worker NETWORK RECORDS BATCH THREADS PRECISION
// Trains a network of training_networks.h by Engine::fit and reports how long steps take; talks to
// bench/training.mjs line by line, as bench/peer.py does:
//
//   run LEAD COUNT   trains LEAD steps, then COUNT more; the nanoseconds of wall clock and of
//                    processor time that the latter took
//
// Training stands still between commands: what was fetched ahead is used up in the lead.

#include <cstdio>
#include <ctime>
#include <iostream>
#include <string>
#include <utility>

#include "bench/training_networks.h"
#include "bench/training_request.h"
#include "core/error.h"
#include "graph/cost.h"

namespace {

using namespace biglittle;

constexpr std::int64_t kClasses = 10;
/// So many that training never ends by itself.
constexpr std::int64_t kEpochs = 1'000'000;
/// Each epoch ends with a measurement, which is not what is timed here.
constexpr std::int64_t kTuneSamples = 16;

std::int64_t nanoseconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// Lets fit advance by as many steps as a command asks for.
class Rounds final : public Observer {
 public:
  explicit Rounds(std::string about) : about_(std::move(about)) {}

  void progress(std::int64_t done, std::int64_t) override {
    if (about_.empty()) {
      if (done == end_) answer();
    } else {  // the first step, which sets everything up
      std::cout << "ready " << std::exchange(about_, {}) << std::endl;
      end_ = done;
    }
    if (done == end_) read_command(done);
    if (done == begin_) start();
  }

  int stop_requested() const override { return stopped_ ? 130 : 0; }

 private:
  void start() {
    wall_ = nanoseconds(CLOCK_MONOTONIC);
    busy_ = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
  }

  void answer() const {
    std::cout << nanoseconds(CLOCK_MONOTONIC) - wall_ << ' '
              << nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - busy_ << std::endl;
  }

  void read_command(std::int64_t done) {
    std::string word;
    std::int64_t lead = 0;
    std::int64_t count = 0;
    if (!(std::cin >> word >> lead >> count)) {
      stopped_ = true;
      return;
    }
    if (word != "run" || lead < 0 || count < 1) {
      throw Error(ErrorKind::usage, "unknown command " + word + "; there is run LEAD COUNT");
    }
    begin_ = done + lead;
    end_ = begin_ + count;
  }

  std::string about_;
  std::int64_t begin_ = -1;
  std::int64_t end_ = -1;
  std::int64_t wall_ = 0;
  std::int64_t busy_ = 0;
  bool stopped_ = false;
};

std::string describe_network(const Graph& graph) {
  return Json{{"parameters", count_cost(graph).parameters},
              {"macs", count_cost(graph).macs},
              {"operations", bench::training_operations(graph)}}
      .dump();
}

void serve(char** arguments) {
  const Graph graph = bench::training_network(arguments[1]);
  const bench::Records records = bench::read_records(arguments[2], graph.input().shape, kClasses);
  const bench::Records tune = bench::first_records(records, kTuneSamples);
  FitRequest request = bench::usual_request(graph, records, tune, arguments[5]);
  request.options.epochs = kEpochs;
  request.options.batch_size = std::stoll(arguments[3]);
  request.compute.threads = std::stoll(arguments[4]);
  Rounds rounds(describe_network(graph));
  try {
    load_engine().fit(request, rounds);
  } catch (const Interrupted&) {
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: training_worker NETWORK RECORDS BATCH THREADS PRECISION\n");
    return 64;
  }
  try {
    serve(argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "training_worker: %s\n", error.what());
    return 70;
  }
  return 0;
}
