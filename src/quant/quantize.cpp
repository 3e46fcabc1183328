// SPDX-License-Identifier: MIT
#include "quant/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "quant/equalize.h"
#include "quant/judge.h"
#include "quant/noise.h"
#include "quant/ranges.h"

namespace biglittle {
namespace {

void check_tune(const Checkpoint& checkpoint, const Samples& tune,
                std::span<const std::int64_t> labels) {
  const auto classes = static_cast<std::int64_t>(checkpoint.classes.size());
  if (tune.count() == 0) throw Error(ErrorKind::bad_data, "tune has no samples to quantize with");
  if (static_cast<std::int64_t>(labels.size()) != tune.count()) {
    throw Error(ErrorKind::internal,
                fmt::format("{} labels for {} tune samples", labels.size(), tune.count()));
  }
  if (std::any_of(labels.begin(), labels.end(),
                  [&](std::int64_t label) { return label < 0 || label >= classes; })) {
    throw Error(ErrorKind::internal, "a tune label is not a class of the checkpoint");
  }
}

}  // namespace

void describe(QuantizeOptions& options, OptionVisitor& visitor) {
  visitor.field("range", options.range,
                "how activation ranges are chosen: the observed extremes, a percentile, or the "
                "least squared error");
  visitor.field("percentile", options.percentile, RealRange{50.0, 100.0},
                "percent of values kept on each side, for range = \"percentile\"");
  visitor.field("range_samples", options.range_samples, IntRange{1, 1 << 24},
                "tune samples that ranges are observed on");
  visitor.field("equalize", options.equalize,
                "balance the channels of consecutive layers before, for networks with depthwise "
                "convolutions");
  visitor.field("max_drop", options.max_drop, RealRange{0.0, 1.0},
                "largest permitted loss of accuracy on tune, as a rate");
  visitor.section("fine_tune", options.fine_tune,
                  "quantization-aware training after it, on what derivation trained on");
}

void describe(FineTuneOptions& options, OptionVisitor& visitor) {
  visitor.field("epochs", options.epochs, IntRange{0, 100000},
                "passes over the train split; 0: post-training quantization alone");
  visitor.field("learning_rate", options.learning_rate, RealRange{1e-8, 100.0},
                "the schedule's peak");
  visitor.field("learn_steps", options.learn_steps,
                "learn the activations' scales, too, instead of keeping the observed ranges");
}

QuantizeResult quantize(const Checkpoint& checkpoint, const Samples& tune,
                        std::span<const std::int64_t> tune_labels, const QuantizeOptions& options,
                        const ComputeOptions& compute, const Engine& engine) {
  check_tune(checkpoint, tune, tune_labels);
  Network folded = fold_batch_norm(checkpoint.network);
  if (options.equalize) folded = equalize_layers(std::move(folded));
  const auto ranges = observe_ranges(folded, checkpoint.preprocessing,
                                     spread(tune, options.range_samples), options, engine);
  return judge(checkpoint, std::move(folded), ranges, {tune, tune_labels, compute}, engine);
}

void check_drop(const QuantizeResult& result, double max_drop) {
  if (result.drop <= max_drop) return;
  throw Error(
      ErrorKind::gate,
      fmt::format("int8 accuracy on tune is {}, {:.2f} points below float ({}), more than "
                  "max_drop = {}; noisiest layers: {}; try another range method, more "
                  "range_samples, fine_tune.epochs or a wider network",
                  format_percent(result.int8_accuracy), result.drop * 100.0,
                  format_percent(result.float_accuracy), max_drop, name_worst(result.noise, 3)));
}

Json to_json(const QuantizeResult& result) {
  Json layers = Json::array();
  for (const LayerNoise& layer : result.noise) {
    layers.push_back({{"node", layer.node}, {"sqnr_db", layer.sqnr_db}});
  }
  return {{"float_accuracy", result.float_accuracy}, {"int8_accuracy", result.int8_accuracy},
          {"int8_loss", result.int8_loss},           {"agreement", result.agreement},
          {"noisiest", name_worst(result.noise, 3)}, {"layers", layers}};
}

}  // namespace biglittle
