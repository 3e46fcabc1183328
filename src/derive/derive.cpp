// SPDX-License-Identifier: MIT
#include "derive/derive.h"

#include <fmt/core.h>

#include <utility>

#include "core/error.h"
#include "train/fit_checkpoint.h"

namespace biglittle {

void describe(LittleOptions& options, OptionVisitor& visitor) {
  visitor.field("priority", options.priority,
                "class names the little network must know, or \"all\"");
  visitor.field("method", options.method,
                "distill: learn from big's beliefs; retrain: from relabelled data alone");
  visitor.field("temperature", options.temperature, RealRange{1.0, 100.0},
                "softening of both beliefs in distillation");
  visitor.field("soft_weight", options.soft_weight, RealRange{0.0, 1.0},
                "share of big's beliefs in the loss, the rest is the labels'");
  visitor.field("teacher_logits", options.teacher_logits,
                "cached: big looks once at each sample and its mirror image; fresh: at each crop");
  visitor.section("network", options.network, "architecture of the little network");
  visitor.section("train", options.train, "how the little network is trained");
}

Checkpoint derive_little(const Checkpoint& big, const Dataset& dataset,
                         const LittleOptions& options, const RunContext& context,
                         const Engine& engine, Observer& observer) {
  if (big.classes != dataset.classes) {
    throw Error(ErrorKind::bad_data,
                fmt::format("the big network knows {} classes that are not the dataset's {}: train "
                            "it on this dataset first",
                            big.classes.size(), dataset.classes.size()));
  }
  const PriorityMap map = resolve_priorities(options.priority, dataset.classes);
  const Split& train = dataset.split(SplitName::train);
  const Split& tune = dataset.split(SplitName::tune);
  const std::vector<std::int64_t> train_labels = relabel(train.labels, map);
  const std::vector<std::int64_t> tune_labels = relabel(tune.labels, map);

  Checkpoint start;
  start.network.graph = build_network(options.network, dataset.input_shape, map.classes());
  start.classes = map.names;
  start.preprocessing = big.preprocessing;
  start.priority = map;
  start.dataset_digest = dataset.digest;
  start.teacher_digest = network_digest(big.network);

  FitRequest request;
  request.train = &train.samples;
  request.train_labels = train_labels;
  request.tune = &tune.samples;
  request.tune_labels = tune_labels;
  request.options = options.train;
  if (options.method == DeriveMethod::distill) {
    request.distillation = Distillation{big.network, map, options.temperature,
                                        options.soft_weight, options.teacher_logits};
  }
  return fit_checkpoint(std::move(start), std::move(request), context, engine, observer);
}

}  // namespace biglittle
