// SPDX-License-Identifier: MIT
// usage: augment_worker RECORDS
// Times how a training batch of 3x32x32 images is made: crop, flip and normalization. A worker
// (worker.h) whose "run N" makes N batches; its one output is the images of a batch.

#include <cstdio>
#include <numeric>
#include <vector>

#include "bench/records.h"
#include "bench/worker.h"
#include "train/batch.h"

namespace {

using namespace biglittle;

constexpr Shape kImage = {3, 32, 32};
constexpr std::int64_t kClasses = 10;
constexpr std::int64_t kBatch = 256;

struct Augmenting {
  bench::Records records;
  Preprocessing preprocessing;
  std::vector<std::int64_t> order;
  std::vector<float> batch;
  std::vector<std::uint8_t> flipped;
};

/// Batch `number` of an epoch: rows from all over the data set, as in training.
void make_batch(void* state, long number) {
  Augmenting& self = *static_cast<Augmenting*>(state);
  const auto first = static_cast<std::size_t>(number * kBatch);
  fill_training_batch(self.records.samples, std::span(self.order).subspan(first, kBatch),
                      self.preprocessing, {.crop_pad = 4, .flip = true}, {1, 1}, self.batch,
                      self.flipped);
}

double images(void*, long) { return static_cast<double>(kBatch); }

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: augment_worker RECORDS\n");
    return 64;
  }
  try {
    Augmenting self;
    self.records = bench::read_records(argv[1], kImage, kClasses);
    self.preprocessing = bench::usual_preprocessing(self.records);
    self.order = epoch_order(self.records.samples.count(), 1, 1);
    self.batch.resize(static_cast<std::size_t>(kBatch * kImage.count()));
    self.flipped.resize(static_cast<std::size_t>(kBatch));
    const long batches = static_cast<long>(self.records.samples.count() / kBatch);
    const bench_engine engine = {&self, batches, 1, make_batch, images};
    return bench_serve(&engine, "augment");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "augment_worker: %s\n", error.what());
    return 70;
  }
}
