// SPDX-License-Identifier: MIT
#include "bench/training_request.h"

#include <string>
#include <utility>

#include "core/error.h"

namespace biglittle::bench {
namespace {

Precision precision_named(std::string_view name) {
  for (const Precision precision : {Precision::automatic, Precision::fp32, Precision::bf16}) {
    if (name_of(precision) == name) return precision;
  }
  throw Error(ErrorKind::usage,
              "there is no precision " + std::string(name) + "; there are auto, fp32 and bf16");
}

}  // namespace

FitRequest usual_request(Graph graph, const Records& train, const Records& tune,
                         std::string_view precision) {
  FitRequest request;
  request.graph = std::move(graph);
  request.train = &train.samples;
  request.train_labels = train.labels;
  request.tune = &tune.samples;
  request.tune_labels = tune.labels;
  request.preprocessing = usual_preprocessing(train);
  request.options.learning_rate = 0.1;
  request.options.label_smoothing = 0.1;
  // An eighth of the side, as usual for CIFAR-10; less where the object fills a smaller image.
  request.options.augment.crop_pad = train.samples.shape.height >= 32 ? 4 : 1;
  request.options.augment.flip = true;
  request.compute.precision = precision_named(precision);
  return request;
}

}  // namespace biglittle::bench
