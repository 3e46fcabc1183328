// SPDX-License-Identifier: MIT
#include "train/train_big.h"

#include <utility>

#include "train/fit_checkpoint.h"

namespace biglittle {

Checkpoint train_big(const Dataset& dataset, const BigOptions& options, const RunContext& context,
                     const Engine& engine, Observer& observer) {
  Checkpoint start;
  start.network.graph = build_network(options.network, dataset.input_shape,
                                      static_cast<std::int64_t>(dataset.classes.size()));
  start.classes = dataset.classes;
  start.preprocessing = choose_preprocessing(dataset);
  start.dataset_digest = dataset.digest;

  FitRequest request;
  request.train = &dataset.split(SplitName::train).samples;
  request.train_labels = dataset.split(SplitName::train).labels;
  request.tune = &dataset.split(SplitName::tune).samples;
  request.tune_labels = dataset.split(SplitName::tune).labels;
  request.options = options.train;
  return fit_checkpoint(std::move(start), std::move(request), context, engine, observer);
}

}  // namespace biglittle
