// SPDX-License-Identifier: MIT
#include "quant/quantize.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "core/version.h"
#include "quant/interpreter.h"
#include "quant/lowering.h"
#include "quant/noise.h"
#include "quant/ranges.h"

namespace biglittle {
namespace {

/// Samples on which layers are compared one by one; 200 settle a decibel.
constexpr std::int64_t kNoiseSamples = 200;

/// At most `count` samples, evenly spaced, so that a split sorted by class is covered too.
Samples spread(const Samples& samples, std::int64_t count) {
  const std::int64_t total = samples.count();
  if (count >= total) return samples;
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < count; ++i) rows.push_back(i * total / count);
  return select(samples, rows);
}

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

/// Row by row, the class with the largest value, the lowest index on a tie.
template <typename T>
std::vector<std::int64_t> answers(std::span<const T> values, std::int64_t rows) {
  const std::size_t classes = values.size() / static_cast<std::size_t>(rows);
  std::vector<std::int64_t> result;
  for (std::size_t first = 0; first < values.size(); first += classes) {
    const auto row = values.subspan(first, classes);
    result.push_back(std::max_element(row.begin(), row.end()) - row.begin());
  }
  return result;
}

std::int64_t count_equal(std::span<const std::int64_t> a, std::span<const std::int64_t> b) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += a[i] == b[i] ? 1 : 0;
  return count;
}

void check_gate(const QuantizeResult& result, double drop, double max_drop) {
  if (drop <= max_drop) return;
  throw Error(
      ErrorKind::gate,
      fmt::format("int8 accuracy on tune is {}, {:.2f} points below float ({}), more than "
                  "max_drop = {}; noisiest layers: {}; try another range method, more "
                  "range_samples or a wider network",
                  format_percent(result.int8_accuracy), drop * 100.0,
                  format_percent(result.float_accuracy), max_drop, name_worst(result.noise, 3)));
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
  visitor.field("max_drop", options.max_drop, RealRange{0.0, 1.0},
                "largest permitted loss of accuracy on tune, as a rate");
}

QuantizeResult quantize(const Checkpoint& checkpoint, const Samples& tune,
                        std::span<const std::int64_t> tune_labels, const QuantizeOptions& options,
                        const ComputeOptions& compute, const Engine& engine) {
  check_tune(checkpoint, tune, tune_labels);
  ComputeOptions exact = compute;  // bf16 would blur what int8 is compared with
  exact.precision = Precision::fp32;
  const Network folded = fold_batch_norm(checkpoint.network);
  const auto ranges = observe_ranges(folded, checkpoint.preprocessing,
                                     spread(tune, options.range_samples), options, exact, engine);
  QuantizeResult result;
  result.model = lower(folded, checkpoint.preprocessing, ranges);
  result.model.classes = checkpoint.classes;
  result.model.priority = checkpoint.priority;
  result.model.source_digest = network_digest(checkpoint.network);
  result.model.config_toml = checkpoint.config_toml;
  result.model.program_version = program_version();
  const Interpreter interpreter(result.model);
  result.noise =
      measure_noise(folded, result.model, interpreter, spread(tune, kNoiseSamples), exact, engine);

  const std::int64_t n = tune.count();
  const auto logits = engine.logits(checkpoint.network, checkpoint.preprocessing, tune, exact);
  const auto float_answers = answers<float>(logits, n);
  const auto int8_answers = answers<std::int32_t>(interpreter.run(tune, compute.threads), n);
  const std::int64_t float_right = count_equal(float_answers, tune_labels);
  const std::int64_t int8_right = count_equal(int8_answers, tune_labels);
  const auto rate = [n](std::int64_t count) {
    return static_cast<double>(count) / static_cast<double>(n);
  };
  result.float_accuracy = rate(float_right);
  result.int8_accuracy = rate(int8_right);
  result.agreement = rate(count_equal(float_answers, int8_answers));
  check_gate(result, rate(float_right - int8_right), options.max_drop);
  return result;
}

}  // namespace biglittle
