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

LittleTask little_task(const Dataset& dataset, const LittleOptions& options) {
  LittleTask task;
  task.map = resolve_priorities(options.priority, dataset.classes);
  task.train_labels = relabel(dataset.split(SplitName::train).labels, task.map);
  task.tune_labels = relabel(dataset.split(SplitName::tune).labels, task.map);
  return task;
}

FitRequest little_objective(const Checkpoint& big, const Dataset& dataset, const LittleTask& task,
                            const LittleOptions& options) {
  FitRequest request;
  request.train = &dataset.split(SplitName::train).samples;
  request.train_labels = task.train_labels;
  request.tune = &dataset.split(SplitName::tune).samples;
  request.tune_labels = task.tune_labels;
  request.options = options.train;
  if (options.method == DeriveMethod::distill) {
    request.distillation = Distillation{big.network, task.map, options.temperature,
                                        options.soft_weight, options.teacher_logits};
  }
  return request;
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
  const LittleTask task = little_task(dataset, options);
  Checkpoint start;
  start.network.graph = build_network(options.network, dataset.input_shape, task.map.classes());
  start.classes = task.map.names;
  start.preprocessing = without_mirror(big.preprocessing);
  start.priority = task.map;
  start.dataset_digest = dataset.digest;
  start.teacher_digest = network_digest(big.network);
  return fit_checkpoint(std::move(start), little_objective(big, dataset, task, options), context,
                        engine, observer);
}

}  // namespace biglittle
