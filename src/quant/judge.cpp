// SPDX-License-Identifier: MIT
#include "quant/judge.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/version.h"
#include "quant/interpreter.h"
#include "quant/lowering.h"
#include "quant/noise.h"

namespace biglittle {
namespace {

/// Samples on which layers are compared one by one; 200 settle a decibel.
constexpr std::int64_t kNoiseSamples = 200;

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

/// Mean of -log softmax(scale * accumulators)[label].
double cross_entropy(std::span<const std::int32_t> accumulators, double scale,
                     std::span<const std::int64_t> labels) {
  const std::size_t classes = accumulators.size() / labels.size();
  double total = 0.0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = accumulators.subspan(i * classes, classes);
    const double top = *std::max_element(row.begin(), row.end());
    double sum = 0.0;
    for (const std::int32_t acc : row) sum += std::exp(scale * (acc - top));
    total += std::log(sum) - scale * (row[static_cast<std::size_t>(labels[i])] - top);
  }
  return total / static_cast<double>(labels.size());
}

}  // namespace

ComputeOptions in_float32(ComputeOptions compute) {
  compute.precision = Precision::fp32;
  return compute;
}

Samples spread(const Samples& samples, std::int64_t count) {
  const std::int64_t total = samples.count();
  if (count >= total) return samples;
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < count; ++i) rows.push_back(i * total / count);
  return select(samples, rows);
}

QuantizeResult judge(const Checkpoint& checkpoint, Network folded,
                     const std::map<std::string, Range>& ranges, const TuneSet& tune,
                     const Engine& engine) {
  QuantizeResult result;
  result.model = lower(folded, checkpoint.preprocessing, ranges);
  result.model.classes = checkpoint.classes;
  result.model.priority = checkpoint.priority;
  result.model.source_digest = network_digest(checkpoint.network);
  result.model.config_toml = checkpoint.config_toml;
  result.model.program_version = program_version();
  const Interpreter interpreter(result.model);
  const ComputeOptions exact = in_float32(tune.compute);
  result.noise =
      measure_noise(folded, result.model, interpreter, spread(tune.samples, kNoiseSamples), engine);
  result.folded = std::move(folded);

  const std::int64_t n = tune.samples.count();
  const auto logits =
      engine.logits(checkpoint.network, checkpoint.preprocessing, tune.samples, exact);
  const auto accumulators = interpreter.run(tune.samples, tune.compute.threads);
  const auto float_answers = answers<float>(logits, n);
  const auto int8_answers = answers<std::int32_t>(accumulators, n);
  const auto share_of = [n](std::int64_t count) {
    return static_cast<double>(count) / static_cast<double>(n);
  };
  const std::int64_t float_right = count_equal(float_answers, tune.labels);
  const std::int64_t int8_right = count_equal(int8_answers, tune.labels);
  result.float_accuracy = share_of(float_right);
  result.int8_accuracy = share_of(int8_right);
  result.drop = share_of(float_right - int8_right);
  result.int8_loss = cross_entropy(accumulators, logit_scale(result.model), tune.labels);
  result.agreement = share_of(count_equal(float_answers, int8_answers));
  return result;
}

}  // namespace biglittle
