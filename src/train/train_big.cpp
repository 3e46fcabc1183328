// SPDX-License-Identifier: MIT
#include "train/train_big.h"

#include <utility>

#include "train/fit_checkpoint.h"

namespace biglittle {

namespace {

/// Everything but weights and history.
Checkpoint untrained_big(const Dataset& dataset, const BigOptions& options) {
  Checkpoint start;
  start.network.graph = build_network(options.network, dataset.input_shape,
                                      static_cast<std::int64_t>(dataset.classes.size()));
  start.classes = dataset.classes;
  start.preprocessing = choose_preprocessing(dataset);
  start.preprocessing.with_mirror = options.test_time_flip;
  start.dataset_digest = dataset.digest;
  return start;
}

FitRequest big_request(const Dataset& dataset, const TrainOptions& options) {
  FitRequest request;
  request.train = &dataset.split(SplitName::train).samples;
  request.train_labels = dataset.split(SplitName::train).labels;
  request.tune = &dataset.split(SplitName::tune).samples;
  request.tune_labels = dataset.split(SplitName::tune).labels;
  request.options = options;
  return request;
}

}  // namespace

Checkpoint train_big(const Dataset& dataset, const BigOptions& options, const RunContext& context,
                     const Engine& engine, Observer& observer) {
  return fit_checkpoint(untrained_big(dataset, options), big_request(dataset, options.train),
                        context, engine, observer);
}

TrainingProfile profile_big(const Dataset& dataset, const BigOptions& options,
                            const RunContext& context, const Engine& engine, std::int64_t steps) {
  return engine.profile(
      completed(big_request(dataset, options.train), untrained_big(dataset, options), context),
      steps);
}

}  // namespace biglittle
