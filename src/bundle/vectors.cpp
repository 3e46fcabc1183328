// SPDX-License-Identifier: MIT
#include "bundle/vectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bundle/device_policy.h"
#include "bundle/tensor_reader.h"
#include "core/error.h"
#include "quant/interpreter.h"

namespace biglittle {
namespace {

constexpr std::int64_t kVectorLimit = 1024;
constexpr std::string_view kFormat = "biglittle-vectors";
constexpr std::string_view kVersion = "2";

template <typename T>
std::span<const T> span_of(const std::vector<T>& values) {
  return {values.data(), values.size()};
}

std::vector<std::int64_t> sample_shape(const Samples& samples) {
  return {samples.count(), samples.shape.channels, samples.shape.height, samples.shape.width};
}

std::int64_t outputs(const Int8Model& model) { return model.graph.output().shape.count(); }

Samples read_samples(const TensorReader& reader, const Int8Model& model, std::int64_t count) {
  Samples samples;
  samples.shape = model.graph.input().shape;
  const std::vector<std::int64_t> shape = {count, samples.shape.channels, samples.shape.height,
                                           samples.shape.width};
  if (model.preprocessing.type == SampleType::u8) {
    samples.values = reader.values<std::uint8_t>("samples", shape);
    return samples;
  }
  std::vector<float> values = reader.values<float>("samples", shape);
  if (!std::all_of(values.begin(), values.end(),
                   [](float value) { return std::isfinite(value); })) {
    reader.refuse("'samples' has a value that is not finite");
  }
  samples.values = std::move(values);
  return samples;
}

template <typename T>
std::string difference_of(std::string_view what, const std::vector<T>& recorded,
                          const std::vector<T>& computed, std::size_t row) {
  if (recorded[row] == computed[row]) return {};
  return fmt::format("vector {}: {} is {}, recorded {}", row, what, computed[row], recorded[row]);
}

std::string row_difference(const TestVectors& recorded, const TestVectors& computed,
                           std::size_t row, std::size_t classes) {
  for (std::size_t i = 0; i < classes; ++i) {
    const std::int32_t expected = recorded.accumulators[row * classes + i];
    const std::int32_t found = computed.accumulators[row * classes + i];
    if (expected != found) {
      return fmt::format("vector {}: accumulator of class {} is {}, recorded {}", row, i, found,
                         expected);
    }
  }
  std::string text = difference_of("class", recorded.little_class, computed.little_class, row);
  if (text.empty()) text = difference_of("score", recorded.score, computed.score, row);
  if (text.empty()) text = difference_of("escalate", recorded.escalate, computed.escalate, row);
  return text;
}

}  // namespace

TestVectors make_vectors(const Int8Model& model, const EscalationPolicy& policy,
                         const Samples& samples, std::span<const std::int64_t> labels) {
  const std::int64_t count = samples.count();
  if (count < 1 || count > kVectorLimit || static_cast<std::int64_t>(labels.size()) != count) {
    throw Error(ErrorKind::bad_data,
                fmt::format("{} test vectors with {} labels, expected 1 to {} of both", count,
                            labels.size(), kVectorLimit));
  }
  if (!model.priority) throw Error(ErrorKind::bad_data, "the int8 model has no priority map");
  require_device_policy(policy, model.classes.size());
  TestVectors vectors;
  vectors.samples = samples;
  vectors.labels.assign(labels.begin(), labels.end());
  vectors.accumulators = Interpreter(model).run(samples);
  const auto classes = static_cast<std::size_t>(outputs(model));
  for (std::size_t row = 0; row < vectors.labels.size(); ++row) {
    const auto sums = span_of(vectors.accumulators).subspan(row * classes, classes);
    const std::int64_t answer = decide(sums).top;
    const std::int64_t score = score_of(sums, policy.rule, *model.priority);
    const bool local = score >= policy.thresholds[static_cast<std::size_t>(answer)];
    vectors.little_class.push_back(answer);
    vectors.score.push_back(score);
    vectors.escalate.push_back(local ? 0 : 1);
  }
  return vectors;
}

void write_vectors(const std::filesystem::path& file, const TestVectors& vectors) {
  const std::int64_t count = vectors.count();
  const std::int64_t classes = static_cast<std::int64_t>(vectors.accumulators.size()) / count;
  const std::vector<std::int64_t> shape = sample_shape(vectors.samples);
  SafetensorsFile content;
  content.metadata = format_metadata(kFormat, kVersion);
  content.tensors = {
      {"samples", vectors.samples.type() == SampleType::u8
                      ? Tensor::of<std::uint8_t>(shape, vectors.samples.bytes())
                      : Tensor::of<float>(shape, vectors.samples.floats())},
      {"accumulators", Tensor::of<std::int32_t>({count, classes}, span_of(vectors.accumulators))},
      {"little_class", Tensor::of<std::int64_t>({count}, span_of(vectors.little_class))},
      {"score", Tensor::of<std::int64_t>({count}, span_of(vectors.score))},
      {"escalate", Tensor::of<std::uint8_t>({count}, span_of(vectors.escalate))},
      {"labels", Tensor::of<std::int64_t>({count}, span_of(vectors.labels))}};
  write_safetensors(file, content);
}

TestVectors read_vectors(const std::filesystem::path& file, const Int8Model& model) {
  const SafetensorsFile content = read_safetensors(file);
  const TensorReader reader(content, file.string());
  reader.require_format(kFormat, kVersion);
  reader.require_tensors(
      {"samples", "accumulators", "little_class", "score", "escalate", "labels"});
  const std::int64_t count = reader.rows("labels", 1, kVectorLimit, "vectors");
  TestVectors vectors;
  vectors.samples = read_samples(reader, model, count);
  vectors.accumulators = reader.values<std::int32_t>("accumulators", {count, outputs(model)});
  vectors.little_class = reader.values<std::int64_t>("little_class", {count});
  vectors.score = reader.values<std::int64_t>("score", {count});
  vectors.escalate = reader.values<std::uint8_t>("escalate", {count});
  vectors.labels = reader.values<std::int64_t>("labels", {count});
  return vectors;
}

std::string first_difference(const TestVectors& recorded, const TestVectors& computed) {
  const auto rows = static_cast<std::size_t>(recorded.count());
  for (std::size_t row = 0; row < rows; ++row) {
    std::string text = row_difference(recorded, computed, row, recorded.accumulators.size() / rows);
    if (!text.empty()) return text;
  }
  return {};
}

}  // namespace biglittle
