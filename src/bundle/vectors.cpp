// SPDX-License-Identifier: MIT
#include "bundle/vectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/safetensors.h"
#include "quant/interpreter.h"

namespace biglittle {
namespace {

constexpr std::int64_t kVectorLimit = 1024;
constexpr std::string_view kFormat = "biglittle-vectors";
constexpr std::string_view kVersion = "1";

template <typename T>
std::span<const T> span_of(const std::vector<T>& values) {
  return {values.data(), values.size()};
}

std::vector<std::int64_t> sample_shape(const Samples& samples) {
  return {samples.count(), samples.shape.channels, samples.shape.height, samples.shape.width};
}

std::int64_t outputs(const Int8Model& model) { return model.graph.output().shape.count(); }

/// Reads one tensor of a file after checking its type and shape.
class VectorReader {
 public:
  VectorReader(const SafetensorsFile& file, std::string name)
      : file_(file), name_(std::move(name)) {}

  const Tensor& tensor(const std::string& key) const {
    const auto found = file_.tensors.find(key);
    if (found == file_.tensors.end()) refuse(fmt::format("has no tensor '{}'", key));
    return found->second;
  }

  template <typename T>
  std::vector<T> values(const std::string& key, const std::vector<std::int64_t>& shape) const {
    const Tensor& found = tensor(key);
    if (found.dtype() != dtype_of<T>() || found.shape() != shape) {
      refuse(fmt::format("tensor '{}' is {} [{}], expected {} [{}]", key, name_of(found.dtype()),
                         fmt::join(found.shape(), ", "), name_of(dtype_of<T>()),
                         fmt::join(shape, ", ")));
    }
    const std::span<const T> values = found.values<T>();
    return {values.begin(), values.end()};
  }

  [[noreturn]] void refuse(std::string_view reason) const {
    throw Error(ErrorKind::bad_data, fmt::format("{}: {}", name_, reason));
  }

 private:
  const SafetensorsFile& file_;
  std::string name_;
};

void check_metadata(const SafetensorsFile& file, const VectorReader& reader) {
  const auto value = [&](const std::string& key) {
    const auto found = file.metadata.find(key);
    return found == file.metadata.end() ? std::string() : found->second;
  };
  if (value("format") != kFormat) reader.refuse(fmt::format("is not a '{}' file", kFormat));
  if (value("format_version") != kVersion) {
    reader.refuse(fmt::format("format version '{}' is not {}, the one this program reads",
                              value("format_version"), kVersion));
  }
  if (file.tensors.size() != 6) {
    reader.refuse(fmt::format("has {} tensors, expected 6", file.tensors.size()));
  }
}

std::int64_t checked_count(const VectorReader& reader) {
  const std::vector<std::int64_t>& shape = reader.tensor("labels").shape();
  if (shape.size() != 1 || shape[0] < 1 || shape[0] > kVectorLimit) {
    reader.refuse(fmt::format("'labels' has shape [{}], expected 1 to {} vectors",
                              fmt::join(shape, ", "), kVectorLimit));
  }
  return shape[0];
}

Samples read_samples(const VectorReader& reader, const Int8Model& model, std::int64_t count) {
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
  if (text.empty()) text = difference_of("margin", recorded.margin, computed.margin, row);
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
  TestVectors vectors;
  vectors.samples = samples;
  vectors.labels.assign(labels.begin(), labels.end());
  vectors.accumulators = Interpreter(model).run(samples);
  const auto classes = static_cast<std::size_t>(outputs(model));
  for (std::size_t row = 0; row < vectors.labels.size(); ++row) {
    const Decision decision = decide(span_of(vectors.accumulators).subspan(row * classes, classes));
    const bool local =
        decision.top < model.priority->priorities() && decision.margin >= policy.threshold;
    vectors.little_class.push_back(decision.top);
    vectors.margin.push_back(decision.margin);
    vectors.escalate.push_back(local ? 0 : 1);
  }
  return vectors;
}

void write_vectors(const std::filesystem::path& file, const TestVectors& vectors) {
  const std::int64_t count = vectors.count();
  const std::int64_t classes = static_cast<std::int64_t>(vectors.accumulators.size()) / count;
  const std::vector<std::int64_t> shape = sample_shape(vectors.samples);
  SafetensorsFile content;
  content.metadata = {{"format", std::string(kFormat)}, {"format_version", std::string(kVersion)}};
  content.tensors = {
      {"samples", vectors.samples.type() == SampleType::u8
                      ? Tensor::of<std::uint8_t>(shape, vectors.samples.bytes())
                      : Tensor::of<float>(shape, vectors.samples.floats())},
      {"accumulators", Tensor::of<std::int32_t>({count, classes}, span_of(vectors.accumulators))},
      {"little_class", Tensor::of<std::int64_t>({count}, span_of(vectors.little_class))},
      {"margin", Tensor::of<std::int64_t>({count}, span_of(vectors.margin))},
      {"escalate", Tensor::of<std::uint8_t>({count}, span_of(vectors.escalate))},
      {"labels", Tensor::of<std::int64_t>({count}, span_of(vectors.labels))}};
  write_safetensors(file, content);
}

TestVectors read_vectors(const std::filesystem::path& file, const Int8Model& model) {
  const SafetensorsFile content = read_safetensors(file);
  const VectorReader reader(content, file.string());
  check_metadata(content, reader);
  const std::int64_t count = checked_count(reader);
  TestVectors vectors;
  vectors.samples = read_samples(reader, model, count);
  vectors.accumulators = reader.values<std::int32_t>("accumulators", {count, outputs(model)});
  vectors.little_class = reader.values<std::int64_t>("little_class", {count});
  vectors.margin = reader.values<std::int64_t>("margin", {count});
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
